from dataclasses import replace

import pytest

from deepdebug.detectors.dropout_rate import DropoutRate
from deepdebug.errors import NotJudged
from deepdebug.facts import Facts, LossFacts
from deepdebug.observation import Run
from tests.detectors.static_runs import layer, with_layers
from tests.factory import dense, healthy_run

HEAD = dense("head", 3, "softmax")
BATCH_NORM = layer("norm", "BatchNormalization", "normalization")
RELU = layer("relu", "ReLU", "activation", activation="relu")
SOFTMAX = layer("softmax", "Softmax", "activation", activation="softmax")
POOLING = layer("pool", "GlobalAveragePooling2D", "pooling")
CONV = layer("conv", "Conv2D", "convolution")


def dropout(rate=0.5):
    return layer("drop", "Dropout", "dropout", config={"rate": rate})


def detect(*layers):
    return list(DropoutRate().detect(with_layers(*layers)))


def test_high_rate_is_reported():
    (finding,) = detect(dense("hidden"), dropout(0.8), HEAD)
    assert finding.message == "Layer 'drop' drops 80% of its inputs in training"
    assert (finding.severity, finding.value, finding.threshold) == ("warn", 0.8, 0.6)


def test_rate_at_the_threshold_is_silent():
    assert detect(dense("hidden"), dropout(0.6), HEAD) == []


def test_recurrent_dropout_counts():
    lstm = layer("lstm", "LSTM", "recurrent", config={"dropout": 0.1, "recurrent_dropout": 0.9})
    assert [finding.value for finding in detect(lstm, HEAD)] == [0.9]


def test_dropout_behind_the_output_is_reported():
    (finding,) = detect(dense("hidden"), HEAD, dropout(0.2))
    assert finding.message == "Layer 'drop' applies dropout behind the output layer, to the predictions themselves"
    assert finding.severity == "warn"


def test_dropout_of_logits_is_reported():
    assert len(detect(dense("hidden"), dense("head", 3, "linear"), dropout(0.2), SOFTMAX)) == 1


def test_batch_normalisation_behind_the_output_is_reported():
    (finding,) = detect(dense("hidden"), HEAD, BATCH_NORM)
    assert "batch normalisation behind the output layer" in finding.message


def test_batch_normalisation_of_logits_is_silent():
    assert detect(dense("hidden"), dense("head", 3, "linear"), BATCH_NORM, SOFTMAX) == []


def test_convolutional_head_is_silent():
    assert detect(CONV, BATCH_NORM, RELU, dropout(0.2), POOLING, SOFTMAX) == []


def test_dropout_at_the_end_of_a_residual_block_is_silent():
    add = layer("add", "Add", "merge", inputs=("hidden", "drop"))
    assert detect(dense("hidden"), dropout(0.2), add) == []


def test_dropout_that_drops_nothing_is_silent():
    assert detect(dense("hidden"), HEAD, dropout(0.0)) == []


def test_features_for_a_custom_loss_may_end_in_batch_normalisation():
    run = with_layers(dense("hidden"), HEAD, BATCH_NORM)
    outputs = (replace(run.facts.outputs[0], loss=LossFacts("custom", "triplet")),)
    assert list(DropoutRate().detect(replace(run, facts=replace(run.facts, outputs=outputs)))) == []


def test_late_dropout_needs_a_known_data_flow():
    run = with_layers(dense("hidden"), HEAD, dropout(0.2))
    layers = tuple(replace(one, inputs=None) for one in run.facts.layers)
    assert list(DropoutRate().detect(replace(run, facts=replace(run.facts, layers=layers)))) == []


def test_model_that_could_not_be_read_is_not_judged():
    with pytest.raises(NotJudged, match="could not be read"):
        list(DropoutRate().detect(Run(Facts("model"))))


def test_healthy_run_is_silent():
    assert list(DropoutRate().detect(healthy_run())) == []
