from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepdebug.detectors.zero_gradient import ZeroGradient
from deepdebug.errors import NotJudged
from tests.detectors.deep import chain, change_observations, deep_facts, deep_run
from tests.factory import change_layer, change_output, change_variable, classifier_facts, dense, healthy_run, kernel


def cut(*layers, run=None, only=None):
    return changed(layers, run, only, has_gradient=False, gradient_rms=None, gradient_zero_fraction=None)


def zero(*layers, run=None, only=None):
    return changed(layers, run, only, gradient_rms=0.0, gradient_zero_fraction=1.0)


def changed(layers, run, only, **changes):
    run = run or deep_run(deep_facts(4))
    for layer in layers:
        run = change_variable(run, f"model/{layer}/kernel", only, **changes)
    return run


def findings(run):
    return list(ZeroGradient().detect(run))


def test_missing_path_is_an_error_at_the_layer_nearest_to_the_loss():
    (finding,) = findings(cut("d0", "d1"))
    assert (finding.layer, finding.severity, finding.location) == ("d1", "error", "DW")
    assert (finding.evidence["cause"], finding.evidence["layers_affected"]) == ("no gradient path", 2)


def test_missing_path_shows_before_training():
    (finding,) = findings(cut("d1", run=deep_run(deep_facts(4), epochs=0)))
    assert (finding.severity, finding.epoch) == ("error", -1)


def side_facts():
    facts = chain(dense("first"), dense("head", 3, "softmax"))
    facts = replace(facts, layers=(*facts.layers, dense("side", inputs=("first",))))
    return replace(facts, variables=(*facts.variables, kernel("side")))


def test_layer_that_feeds_no_output_gets_a_note():
    (finding,) = findings(cut("side", run=healthy_run(facts=side_facts())))
    assert (finding.layer, finding.severity, finding.evidence["cause"]) == ("side", "info", "unused")


def test_unknown_flow_of_a_solved_task_makes_the_missing_path_a_warning():
    facts = deep_facts(4)
    facts = replace(facts, layers=tuple(replace(one, inputs=None) for one in facts.layers))
    run = cut("d1", run=deep_run(facts))
    assert findings(run)[0].severity == "error"
    assert findings(change_output(run, accuracy=1.0))[0].severity == "warn"


def test_gradient_of_exactly_zero_is_an_error():
    (finding,) = findings(zero("d0", "d1"))
    assert (finding.layer, finding.severity, finding.value) == ("d1", "error", 1.0)
    assert finding.evidence["cause"] == "zero gradient"


def test_one_element_other_than_zero_is_silent():
    run = zero("d1")
    assert findings(change_variable(run, "model/d1/kernel", gradient_zero_fraction=0.999)) == []


def test_one_check_is_not_enough_for_a_zero():
    assert findings(zero("d1", only=(4,))) == []


def test_dead_and_saturated_layers_are_told():
    run = change_layer(zero("d1"), "d1", dead_fraction=1.0)
    (finding,) = findings(change_layer(run, "d2", stuck_fraction=1.0))
    assert (finding.evidence["dead_layer"], finding.evidence["saturated_layer"]) == ("d1", "d2")


def test_bias_alone_is_silent():
    facts = classifier_facts()
    bias = kernel("hidden", (8,), path="model/hidden/bias", role="bias")
    run = healthy_run(facts=replace(facts, variables=(*facts.variables, bias)))
    assert findings(change_variable(run, "model/hidden/bias", gradient_zero_fraction=1.0)) == []


def test_solved_task_is_silent():
    assert findings(change_output(zero("d1"), accuracy=1.0)) == []


def test_loss_of_zero_is_silent():
    run = change_observations(zero("d1"), loss=0.5, penalty=0.5)
    assert findings(run) == []


def test_float16_underflow_is_a_warning():
    run = zero("d1")
    layers = tuple(replace(one, config={"compute_dtype": "float16"}) for one in run.facts.layers)
    (finding,) = findings(replace(run, facts=replace(run.facts, layers=layers)))
    assert finding.severity == "warn"


def test_frozen_layer_is_silent():
    facts = deep_facts(4)
    variables = tuple(replace(one, trainable=one.layer != "d1") for one in facts.variables)
    assert findings(cut("d1", run=deep_run(replace(facts, variables=variables)))) == []


def test_poisoned_gradient_is_left_to_others():
    run = change_variable(zero("d1"), "model/d1/kernel", gradient_non_finite=0.5)
    assert findings(run) == []


def test_missing_gradients_are_not_judged():
    run = changed([f"d{index}" for index in range(4)], None, None, has_gradient=None, gradient_rms=None)
    with pytest.raises(NotJudged, match="no gradient was taken"):
        findings(run)


def test_custom_train_step_is_not_judged():
    run = cut("d1")
    fit = replace(run.facts.fit, custom_train_step=True)
    with pytest.raises(NotJudged, match="train_step"):
        findings(replace(run, facts=replace(run.facts, fit=fit)))


def test_healthy_run_is_silent():
    assert findings(deep_run(deep_facts(4))) == []


@given(st.floats(0, 1), st.floats(0, 1))
def test_more_zeros_never_remove_the_finding(one, other):
    fewer, more = sorted((one, other))
    runs = [change_variable(deep_run(), "model/d1/kernel", gradient_zero_fraction=share) for share in (fewer, more)]
    assert len(findings(runs[0])) <= len(findings(runs[1]))


def test_zero_in_the_first_check_waits_for_the_second():
    assert findings(zero("d1", run=deep_run(deep_facts(4), epochs=1))) == []
