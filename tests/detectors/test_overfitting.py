from dataclasses import replace

import pytest

from deepdebug.detectors.overfitting import Overfitting
from deepdebug.errors import NotJudged
from deepdebug.facts import DataFacts, LossFacts
from tests.detectors.loss_runs import loss_run
from tests.detectors.static_runs import numbers
from tests.factory import healthy_run, with_metric

TRAINING = [1.0, 0.8, 0.6, 0.5, 0.4, 0.3, 0.25, 0.2, 0.15, 0.1]
VALIDATION = [1.0, 0.9, 0.85, 0.8, 0.82, 0.86, 0.9, 0.95, 1.0, 1.1]


def findings(run):
    return list(Overfitting().detect(run))


def overfit_run(validation=VALIDATION, training=TRAINING):
    return with_metric(loss_run(training), "val_loss", validation)


def test_turned_validation_loss_is_a_warning():
    (finding,) = findings(overfit_run())
    assert (finding.severity, finding.evidence["best_epoch"]) == ("warn", 3)
    assert "1.1, up 38% from 0.8 at epoch 3" in finding.message


def test_unhurt_validation_accuracy_makes_it_advice():
    run = with_metric(overfit_run(), "val_accuracy", [0.6, 0.7, 0.75, 0.8, 0.81, 0.81, 0.81, 0.81, 0.805, 0.805])
    assert [finding.severity for finding in findings(run)] == ["info"]


def test_falling_validation_accuracy_stays_a_warning():
    run = with_metric(overfit_run(), "val_accuracy", [0.6, 0.7, 0.75, 0.8, 0.81, 0.8, 0.79, 0.78, 0.77, 0.76])
    assert [finding.severity for finding in findings(run)] == ["warn"]


@pytest.mark.parametrize(("variance", "severity"), [(16.0, "info"), (14.0, "warn")])
def test_rise_that_is_small_beside_the_best_constant_is_advice(variance, severity):
    run = overfit_run()
    output = replace(run.facts.outputs[0], loss=LossFacts("mean_squared_error"))
    data = DataFacts(1000, True, validation_labels=(numbers(variance=variance),))
    facts = replace(run.facts, outputs=(output,), data=data)
    assert [one.severity for one in findings(replace(run, facts=facts))] == [severity]


def test_early_stopping_makes_it_advice():
    run = overfit_run()
    fit = replace(run.facts.fit, callbacks=("EarlyStopping",))
    assert [one.severity for one in findings(replace(run, facts=replace(run.facts, fit=fit)))] == ["info"]


def test_recent_minimum_is_silent():
    assert findings(overfit_run([1.0, 0.9, 0.8, 0.75, 0.7, 0.65, 0.6, 0.7, 0.8, 0.9])) == []


def test_rise_of_less_than_five_percent_is_silent():
    assert findings(overfit_run([1.0, 0.9, 0.85, 0.8, 0.805, 0.81, 0.815, 0.82, 0.825, 0.83])) == []


def test_validation_loss_that_wanders_is_silent():
    assert findings(overfit_run([1.0, 0.9, 0.85, 0.8, 0.95, 0.85, 0.9, 0.88, 0.9, 0.86])) == []


def test_training_loss_that_rises_too_is_not_overfitting():
    assert findings(overfit_run(training=[1.0, 0.8, 0.6, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1])) == []


def test_healthy_run_is_silent():
    assert findings(with_metric(healthy_run(10), "val_loss", TRAINING)) == []


def test_run_without_validation_is_not_judged():
    with pytest.raises(NotJudged, match="validation_data"):
        findings(healthy_run(10))
