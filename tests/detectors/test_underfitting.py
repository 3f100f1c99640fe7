import pytest

from deepdebug.detectors.underfitting import Underfitting
from deepdebug.errors import NotJudged
from tests.detectors.loss_runs import loss_run
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
