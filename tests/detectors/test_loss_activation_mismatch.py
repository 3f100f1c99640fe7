from dataclasses import replace

import pytest

from deepdebug.detectors.loss_activation_mismatch import LossActivationMismatch
from deepdebug.errors import NotJudged
from deepdebug.facts import FitFacts
from tests.detectors.static_runs import class_numbers, layer, multi_hot, one_hot, one_output
from tests.factory import healthy_run


def test_raw_numbers_are_reported_with_the_activation_they_need():
    (finding,) = LossActivationMismatch().detect(one_output("linear", "sparse_categorical_crossentropy"))
    assert finding.message == (
        "Layer 'head' (linear) gives raw numbers to sparse_categorical_crossentropy, which takes probabilities: "
        "use softmax"
    )
    assert (finding.layer, finding.severity, finding.confidence) == ("head", "error", "certain")


def test_labels_decide_what_a_softmax_with_binary_loss_is_to_become():
    exclusive = one_output("softmax", "binary_crossentropy", one_hot())
    several = one_output("softmax", "binary_crossentropy", multi_hot())
    messages = [next(iter(LossActivationMismatch().detect(run))).message for run in (exclusive, several)]
    assert [message.rpartition(" ")[2] for message in messages] == ["categorical_crossentropy", "sigmoid"]


def test_softmax_cannot_come_near_rows_of_several_labels_whatever_the_loss():
    (finding,) = LossActivationMismatch().detect(one_output("softmax", "mean_squared_error", multi_hot()))
    assert finding.severity == "error"
    assert finding.message.endswith(
        "rows that sum to 1 for several labels per row: use sigmoid and binary_crossentropy"
    )
    for activation, labels in (("softmax", one_hot()), ("sigmoid", multi_hot()), ("softmax", None)):
        assert list(LossActivationMismatch().detect(one_output(activation, "mean_squared_error", labels))) == []


def test_unknown_activation_is_not_judged():
    with pytest.raises(NotJudged, match="could not be recognised"):
        list(LossActivationMismatch().detect(one_output("unknown", "categorical_crossentropy")))


def test_average_of_several_heads_is_not_judged():
    run = one_output("linear", "categorical_crossentropy", one_hot())
    merged = layer("head", "Average", "merge", inputs=("hidden",))
    run = replace(run, facts=replace(run.facts, layers=(run.facts.layers[0], merged)))
    with pytest.raises(NotJudged, match="could not be recognised"):
        list(LossActivationMismatch().detect(run))


def test_custom_loss_is_not_judged():
    with pytest.raises(NotJudged, match="'custom' is not one"):
        list(LossActivationMismatch().detect(one_output("softmax", "custom")))


def test_model_without_a_loss_is_not_judged():
    with pytest.raises(NotJudged, match="none was compiled"):
        list(LossActivationMismatch().detect(one_output("softmax", "none")))


def test_training_step_of_the_users_own_is_not_judged():
    run = one_output("linear", "categorical_crossentropy", one_hot())
    run = replace(run, facts=replace(run.facts, fit=FitFacts(custom_train_step=True)))
    with pytest.raises(NotJudged, match="train_step"):
        list(LossActivationMismatch().detect(run))


def test_second_output_is_judged_beside_an_unknown_one():
    run = one_output("linear", "binary_crossentropy", class_numbers(2), (1,))
    unknown = replace(run.facts.outputs[0], name="other", activation="unknown")
    run = replace(run, facts=replace(run.facts, outputs=(unknown, *run.facts.outputs)))
    assert len(list(LossActivationMismatch().detect(run))) == 1


def test_healthy_run_is_silent():
    assert list(LossActivationMismatch().detect(healthy_run())) == []
