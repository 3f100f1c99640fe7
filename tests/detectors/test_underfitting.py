from dataclasses import replace

import pytest

from deepdebug.detectors.underfitting import Underfitting
from deepdebug.errors import NotJudged
from deepdebug.facts import DataFacts, LossFacts
from tests.detectors.loss_runs import loss_run
from tests.detectors.static_runs import class_numbers
from tests.factory import with_metric

FALLING = [1.0 - 0.04 * epoch for epoch in range(20)]


def findings(run):
    return list(Underfitting().detect(run))


def test_run_that_ended_on_a_falling_loss_is_advised_to_go_on():
    (finding,) = findings(loss_run(FALLING, finished=True))
    assert finding.severity == "info"
    assert "20 epochs at a loss of 0.24" in finding.message


def test_gain_of_less_than_two_percent_is_silent():
    assert findings(loss_run([1.0 - 0.008 * epoch for epoch in range(20)], finished=True)) == []


def test_flat_end_is_silent():
    assert findings(loss_run([*FALLING, 0.24, 0.24, 0.24, 0.24, 0.24], finished=True)) == []


def test_converged_model_is_silent():
    assert findings(loss_run(FALLING, skill=0.97, finished=True)) == []


def test_turned_validation_loss_is_silent():
    run = loss_run(FALLING, finished=True)
    assert findings(with_metric(run, "val_loss", [1.0 - 0.05 * epoch for epoch in range(15)] + [0.5] * 5)) == []


def test_run_that_goes_on_is_not_judged():
    with pytest.raises(NotJudged, match="ended"):
        findings(loss_run(FALLING))


def test_too_few_epochs_are_not_judged():
    with pytest.raises(NotJudged, match="5 epochs, has 4"):
        findings(loss_run(FALLING[:4], finished=True))


def short_run(updates, skill, **changes):
    run = loss_run([1.0, 0.9, 0.8], skill=skill, finished=True)
    last = replace(run.observations[-1], step=updates)
    return replace(run, observations=[*run.observations[:-1], last], **changes)


def test_training_that_ended_before_it_could_learn_is_an_error():
    (finding,) = findings(short_run(45, 0.03))
    assert (finding.severity, finding.value) == ("error", pytest.approx(0.03))
    assert "ended after 45 updates with a skill of 0.03" in finding.message


@pytest.mark.parametrize(("updates", "skill"), [(0, 0.03), (45, 0.31), (200, 0.03)])
def test_short_training_with_skill_long_one_and_none_at_all_are_left_to_others(updates, skill):
    with pytest.raises(NotJudged, match="5 epochs"):
        findings(short_run(updates, skill))


def test_skill_that_holds_for_no_other_rows_is_none_after_few_updates():
    run = short_run(45, 0.5)
    labels = class_numbers(2, class_counts=(60, 40), rows=100)
    data = DataFacts(1000, True, labels=(labels,), validation_labels=(labels,))
    output = replace(run.facts.outputs[0], loss=LossFacts("categorical_crossentropy"))
    run = replace(run, facts=replace(run.facts, data=data, outputs=(output,)))
    (finding,) = findings(with_metric(run, "val_loss", [0.7, 0.68, 0.7]))
    assert finding.value == pytest.approx(1 - 0.68 / 0.673, abs=1e-3)
