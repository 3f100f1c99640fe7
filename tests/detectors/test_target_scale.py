from dataclasses import replace

import pytest

from deepdebug.detectors.target_scale import TargetScale
from deepdebug.errors import NotJudged
from tests.detectors.loss_runs import loss_run
from tests.detectors.static_runs import numbers, one_output
from tests.factory import change_output


def regression(mean=25_000.0, skill=-20.0, activation="linear", epochs=6, **labels):
    facts = one_output(activation, "mean_squared_error", numbers(mean=mean, variance=25e6, **labels), (1,)).facts
    run = loss_run([1.0] * epochs, skill=skill)
    facts = replace(run.facts, outputs=facts.outputs, data=facts.data)
    return change_output(replace(run, facts=facts), name="output", mean_abs=120.0)


def findings(run):
    return list(TargetScale().detect(run))


def test_large_targets_of_a_regression_without_skill_are_reported():
    (finding,) = findings(regression())
    assert (finding.severity, finding.layer, finding.value) == ("warn", "head", pytest.approx(25495, rel=1e-3))
    assert finding.message == (
        "The targets of output 'output' have a root mean square of 2.55e+04; after 600 updates the predictions have a "
        "mean absolute value of 120 and a skill of -20"
    )


def test_large_targets_that_the_model_copes_with_are_silent():
    assert findings(regression(skill=0.3)) == []


def test_targets_at_the_threshold_are_silent():
    run = regression(mean=99.9)
    labels = replace(run.facts.data.labels[0], variance=1.0)
    assert findings(replace(run, facts=replace(run.facts, data=replace(run.facts.data, labels=(labels,))))) == []


def test_bounded_outputs_are_left_to_the_range():
    assert findings(regression(activation="sigmoid")) == []


def test_classifier_is_silent():
    assert findings(one_output("softmax", "categorical_crossentropy")) == []


def test_too_short_a_run_is_not_judged():
    with pytest.raises(NotJudged, match="checks"):
        findings(regression(epochs=3))


def test_unknown_targets_are_not_judged():
    with pytest.raises(NotJudged, match="targets"):
        findings(regression(mean=None))
