from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepdebug.detectors.unchanged_weights import UnchangedWeights
from deepdebug.errors import NotJudged
from tests.detectors.deep import ADAM, chain, change_observations, deep_facts, deep_run
from tests.factory import change_output, change_variable, classifier_facts, dense, healthy_run, kernel


def stuck(*layers, run=None, only=None, **changes):
    run = run or deep_run(deep_facts(4))
    for layer in layers:
        run = change_variable(run, f"model/{layer}/kernel", only, **{"moved": 0.0, **changes})
    return run


def findings(run):
    return list(UnchangedWeights().detect(run))


def test_unchanged_layer_is_reported():
    (finding,) = findings(stuck("d1"))
    assert (finding.layer, finding.value, finding.location) == ("d1", 0.0, "W")


@pytest.mark.parametrize(
    ("changes", "cause", "severity"),
    [
        ({"has_gradient": False, "gradient_rms": None}, "no gradient path", "error"),
        ({"gradient_zero_fraction": 1.0, "gradient_rms": 0.0}, "zero gradient", "error"),
        ({"update_rms": 1e-9}, "update below resolution", "warn"),
        ({}, "unknown", "warn"),
    ],
)
def test_cause_is_split(changes, cause, severity):
    (finding,) = findings(stuck("d1", **changes))
    assert (finding.evidence["cause"], finding.severity) == (cause, severity)


def test_learning_rate_of_zero_is_one_finding_about_all_layers():
    run = change_observations(stuck("d0", "d1", "d2", "d3", gradient_rms=0.1, update_rms=0.0), learning_rate=0.0)
    (finding,) = findings(run)
    assert (finding.layer, finding.evidence["cause"], finding.severity) == (None, "learning rate zero", "error")


def test_layers_with_one_cause_make_one_finding_at_the_last():
    (finding,) = findings(stuck("d0", "d1", "d2", has_gradient=False))
    assert (finding.layer, finding.evidence["layers_affected"]) == ("d2", 3)
    assert finding.evidence["first_layer"] == "d0"


def test_custom_train_step_leaves_the_cause_open():
    run = stuck("d1", has_gradient=False)
    fit = replace(run.facts.fit, custom_train_step=True)
    (finding,) = findings(replace(run, facts=replace(run.facts, fit=fit)))
    assert (finding.evidence["cause"], finding.severity) == ("unknown", "warn")


def test_smallest_real_change_is_silent():
    assert findings(stuck("d1", moved=9 * 2.0**-23)) == []


def test_rounding_noise_counts_as_unchanged():
    assert len(findings(stuck("d1", moved=7 * 2.0**-23))) == 1


def test_any_change_from_zero_is_a_change():
    run = stuck("d1", only=(-1,), max_abs=0.0)
    assert findings(stuck("d1", run=run, moved=1e-9)) == []


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_any_change_of_a_half_precision_weight_is_a_change(dtype):
    facts = replace(deep_facts(4), variables=tuple(kernel(f"d{i}", (8, 8), dtype=dtype) for i in range(4)))
    assert findings(stuck("d1", run=deep_run(facts), moved=1e-7)) == []
    assert len(findings(stuck("d1", run=deep_run(facts)))) == 1


def test_bias_alone_is_silent():
    facts = classifier_facts()
    bias = kernel("hidden", (8,), path="model/hidden/bias", role="bias")
    run = healthy_run(facts=replace(facts, variables=(*facts.variables, bias)))
    assert findings(change_variable(run, "model/hidden/bias", moved=0.0)) == []


def test_frozen_layer_is_silent():
    facts = deep_facts(4)
    layers = tuple(replace(one, trainable=one.name != "d1") for one in facts.layers)
    assert findings(stuck("d1", run=deep_run(replace(facts, layers=layers)))) == []


def test_layer_that_feeds_no_output_gets_a_note():
    facts = chain(dense("first"), dense("head", 3, "softmax"))
    facts = replace(facts, layers=(*facts.layers, dense("side", inputs=("first",))))
    facts = replace(facts, variables=(*facts.variables, kernel("side")))
    (finding,) = findings(stuck("side", run=healthy_run(facts=facts), has_gradient=False))
    assert (finding.layer, finding.severity) == ("side", "info")


def test_model_without_trainable_variables_is_an_error_at_once():
    facts = classifier_facts()
    frozen = replace(facts, variables=tuple(replace(one, trainable=False) for one in facts.variables))
    (finding,) = findings(healthy_run(0, frozen))
    assert (finding.layer, finding.severity, finding.evidence["cause"]) == (None, "error", "frozen")


def test_embedding_is_silent_as_soon_as_one_row_moves():
    facts = classifier_facts()
    table = kernel("hidden", (100, 8), path="model/table", role="embeddings")
    run = healthy_run(facts=replace(facts, variables=(table, facts.variables[1])))
    assert findings(change_variable(run, "model/table", moved=1e-3, gradient_zero_fraction=0.99)) == []
    assert len(findings(change_variable(run, "model/table", moved=0.0))) == 1


def test_solved_task_is_silent():
    assert findings(change_output(stuck("d1", gradient_zero_fraction=1.0), accuracy=1.0)) == []


def test_missing_path_of_a_solved_task_is_a_warning():
    (finding,) = findings(change_output(stuck("d1", has_gradient=False), accuracy=1.0))
    assert finding.severity == "warn"


def test_learning_rate_that_has_run_out_is_not_judged():
    run = change_observations(stuck("d1"), only=(4,), learning_rate=1e-6)
    with pytest.raises(NotJudged, match="below 1 %"):
        findings(run)


def test_layer_that_moved_at_the_check_before_is_silent():
    assert findings(stuck("d1", only=(4,))) == []


def test_unknown_start_is_not_judged():
    with pytest.raises(NotJudged, match="start of `fit`"):
        findings(stuck("d1", moved=None))


def test_too_few_updates_are_not_judged():
    with pytest.raises(NotJudged, match="after 100 updates"):
        findings(stuck("d1", run=deep_run(deep_facts(4), epochs=1)))


def test_healthy_run_is_silent():
    assert findings(deep_run(deep_facts(4, optimizer=ADAM))) == []
    assert findings(deep_run(deep_facts(4, optimizer=None))) == []


@given(st.floats(0, 1e-4), st.floats(0, 1e-4))
def test_smaller_change_never_removes_the_finding(one, other):
    less, more = sorted((one, other))
    found = [findings(stuck("d1", moved=moved)) for moved in (more, less)]
    assert len(found[0]) <= len(found[1])
