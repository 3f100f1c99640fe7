from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepdebug.detectors.symmetric_weights import SymmetricWeights
from deepdebug.errors import NotJudged
from tests.detectors.deep import chain, change_observations, deep_facts, deep_run, layer
from tests.factory import change_output, change_variable, classifier_facts, dense, healthy_run, kernel

ZEROS = {"std": 0.0, "rms": 0.0, "max_abs": 0.0, "distinct_units": 1 / 8}


def started(facts, *layers, epochs=0, **changes):
    """Return a run of which these layers start with one distinct column, and all others with distinct ones."""
    run = unskilled_start(healthy_run(epochs, facts))
    for variable in facts.variables:
        run = change_variable(run, variable.path, (-1,), distinct_units=1.0)
    for name in layers:
        run = change_variable(run, f"model/{name}/kernel", (-1,), **{"distinct_units": 1 / 8, **changes})
    return run


def unskilled_start(run):
    return change_output(run, (-1,), loss=1.1)


def findings(run):
    return list(SymmetricWeights().detect(run))


def test_equal_units_of_a_hidden_layer_are_an_error():
    (finding,) = findings(started(deep_facts(4), "d1"))
    assert (finding.layer, finding.severity, finding.epoch) == ("d1", "error", -1)
    assert "1 distinct columns for 8 units" in finding.message


def test_every_layer_that_starts_equal_is_named():
    assert [one.layer for one in findings(started(deep_facts(4), "d0", "d2"))] == ["d0", "d2"]


def test_few_distinct_units_are_a_warning():
    (finding,) = findings(started(deep_facts(4), "d1", distinct_units=0.49))
    assert finding.severity == "warn"


def test_half_the_units_distinct_is_silent():
    assert findings(started(deep_facts(4), "d1", distinct_units=0.5)) == []


def test_single_layer_linear_model_may_start_at_zero():
    facts = chain(dense("head", 3, "softmax"))
    assert findings(started(facts, "head", **ZEROS)) == []


def test_last_layer_of_a_deep_model_may_start_at_zero():
    assert findings(started(deep_facts(4), "d3", **ZEROS)) == []


def test_last_layer_before_a_softmax_layer_may_start_at_zero():
    facts = chain(dense("first"), dense("last", 8, "linear"), layer("softmax", "Activation", "activation"))
    assert findings(started(facts, "last", **ZEROS)) == []


def test_end_of_a_residual_branch_may_start_at_zero():
    facts = chain(dense("first"), dense("branch"), layer("sum", "Add", "merge"), dense("head", 3, "softmax"))
    add = replace(facts.layers[2], inputs=("first", "branch"))
    facts = replace(facts, layers=(*facts.layers[:2], add, facts.layers[3]))
    assert findings(started(facts, "branch", **ZEROS)) == []
    assert len(findings(started(facts, "branch", std=0.0, max_abs=1.0))) == 1


def test_unknown_flow_leaves_outputs_alone():
    facts = deep_facts(4)
    facts = replace(facts, layers=tuple(replace(one, inputs=None) for one in facts.layers))
    assert [one.layer for one in findings(started(facts, "d1", "d3"))] == ["d1"]


def test_recurrent_kernel_and_single_unit_are_silent():
    facts = deep_facts(4)
    recurrent = kernel("d0", (8, 8), path="model/d0/recurrent_kernel", role="recurrent_kernel")
    narrow = kernel("d1", (8, 1))
    facts = replace(facts, variables=(recurrent, narrow, *facts.variables[2:]))
    run = change_variable(started(facts, "d1", distinct_units=1.0), recurrent.path, **ZEROS)
    assert findings(run) == []


def test_frozen_kernel_is_silent():
    facts = deep_facts(4)
    facts = replace(facts, variables=tuple(replace(one, trainable=one.layer != "d1") for one in facts.variables))
    assert findings(started(facts, "d1")) == []


def test_model_that_comes_trained_is_silent():
    run = change_output(started(deep_facts(4), "d1"), (-1,), loss=0.5)
    assert findings(run) == []


def test_task_that_was_solved_in_spite_of_it_is_silent():
    run = change_output(started(deep_facts(4), "d1", epochs=3), (2,), accuracy=1.0)
    assert findings(run) == []


def test_missing_start_is_not_judged():
    run = deep_run(deep_facts(4))
    with pytest.raises(NotJudged, match="before the first update"):
        findings(replace(run, observations=run.observations[1:]))
    with pytest.raises(NotJudged, match="before the first update"):
        findings(change_observations(run, variables=()))


def test_healthy_run_is_silent():
    assert findings(healthy_run()) == []
    assert findings(started(classifier_facts())) == []


@given(st.floats(1 / 64, 1), st.floats(1 / 64, 1))
def test_fewer_distinct_units_never_remove_the_finding(one, other):
    fewer, more = sorted((one, other))
    found = [findings(started(deep_facts(4), "d1", distinct_units=share)) for share in (more, fewer)]
    assert len(found[0]) <= len(found[1])
