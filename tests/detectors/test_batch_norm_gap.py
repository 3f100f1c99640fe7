from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepdebug.detectors.batch_norm_gap import BatchNormGap, loss_ratio
from deepdebug.errors import NotJudged
from deepdebug.facts import LayerFacts
from tests.detectors.deep import chain, change_observations, layer, unskilled
from tests.factory import change_output, change_variable, dense, healthy_run, kernel


def norm_layer(name="norm"):
    return layer(name, "BatchNormalization", "normalization", config={"momentum": 0.9})


def variance_of(name="norm"):
    return kernel(name, (8,), path=f"model/{name}/moving_variance", role="moving_variance", trainable=False)


def norm_facts(*layers: LayerFacts):
    layers = layers or (dense("first"), norm_layer(), dense("head", 3, "softmax"))
    facts = chain(*layers)
    return replace(facts, variables=(*facts.variables, variance_of()))


def gap(ratio=3.0, only=None, loss=0.9, epochs=5, facts=None):
    run = unskilled(healthy_run(epochs, facts or norm_facts()))
    run = change_observations(run, loss=loss, training_loss=loss)
    return change_observations(run, only, training_loss=loss / ratio)


def findings(run):
    return list(BatchNormGap().detect(run))


def test_gap_is_a_warning_with_its_ratio():
    (finding,) = findings(gap())
    assert (finding.layer, finding.severity, finding.value) == (None, "warn", pytest.approx(3.0))
    assert (finding.evidence["first_layer"], finding.evidence["momentum"]) == ("norm", 0.9)


def test_gap_above_ten_is_an_error():
    assert findings(gap(10.1))[0].severity == "error"


def test_gap_at_the_threshold_is_silent():
    assert findings(gap(1.99)) == []


def test_two_checks_are_not_enough():
    assert findings(gap(only=(3, 4))) == []


def test_worse_training_mode_because_of_dropout_is_silent():
    assert findings(gap(0.4)) == []


def test_gap_of_two_tiny_losses_is_silent():
    assert findings(gap(5.0, loss=0.05)) == []


def test_gap_without_a_known_constant_is_held_against_the_first_loss():
    run = change_output(gap(), constant_loss=None)
    assert len(findings(run)) == 1
    assert findings(change_observations(run, only=(-1,), loss=100.0)) == []


def test_penalty_is_left_out():
    run = change_observations(gap(), loss=10.9, training_loss=10.3, penalty=10.0)
    assert findings(run)[0].value == pytest.approx(3.0)


def test_solved_task_is_silent():
    assert findings(change_output(gap(), accuracy=1.0)) == []


def test_model_without_batch_normalization_is_silent():
    assert findings(healthy_run()) == []


def test_vanished_variance_is_a_warning():
    run = change_variable(gap(1.0), "model/norm/moving_variance", max_abs=0.0)
    (finding,) = findings(run)
    assert (finding.layer, finding.severity, finding.value) == ("norm", "warn", 0.0)
    assert "the same for every row" in finding.message


def test_huge_variance_is_a_warning():
    run = change_variable(gap(1.0), "model/norm/moving_variance", max_abs=1.1e6)
    (finding,) = findings(run)
    assert "huge scale" in finding.message


def test_variance_at_the_bounds_is_silent():
    assert findings(change_variable(gap(1.0), "model/norm/moving_variance", max_abs=1e6)) == []
    assert findings(change_variable(gap(1.0), "model/norm/moving_variance", max_abs=1e-12)) == []


def test_huge_variance_of_the_data_themselves_is_silent():
    facts = norm_facts(norm_layer(), dense("first"), dense("head", 3, "softmax"))
    assert findings(change_variable(gap(1.0, facts=facts), "model/norm/moving_variance", max_abs=1e9)) == []


def test_huge_variance_of_a_model_that_works_is_silent():
    run = change_output(gap(1.0), loss=0.8)
    assert findings(change_variable(run, "model/norm/moving_variance", max_abs=1e9)) == []


def test_huge_variance_at_one_check_is_silent():
    assert findings(change_variable(gap(1.0), "model/norm/moving_variance", (4,), max_abs=1e9)) == []


def test_missing_training_loss_is_not_judged():
    with pytest.raises(NotJudged, match="training mode"):
        findings(change_observations(gap(), training_loss=None))


def test_moving_statistics_that_cannot_have_settled_are_not_judged():
    slow = replace(norm_layer(), config={"momentum": 0.999})
    facts = norm_facts(dense("first"), slow, dense("head", 3, "softmax"))
    with pytest.raises(NotJudged, match="after 3000 updates"):
        findings(gap(facts=facts))


def test_healthy_run_is_silent():
    assert findings(change_observations(healthy_run(facts=norm_facts()), training_loss=0.4)) == []


@given(st.floats(0.1, 100), st.floats(0.1, 100))
def test_larger_gap_never_removes_the_finding(one, other):
    smaller, larger = sorted((one, other))
    assert len(findings(gap(smaller))) <= len(findings(gap(larger)))


def test_ratio_of_a_training_loss_of_zero_is_unknown():
    assert loss_ratio(change_observations(healthy_run(), training_loss=0.0).latest) is None
    assert loss_ratio(healthy_run().latest) is None
