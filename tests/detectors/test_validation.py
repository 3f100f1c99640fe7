from dataclasses import replace

import pytest

from deepdebug.detectors.validation import validation_losses
from deepdebug.observation import EpochEnd
from tests.detectors.loss_runs import loss_run
from tests.factory import with_metric


def test_each_validation_loss_is_freed_of_the_penalty_of_its_own_epoch():
    run = with_metric(loss_run([9.0, 7.0, 5.0]), "val_loss", [9.5, 7.5, 5.5])
    penalties = iter([10.0, 8.0, 6.0, 4.0][-len(run.observations) :])
    run = replace(run, observations=[replace(one, penalty=next(penalties)) for one in run.observations])
    assert validation_losses(run) == [pytest.approx(1.5)] * 3


def test_penalty_changes_evenly_over_epochs_without_a_look():
    run = with_metric(loss_run([9.0, 5.0]), "val_loss", [9.5, 5.5])
    first, last = (
        replace(one, penalty=penalty) for one, penalty in zip(run.observations[-2:], (8.0, 4.0), strict=True)
    )
    last = replace(last, epoch=first.epoch + 2, step=first.step + 10)
    passed = [EpochEnd(first.epoch + 1, first.step + 5, {"val_loss": 7.5})]
    assert validation_losses(replace(run, observations=[first, last], passed=passed)) == [1.5, 1.5, 1.5]


def test_without_a_penalty_nothing_is_taken_off():
    run = with_metric(loss_run([9.0, 7.0]), "val_loss", [9.5, 7.5])
    assert validation_losses(run) == [9.5, 7.5]
