from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepdebug.detectors.saturated_units import SaturatedUnits
from deepdebug.errors import NotJudged
from tests.detectors.deep import chain, layer, with_profile
from tests.factory import change_layer, change_output, dense, healthy_run


def tanh_run(*behind, epochs=5):
    facts = chain(dense("first", activation="tanh"), *behind, dense("head", 3, "softmax"))
    return healthy_run(epochs, facts)


def saturated(run=None, name="first", only=None, **changes):
    return change_layer(run or tanh_run(), name, only, **{"stuck_fraction": 0.7, "saturated_fraction": 0.8, **changes})


def test_stuck_layer_is_reported_with_its_share():
    (finding,) = SaturatedUnits().detect(saturated())
    assert (finding.layer, finding.value, finding.severity) == ("first", 0.7, "warn")
    assert "70%" in finding.message


def test_share_below_the_threshold_is_silent():
    assert list(SaturatedUnits().detect(saturated(stuck_fraction=0.49, saturated_fraction=0.49))) == []


def test_nearly_all_units_stuck_is_an_error():
    (finding,) = SaturatedUnits().detect(saturated(stuck_fraction=0.95))
    assert finding.severity == "error"


def test_two_of_three_checks_suffice():
    assert list(SaturatedUnits().detect(saturated(only=(2, 4))))


def test_one_bad_check_is_not_enough():
    assert list(SaturatedUnits().detect(saturated(only=(4,)))) == []


def test_layer_that_has_recovered_is_silent():
    assert list(SaturatedUnits().detect(saturated(only=(2, 3)))) == []


def test_saturated_outputs_of_free_units_count_when_the_gradient_is_lost_across_them():
    run = saturated(stuck_fraction=0.1)
    assert list(SaturatedUnits().detect(run)) == []
    (finding,) = SaturatedUnits().detect(with_profile(run, [0.0009, 0.01]))
    assert finding.value == 0.8
    assert finding.evidence["gradient_ratio"] == pytest.approx(0.09)


def test_gradient_of_a_custom_train_step_does_not_count():
    run = with_profile(saturated(stuck_fraction=0.1), [0.0009, 0.01])
    fit = replace(run.facts.fit, custom_train_step=True)
    assert list(SaturatedUnits().detect(replace(run, facts=replace(run.facts, fit=fit)))) == []


def test_confident_output_is_silent():
    run = healthy_run(facts=chain(dense("first"), dense("head", 1, "sigmoid")))
    assert list(SaturatedUnits().detect(saturated(run, "head"))) == []


def test_gate_is_silent():
    run = tanh_run(layer("gate", "Multiply", "merge"))
    assert list(SaturatedUnits().detect(saturated(run))) == []


def test_recurrent_layer_is_silent():
    run = healthy_run(facts=chain(layer("rnn", "LSTM", "recurrent", activation="tanh"), dense("head", 3, "softmax")))
    assert list(SaturatedUnits().detect(saturated(run, "rnn"))) == []


def test_second_call_of_a_shared_layer_is_judged_by_its_own_name():
    run = tanh_run()
    seen = [replace(one, layers=(*one.layers, replace(one.layers[0], name="first#2"))) for one in run.observations]
    (finding,) = SaturatedUnits().detect(saturated(replace(run, observations=seen), "first#2"))
    assert finding.layer == "first#2"


def test_solved_task_is_silent():
    assert list(SaturatedUnits().detect(change_output(saturated(), accuracy=1.0))) == []


def test_healthy_run_is_silent():
    assert list(SaturatedUnits().detect(tanh_run())) == []


def test_too_short_a_run_is_not_judged():
    with pytest.raises(NotJudged, match="2 probed checks"):
        list(SaturatedUnits().detect(saturated(tanh_run(epochs=1))))


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_more_stuck_units_never_remove_the_finding(one, other):
    fewer, more = sorted((one, other))
    found = [list(SaturatedUnits().detect(saturated(stuck_fraction=share))) for share in (fewer, more)]
    assert len(found[0]) <= len(found[1])
