import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepdebug.detectors.collapsed_output import CollapsedOutput, label_spread, spread_ratio
from deepdebug.errors import NotJudged
from deepdebug.facts import LossFacts
from deepdebug.observation import OutputObservation
from tests.detectors.deep import change_observations, unskilled
from tests.factory import change_output, classifier_facts, healthy_run

ONE_CLASS = {"predicted_share": 1.0, "recalls": (0.0, 1.0, 0.0)}


def collapsed(only=None, run=None, **changes):
    return change_output(unskilled(run or healthy_run()), only, **{"row_spread": 1e-3, **changes})


def regression(only=None, **changes):
    """Labels that are no classes."""
    return collapsed(only, class_counts=(), recalls=(), majority=None, predicted_share=None, accuracy=None, **changes)


def test_constant_classifier_is_an_error_at_its_output_layer():
    (finding,) = CollapsedOutput().detect(collapsed(**ONE_CLASS))
    assert (finding.layer, finding.severity, finding.value) == ("head", "error", 1.0)
    assert finding.evidence["predicted_class"] == 1


def test_constant_regression_is_an_error_with_its_ratio():
    (finding,) = CollapsedOutput().detect(regression(row_spread=0.01, label_spread=1.0))
    assert (finding.severity, finding.value) == ("error", pytest.approx(1e-4))


def test_ratio_above_the_threshold_is_silent():
    assert list(CollapsedOutput().detect(regression(row_spread=0.032, label_spread=1.0))) == []


def test_one_class_counts_even_when_the_scores_differ():
    assert list(CollapsedOutput().detect(collapsed(row_spread=0.3, **ONE_CLASS)))


def test_one_class_of_a_skilled_imbalanced_model_is_silent():
    run = change_output(healthy_run(), majority=0.85, predicted_share=1.0)
    assert list(CollapsedOutput().detect(run)) == []


def test_one_class_that_most_labels_have_is_silent():
    run = collapsed(row_spread=0.3, majority=0.95, predicted_share=1.0)
    assert list(CollapsedOutput().detect(run)) == []


def test_two_checks_are_not_enough():
    assert list(CollapsedOutput().detect(collapsed(only=(3, 4), **ONE_CLASS))) == []


def test_warm_up_of_the_learning_rate_is_silent():
    run = collapsed(**ONE_CLASS)
    rates = [1e-6 * 2**index for index in range(len(run.observations))]
    seen = [replace(one, learning_rate=rate) for one, rate in zip(run.observations, rates, strict=True)]
    assert list(CollapsedOutput().detect(replace(run, observations=seen))) == []


def test_spread_that_grows_is_silent():
    run = healthy_run()
    for epoch in range(5):
        run = collapsed((epoch,), run, row_spread=1e-3 * 1.06**epoch)
    assert list(CollapsedOutput().detect(run)) == []


def test_first_updates_make_it_a_warning():
    run = collapsed(**ONE_CLASS)
    seen = [replace(one, step=(one.epoch + 1) * 39) for one in run.observations]
    (finding,) = CollapsedOutput().detect(replace(run, observations=seen))
    assert finding.severity == "warn"


def test_custom_loss_is_a_warning():
    facts = classifier_facts()
    facts = replace(facts, outputs=(replace(facts.outputs[0], loss=LossFacts("custom")),))
    (finding,) = CollapsedOutput().detect(collapsed(run=healthy_run(facts=facts), **ONE_CLASS))
    assert finding.severity == "warn"


def test_constant_labels_are_not_judged():
    with pytest.raises(NotJudged, match="not all the same"):
        list(CollapsedOutput().detect(regression(label_spread=0.0)))
    with pytest.raises(NotJudged, match="not all the same"):
        list(CollapsedOutput().detect(collapsed(class_counts=(0, 512, 0))))


def test_missing_outputs_are_not_judged():
    with pytest.raises(NotJudged, match="needs labels"):
        list(CollapsedOutput().detect(change_observations(healthy_run(), outputs=())))


def test_too_short_a_run_is_not_judged():
    with pytest.raises(NotJudged, match="3 probed checks"):
        list(CollapsedOutput().detect(collapsed(run=healthy_run(2), **ONE_CLASS)))


def test_healthy_run_is_silent():
    assert list(CollapsedOutput().detect(healthy_run())) == []


@given(st.lists(st.integers(0, 4), min_size=2, max_size=60))
def test_spread_of_classes_is_that_of_their_one_hot_form(labels):
    hot = np.eye(5)[labels]
    expected = math.sqrt(float(hot.var(axis=0).mean()))
    seen = OutputObservation("output", label_spread=99.0, class_counts=tuple(int(one) for one in hot.sum(axis=0)))
    assert (label_spread(seen) or 0.0) == pytest.approx(expected, abs=1e-6)


@given(st.floats(0.0, 2.0), st.floats(0.0, 2.0))
def test_less_spread_never_removes_the_finding(one, other):
    less, more = sorted((one, other))
    found = [list(CollapsedOutput().detect(regression(row_spread=row, label_spread=1.0))) for row in (more, less)]
    assert len(found[0]) <= len(found[1])


def test_ratio_of_an_unmeasured_spread_is_unknown():
    assert spread_ratio(OutputObservation("output", label_spread=1.0)) is None
