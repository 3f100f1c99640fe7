from dataclasses import replace

import pytest

from deepdebug.detectors.initial_loss import InitialLoss
from deepdebug.errors import NotJudged
from deepdebug.facts import LossFacts, OutputFacts
from tests.factory import change_output, classifier_facts, dense, healthy_run

LN3 = 1.0986


def findings(run):
    return list(InitialLoss().detect(run))


def started(kind: str, loss: float, activation: str = "linear", from_logits: bool | None = None, **changes):
    output = OutputFacts("output", "head", activation, "head", (3,), LossFacts(kind, kind, from_logits=from_logits))
    run = change_output(healthy_run(3, classifier_facts(outputs=(output,))), only=(-1,), loss=loss, **changes)
    first, *later = run.observations
    return replace(run, observations=[replace(first, loss=loss, penalty=None), *later])


def test_crossentropy_far_above_that_of_guessing_is_a_warning():
    (finding,) = findings(started("categorical_crossentropy", 3.01 * LN3, "softmax"))
    assert (finding.severity, finding.layer, finding.epoch, finding.step) == ("warn", "head", -1, 0)
    assert "is 3.31" in finding.message


def test_crossentropy_just_below_is_silent():
    assert findings(started("categorical_crossentropy", 2.99 * LN3, "softmax")) == []


def test_binary_crossentropy_counts_two_classes_whatever_the_width():
    assert len(findings(started("binary_crossentropy", 2.2, "sigmoid"))) == 1


@pytest.mark.parametrize(
    ("kind", "factor", "count"),
    [
        ("mean_squared_error", 101, 1),
        ("mean_squared_error", 99, 0),
        ("mean_absolute_error", 11, 1),
        ("mean_absolute_error", 9, 0),
        ("poisson", 1000, 0),
    ],
)
def test_regression_is_held_against_the_best_constant(kind, factor, count):
    assert len(findings(started(kind, factor * 4.0, constant_loss=4.0))) == count


def test_loss_as_trained_counts_where_keras_computes_it_otherwise():
    run = started("categorical_crossentropy", 9 * LN3, "softmax")
    first, *later = run.observations
    run = replace(run, observations=[replace(first, loss=LN3 + 5.0, penalty=5.0), *later])
    assert findings(run) == []


def test_large_logits_are_a_warning():
    run = started("categorical_crossentropy", 1.0, from_logits=True, mean_abs=12.0)
    assert [finding.severity for finding in findings(run)] == ["warn"]


def test_large_outputs_of_a_regression_are_not_logits():
    assert findings(started("mean_squared_error", 1.0, mean_abs=12.0)) == []


def test_frozen_base_makes_it_advice():
    run = started("categorical_crossentropy", 5.0, "softmax")
    layers = (replace(dense("base"), trainable=False), *run.facts.layers)
    assert [one.severity for one in findings(replace(run, facts=replace(run.facts, layers=layers)))] == ["info"]


def test_healthy_start_is_silent():
    assert findings(healthy_run(3)) == []


def test_run_without_a_probe_at_the_start_is_not_judged():
    run = healthy_run(3)
    with pytest.raises(NotJudged, match="before training"):
        findings(replace(run, observations=run.observations[1:]))


def test_custom_loss_is_not_judged():
    with pytest.raises(NotJudged, match="Keras loss"):
        findings(change_output(healthy_run(3), loss=None))


def test_regression_without_a_best_constant_is_silent():
    assert findings(started("mean_squared_error", 1e6, constant_loss=None)) == []
