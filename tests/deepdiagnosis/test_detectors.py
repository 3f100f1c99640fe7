import math
from dataclasses import replace

import pytest

from deepdebug.deepdiagnosis.backward import (
    NonFiniteGradient,
    NonFiniteWeights,
    UnchangedGradient,
    UnchangedWeights,
    VanishingGradient,
)
from deepdebug.deepdiagnosis.detectors import DETECTORS
from deepdebug.deepdiagnosis.forward import (
    DeadUnits,
    NonFiniteActivation,
    OutputRange,
    SaturatedUnits,
    UnchangedActivation,
)
from deepdebug.deepdiagnosis.metrics import AccuracyNotIncreasing, InvalidAccuracy, InvalidLoss, LossNotDecreasing
from deepdebug.detectors.registry import judge
from deepdebug.errors import NotJudged
from deepdebug.observation import EpochEnd, Run
from tests.diagnosis.cases import class_labels, data, facts_with
from tests.factory import change_layer, change_variable, classifier_facts, healthy_run, with_metric

CE = "categorical_crossentropy"


def cut(run: Run, epochs: int) -> Run:
    """The run as it was at the end of its n-th epoch."""
    return replace(run, observations=[seen for seen in run.observations if seen.epoch < epochs])


def changing(run: Run) -> Run:
    """A run in which every tensor differs from epoch to epoch."""
    seen = []
    for one in run.observations:
        step = 1 + 0.01 * (one.epoch + 1)
        layers = tuple(replace(layer, mean=layer.mean * step, rms=layer.rms * step) for layer in one.layers)
        variables = tuple(
            replace(variable, rms=variable.rms * step, gradient_rms=(variable.gradient_rms or 0) / step)
            for variable in one.variables
        )
        seen.append(replace(one, layers=layers, variables=variables))
    return replace(run, observations=seen)


def sees(detector, run: Run) -> list[str | None]:
    return [finding.layer for finding in detector.detect(run)]


def first_epoch(activation: str, loss: str, low: float, high: float, **seen) -> Run:
    label = class_labels(minimum=low, maximum=high)
    run = cut(healthy_run(1, facts_with(activation, loss, units=1, data=data(label=label))), 1)
    return change_layer(run, "head", **seen)


# ---- forward


def test_non_finite_output_is_a_numerical_error():
    run = change_layer(healthy_run(), "hidden", non_finite=0.1)
    (finding,) = NonFiniteActivation().detect(run)
    assert (finding.layer, finding.severity, finding.location) == ("hidden", "fatal", "FW")


def test_output_of_zeros_is_a_numerical_error_and_a_mean_of_zero_is_none():
    assert sees(NonFiniteActivation(), change_layer(healthy_run(), "hidden", minimum=0.0, maximum=0.0)) == ["hidden"]
    assert sees(NonFiniteActivation(), change_layer(healthy_run(), "hidden", mean=0.0, minimum=-1.0)) == []


@pytest.mark.parametrize(("share", "layers"), [(0.7, ["hidden"]), (0.69, [])])
def test_sparse_rectifier_is_dead_in_the_last_epoch(share, layers):
    run = change_layer(healthy_run(10), "hidden", zero_fraction=share)
    assert sees(DeadUnits(), run) == layers
    assert sees(DeadUnits(), cut(run, 9)) == []


def test_dead_units_are_not_judged_when_the_last_epoch_is_not_known():
    facts = classifier_facts()
    run = healthy_run(5, replace(facts, fit=replace(facts.fit, epochs=None)))
    with pytest.raises(NotJudged, match="last planned epoch"):
        sees(DeadUnits(), run)


@pytest.mark.parametrize(("share", "layers"), [(0.51, ["hidden"]), (0.5, [])])
def test_flat_layer_is_saturated_every_fifth_epoch(share, layers):
    run = change_layer(healthy_run(6, facts_with("softmax", CE, hidden="tanh")), "hidden", saturated_fraction=share)
    assert sees(SaturatedUnits(), cut(run, 5)) == layers
    assert sees(SaturatedUnits(), run) == []


def test_saturation_of_other_activations_is_passed_over():
    run = change_layer(
        healthy_run(5, facts_with("softmax", CE, hidden="hard_sigmoid")), "hidden", saturated_fraction=1.0
    )
    assert sees(SaturatedUnits(), run) == []


@pytest.mark.parametrize(
    ("head", "low", "high", "seen", "hits"),
    [
        (("sigmoid", "mean_squared_error"), 0.0, 1.0, {}, 0),
        (("sigmoid", "mean_squared_error"), 0.0, 1.01, {}, 1),
        (("tanh", "mean_squared_error"), -1.1, 1.0, {}, 1),
        (("relu", "mean_squared_error"), -0.1, 5.0, {}, 1),
        (("relu", CE), 0.0, 1.0, {}, 1),
        (("linear", CE), 0.0, 1.0, {}, 1),
        (("linear", "mean_squared_error"), 0.0, 1.0, {"minimum": 0.0, "maximum": 10.1}, 1),
        (("linear", "mean_squared_error"), 0.0, 1.0, {"minimum": 0.0, "maximum": 9.9}, 0),
        (("softmax", CE), 0.0, 5.0, {}, 0),
        (("gelu", "mean_squared_error"), -9.0, 9.0, {}, 0),
    ],
)
def test_output_is_held_against_the_labels(head, low, high, seen, hits):
    assert len(sees(OutputRange(), first_epoch(*head, low, high, **seen))) == hits


def test_output_is_judged_in_the_first_epoch_only():
    facts = facts_with("sigmoid", "mean_squared_error", units=1, data=data(label=class_labels(maximum=9.0)))
    assert sees(OutputRange(), healthy_run(2, facts)) == []


def test_output_without_labels_is_not_judged():
    with pytest.raises(NotJudged, match="labels"):
        sees(OutputRange(), healthy_run(1))


def test_layer_that_stands_still_is_unchanged_at_the_end_of_a_window_but_the_last_is_not_judged():
    still = {epochs: change_layer(healthy_run(epochs), "hidden", mean=0.4, rms=0.7) for epochs in (5, 6)}
    assert sees(UnchangedActivation(), still[5]) == ["hidden"]
    assert sees(UnchangedActivation(), still[6]) == []
    assert sees(UnchangedActivation(), change_layer(still[5], "hidden", only=(2,), mean=0.41)) == []
    assert sees(UnchangedActivation(), change_layer(healthy_run(5), "head", mean=0.4, rms=0.7)) == []


def test_reshaping_layer_cannot_be_unchanged():
    facts = classifier_facts()
    flat = replace(facts.layers[0], kind="Flatten", family="reshape")
    run = healthy_run(5, replace(facts, layers=(flat, facts.layers[1])))
    assert sees(UnchangedActivation(), change_layer(run, "hidden", mean=0.4, rms=0.7)) == []


# ---- metrics


@pytest.mark.parametrize(("loss", "hits"), [(math.nan, 1), (math.inf, 1), (5.0, 0), (-5.0, 0)])
def test_loss_that_is_not_finite_is_invalid(loss, hits):
    assert len(sees(InvalidLoss(), with_metric(healthy_run(), "loss", [1.0, loss]))) == hits


@pytest.mark.parametrize(
    ("losses", "hits"),
    [
        ([2.0] * 5, 1),
        ([1.0, 1.1, 1.2, 1.3, 1.4], 1),
        ([2.0, 2.0, 1.9, 2.0, 2.0], 0),
        ([2.0] * 4, 0),
        ([2.0] * 6, 0),
        ([3.0, *[2.0] * 9], 1),
    ],
)
def test_loss_that_falls_nowhere_in_a_window_is_not_decreasing(losses, hits):
    assert len(sees(LossNotDecreasing(), cut(with_metric(healthy_run(10), "loss", losses), len(losses)))) == hits


@pytest.mark.parametrize(("accuracy", "hits"), [(0.0, 1), (math.nan, 1), (0.01, 0)])
def test_accuracy_of_zero_is_invalid(accuracy, hits):
    assert len(sees(InvalidAccuracy(), with_metric(healthy_run(), "accuracy", [0.5, accuracy]))) == hits


@pytest.mark.parametrize(("values", "hits"), [([1.0] * 20, 1), ([1.0] * 19, 0), ([*[0.5] * 19, 0.6], 0)])
def test_accuracy_that_never_rises_in_twenty_epochs_is_not_increasing(values, hits):
    run = with_metric(healthy_run(), "accuracy", values)
    assert len(sees(AccuracyNotIncreasing(), run)) == hits


# ---- backward


def test_poisoned_gradient_and_weights_are_numerical_errors():
    path = "model/head/kernel"
    assert sees(NonFiniteGradient(), change_variable(healthy_run(), path, gradient_non_finite=0.5)) == ["head"]
    assert sees(NonFiniteGradient(), change_variable(healthy_run(), path, gradient_rms=0.0)) == ["head"]
    assert sees(NonFiniteWeights(), change_variable(healthy_run(), path, non_finite=0.5)) == ["head"]
    assert sees(NonFiniteWeights(), change_variable(healthy_run(), path, rms=0.0)) == ["head"]
    assert sees(NonFiniteWeights(), healthy_run()) == sees(NonFiniteGradient(), healthy_run()) == []


@pytest.mark.parametrize(("size", "layers"), [(0.99e-7, ["hidden"]), (1.01e-7, [])])
def test_gradient_below_the_published_bound_vanishes(size, layers):
    assert sees(VanishingGradient(), change_variable(healthy_run(), "model/hidden/kernel", gradient_rms=size)) == layers


def test_weights_and_gradients_that_stand_still_are_unchanged_from_the_last_layer_to_the_first():
    assert sees(UnchangedWeights(), healthy_run(5)) == ["head", "hidden"]
    assert sees(UnchangedGradient(), healthy_run(5)) == ["head", "hidden"]
    assert (
        sees(UnchangedWeights(), changing(healthy_run(5))) == sees(UnchangedGradient(), changing(healthy_run(5))) == []
    )
    assert sees(UnchangedWeights(), healthy_run(4)) == []


def test_recurrent_layers_are_left_out():
    facts = classifier_facts()
    recurrent = replace(facts.layers[0], kind="LSTM", family="recurrent")
    run = healthy_run(5, replace(facts, layers=(recurrent, facts.layers[1])))
    assert sees(UnchangedWeights(), run) == ["head"]


# ---- short epochs, after which the model was not always observed


def passed_by(run: Run, epoch: int) -> Run:
    """The run without its observation at the end of an epoch, of which only the metrics are known."""
    gone = next(one for one in run.epoch_observations if one.epoch == epoch)
    left = [one for one in run.observations if one is not gone]
    return replace(run, observations=left, passed=[EpochEnd(epoch, gone.step, gone.metrics, gone.learning_rate)])


def test_windows_of_metrics_go_by_every_epoch():
    run = with_metric(healthy_run(5), "loss", [2.0] * 5)
    assert sees(LossNotDecreasing(), passed_by(run, 2)) == sees(LossNotDecreasing(), run) == [None]


@pytest.mark.parametrize("detector", [UnchangedActivation(), UnchangedWeights(), UnchangedGradient()])
def test_windows_of_the_model_need_every_epoch(detector):
    with pytest.raises(
        NotJudged, match=r'not observed after every epoch; record with `Diagnose\(check_freq="epoch"\)`'
    ):
        sees(detector, passed_by(healthy_run(5), 2))
    assert sees(detector, passed_by(healthy_run(6), 2)) == []  # no window ends there


# ---- all


def test_run_that_changes_and_improves_is_silent():
    facts = facts_with("softmax", CE)
    for epochs in range(1, 11):
        verdict = judge(changing(healthy_run(epochs, facts)), [rule() for rule in DETECTORS])
        assert verdict.findings == ()
        assert len(verdict.judged) == len(DETECTORS)


@pytest.mark.parametrize("rule", DETECTORS, ids=lambda rule: rule.__name__)
def test_nothing_is_judged_before_training_or_without_data(rule):
    with pytest.raises(NotJudged):
        list(rule().detect(cut(healthy_run(), 0)))
    bare = replace(healthy_run(5).latest, rows=0, layers=(), variables=(), metrics={})
    with pytest.raises(NotJudged):
        list(rule().detect(Run(classifier_facts(), [replace(bare, epoch=epoch) for epoch in range(5)])))
