from dataclasses import replace

import pytest

from deepdebug.detectors import progress
from deepdebug.errors import NotJudged
from deepdebug.facts import LossFacts, OutputFacts
from tests.detectors.loss_runs import loss_run
from tests.factory import classifier_facts

REGRESSION = classifier_facts(
    outputs=(OutputFacts("output", "head", "linear", "head", (1,), LossFacts("mean_squared_error")),)
)


def test_losses_that_are_not_finite_are_left_out():
    run = loss_run([3.0, float("nan"), 2.0, float("inf"), 1.0])
    assert progress.epoch_losses(run, 3) == [3.0, 2.0, 1.0]
    with pytest.raises(NotJudged, match="4 epochs, has 3"):
        progress.epoch_losses(run, 4)


def test_newest_skill_is_that_of_the_newest_probe():
    run = loss_run([1.0, 1.0], skill=0.25)
    unprobed = replace(run.latest, rows=0, outputs=())
    assert progress.newest_skill(replace(run, observations=[*run.observations, unprobed])) == 0.25


def test_skill_is_unknown_without_a_probe():
    run = loss_run([1.0, 1.0])
    assert (
        progress.newest_skill(replace(run, observations=[replace(seen, rows=0) for seen in run.observations])) is None
    )


@pytest.mark.parametrize(
    ("skill", "permuted", "lacks"),
    [(0.0, 1.0, True), (0.02, None, True), (0.03, 1.0, False), (0.0, 1.2, False), (None, 1.0, False)],
)
def test_no_skill_means_neither_gain_nor_use_of_the_input(skill, permuted, lacks):
    seen = replace(loss_run([1.0]).latest, permuted_loss=permuted)
    assert progress.lacks_skill(seen, skill) is lacks


def test_start_is_the_probe_before_training_for_a_regression():
    assert progress.starting_loss(loss_run([2.0, 1.0], start=5.0, facts=REGRESSION)) == 5.0


def test_start_is_the_first_epoch_where_probabilities_are_clipped():
    assert progress.starting_loss(loss_run([2.0, 1.0], start=5.0)) == 2.0


def test_start_is_unknown_when_the_first_loss_is_not_finite():
    assert progress.starting_loss(loss_run([float("inf"), 1.0])) is None


@pytest.mark.parametrize(
    ("losses", "skill", "start", "learned"),
    [
        ([1.0, 1.0], 0.5, None, True),
        ([1.0, 0.7], 0.1, None, True),
        ([1.0, 0.71], 0.1, None, False),
        ([1.0, 1.0], 0.1, 1.5, True),
        ([1.0, 0.5], 0.01, 9.0, False),
        ([1.0, 0.5], None, None, True),
    ],
)
def test_learning_shows_in_skill_or_in_a_clear_fall(losses, skill, start, learned):
    assert progress.has_learned(loss_run(losses, skill=skill, start=start)) is learned
