from dataclasses import replace

import pytest

from deepdebug.detectors.invalid_loss import InvalidLoss
from deepdebug.errors import NotJudged
from deepdebug.facts import DataFacts, LabelFacts, LossFacts, OutputFacts
from deepdebug.observation import Observation, Run
from tests.factory import classifier_facts, healthy_run, with_metric

LOSSES = [1.0, 0.8, 0.6]


def facts_with(kind: str, data: DataFacts | None = None):
    output = OutputFacts("output", "head", "sigmoid", "head", (1,), LossFacts(kind, kind))
    return classifier_facts(outputs=(output,), data=data)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_loss_that_is_not_finite_is_fatal(value):
    (finding,) = InvalidLoss().detect(with_metric(healthy_run(3), "loss", [1.0, 0.8, value]))
    assert (finding.severity, finding.location, finding.step) == ("fatal", "M", 300)
    assert finding.evidence["last_finite_loss"] == 0.8
    assert finding.message == f"The training loss is {value} after 300 updates"


def test_alarm_inside_an_epoch_is_reported_at_once():
    run = healthy_run(1)
    alarm = Observation(epoch=1, step=130, trigger="alarm", metrics={"loss": float("nan")}, learning_rate=0.1)
    (finding,) = InvalidLoss().detect(replace(run, observations=[*run.observations, alarm]))
    assert (finding.severity, finding.step, finding.evidence["learning_rate"]) == ("fatal", 130, 0.1)


def test_probe_loss_that_is_not_finite_is_fatal_even_before_training():
    run = healthy_run(0)
    run = replace(run, observations=[replace(run.observations[0], loss=float("inf"))])
    (finding,) = InvalidLoss().detect(run)
    assert (finding.severity, finding.epoch) == ("fatal", -1)


def test_only_a_broken_validation_loss_is_an_error():
    (finding,) = InvalidLoss().detect(with_metric(healthy_run(3), "val_loss", [1.0, 1.0, float("nan")]))
    assert finding.severity == "error"
    assert "validation loss" in finding.message


def test_negative_binary_crossentropy_is_an_error_that_names_the_labels():
    labels = LabelFacts("output", (1,), "int64", 100, minimum=1.0, maximum=2.0)
    facts = facts_with("binary_crossentropy", DataFacts(100, True, labels=(labels,)))
    (finding,) = InvalidLoss().detect(with_metric(healthy_run(3, facts), "loss", [0.5, -1.0, -12.345]))
    assert (finding.severity, finding.value) == ("error", -12.345)
    assert "-12.3, which binary_crossentropy cannot be" in finding.message
    assert "between 1 and 2" in finding.message


@pytest.mark.parametrize("kind", ["custom", "poisson", "kl_divergence", "cosine_similarity"])
def test_losses_that_may_be_negative_are_not_judged_by_sign(kind):
    run = with_metric(healthy_run(3, facts_with(kind)), "loss", [0.5, -1.0, -2.0])
    assert list(InvalidLoss().detect(run)) == []


def test_rounding_below_zero_is_accepted():
    run = with_metric(healthy_run(3, facts_with("log_cosh")), "loss", [0.5, 0.1, -1e-6])
    assert list(InvalidLoss().detect(run)) == []


def test_healthy_run_is_silent():
    assert list(InvalidLoss().detect(healthy_run(5))) == []


def test_no_loss_at_all_is_not_judged():
    with pytest.raises(NotJudged, match="loss in the logs"):
        list(InvalidLoss().detect(Run(classifier_facts(), [Observation(epoch=-1, step=0, trigger="begin")])))
