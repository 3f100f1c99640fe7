from dataclasses import replace

import pytest

from deepdebug.detectors.recurrent_config import RecurrentConfig
from deepdebug.detectors.shape_mismatch import ShapeMismatch
from deepdebug.errors import NotJudged
from deepdebug.facts import Facts
from deepdebug.observation import Run
from tests.detectors.static_runs import class_numbers, layer, numbers, one_hot, one_output
from tests.factory import change_variable, healthy_run, kernel

CATEGORICAL, SPARSE, MSE = "categorical_crossentropy", "sparse_categorical_crossentropy", "mean_squared_error"


def run_of(loss, labels, shape=(20, 3), kind="LSTM", activation="softmax", **config):
    """A recurrent layer and a dense layer on top of it."""
    run = one_output(activation, loss, labels, shape)
    returned = (shape[0], 16) if len(shape) > 1 else (16,)
    lstm = layer("lstm", kind, "recurrent", inputs=("input",), output_shape=returned, config=config)
    head = replace(run.facts.layers[-1], inputs=("lstm",))
    return replace(run, facts=replace(run.facts, layers=(lstm, head)))


def detect(*arguments, **config):
    return list(RecurrentConfig().detect(run_of(*arguments, **config)))


def test_all_steps_for_one_label_are_reported():
    (finding,) = detect(SPARSE, class_numbers(), return_sequences=True)
    assert finding.message == (
        "Layer 'lstm' returns all time steps, so output 'output' has 20 values per row where the labels have one"
    )
    assert (finding.layer, finding.severity, finding.value) == ("lstm", "warn", 20.0)


def test_one_hot_label_per_row_is_reported():
    assert len(detect(CATEGORICAL, one_hot(), return_sequences=True)) == 1


def test_wrapped_layer_is_known_by_its_shape():
    assert len(detect(SPARSE, class_numbers(), kind="Bidirectional")) == 1


def test_targets_that_are_repeated_over_time_are_an_error_under_this_code_alone():
    run = run_of(MSE, numbers(), (20, 1), activation="linear", return_sequences=True)
    assert [finding.severity for finding in RecurrentConfig().detect(run)] == ["error"]
    assert list(ShapeMismatch().detect(run)) == []


def test_label_per_time_step_is_silent():
    assert detect(SPARSE, class_numbers(shape=(20,)), return_sequences=True) == []


def test_one_hot_label_per_time_step_is_silent():
    assert detect(CATEGORICAL, one_hot(3, (20, 3)), return_sequences=True) == []


def test_label_per_step_of_sequences_of_any_length_is_silent():
    assert detect(SPARSE, class_numbers(shape=(20,)), (None, 3), return_sequences=True) == []


def test_last_step_only_is_silent():
    assert detect(SPARSE, class_numbers(), (3,), return_sequences=False) == []


def test_sequence_of_other_layers_is_silent():
    run = run_of(SPARSE, class_numbers(), return_sequences=True)
    conv = replace(run.facts.layers[0], kind="Conv1D", family="convolution")
    run = replace(run, facts=replace(run.facts, layers=(conv, run.facts.layers[1])))
    assert list(RecurrentConfig().detect(run)) == []


def test_custom_loss_is_not_judged():
    with pytest.raises(NotJudged, match="needs a loss of Keras"):
        detect("custom", class_numbers(), return_sequences=True)


def test_missing_labels_are_not_judged():
    with pytest.raises(NotJudged, match="needs the labels"):
        detect(SPARSE, None, return_sequences=True)


def test_model_that_could_not_be_read_is_not_judged():
    with pytest.raises(NotJudged, match="could not be read"):
        list(RecurrentConfig().detect(Run(Facts("model"))))


def test_model_without_recurrent_layers_is_silent():
    assert list(RecurrentConfig().detect(healthy_run())) == []


# ---- relu over time


def grown(radius, run=None, **epochs):
    """A run with a layer of relu whose recurrent kernel has this spectral radius."""
    run = run or run_of(SPARSE, class_numbers(), (3,), kind="SimpleRNN", return_sequences=False)
    weights = kernel("lstm", (16, 16), path="model/lstm/recurrent_kernel", role="recurrent_kernel")
    run = healthy_run(facts=replace(run.facts, variables=(weights,)), **epochs)
    return change_variable(run, weights.path, spectral_radius=radius)


def test_kernel_that_makes_the_state_grow_is_reported():
    (finding,) = RecurrentConfig().detect(grown(2.3456))
    assert finding.message == (
        "The recurrent kernel of layer 'lstm' has a spectral radius of 2.35, so that with relu the state can grow at "
        "every time step"
    )
    assert (finding.layer, finding.value, finding.threshold) == ("lstm", 2.3456, 1.5)
    assert (finding.severity, finding.confidence, finding.location, finding.epoch) == ("warn", "strong", "W", 4)
    assert finding.evidence == {"cause": "spectral_radius"}


def test_kernel_is_judged_before_the_first_update():
    assert [finding.epoch for finding in RecurrentConfig().detect(grown(1.6, epochs=0))] == [-1]


@pytest.mark.parametrize("radius", [1.5, None])
def test_kernel_up_to_the_threshold_is_silent(radius):
    assert list(RecurrentConfig().detect(grown(radius))) == []


def test_kernel_is_judged_without_labels():
    unlabelled = run_of(SPARSE, None, (3,), kind="SimpleRNN", return_sequences=False)
    assert len(list(RecurrentConfig().detect(grown(2.0, unlabelled)))) == 1
    with pytest.raises(NotJudged, match="needs the labels"):
        list(RecurrentConfig().detect(grown(1.0, unlabelled)))


def test_growing_state_and_repeated_label_are_both_reported():
    run = run_of(SPARSE, class_numbers(), kind="SimpleRNN", return_sequences=True)
    assert [finding.evidence.get("cause") for finding in RecurrentConfig().detect(grown(2.0, run))] == [
        "spectral_radius",
        None,
    ]
