from dataclasses import replace

import pytest

from deepdebug.detectors.batch_norm_config import BatchNormConfig
from deepdebug.errors import NotJudged
from deepdebug.facts import Facts, FitFacts
from deepdebug.observation import Run
from tests.detectors.static_runs import layer, with_layers
from tests.factory import dense, healthy_run

HEAD = dense("head", 3, "softmax")
OF_VECTORS = layer("norm", "BatchNormalization", "normalization", input_shape=(8,))
OF_IMAGES = replace(OF_VECTORS, input_shape=(16, 16, 8))
FIT = FitFacts("arrays", rows=1000, batch_size=32, steps_per_epoch=32, epochs=10)


def detect(fit, *layers):
    return list(BatchNormConfig().detect(with_layers(dense("hidden", activation="linear"), *layers, HEAD, fit=fit)))


def test_batches_of_one_row_are_an_error():
    (finding,) = detect(replace(FIT, batch_size=1), OF_VECTORS)
    assert finding.message == "Layer 'norm' normalises over batches of one row, which makes its output 0 for every row"
    assert (finding.severity, finding.confidence) == ("error", "certain")


def test_batches_of_one_image_are_mentioned_only():
    assert [finding.severity for finding in detect(replace(FIT, batch_size=1), OF_IMAGES)] == ["info"]


def test_batches_of_two_rows_are_silent():
    assert detect(replace(FIT, batch_size=2), OF_VECTORS) == []


def test_last_batch_of_one_row_among_few_is_a_warning():
    (finding,) = detect(replace(FIT, rows=129), OF_VECTORS)
    assert finding.message == "Layer 'norm' gets one row in the last of the batches of 32 rows"
    assert finding.severity == "warn"


def test_last_batch_of_one_row_among_many_is_mentioned_only():
    assert [finding.severity for finding in detect(replace(FIT, rows=993), OF_VECTORS)] == ["info"]


def test_last_batch_of_a_data_source_that_may_drop_it_is_silent():
    assert detect(replace(FIT, rows=129, source="tf.data"), OF_VECTORS) == []


def test_last_batch_of_two_rows_is_silent():
    assert detect(replace(FIT, rows=130), OF_VECTORS) == []


def test_frozen_batch_normalisation_is_silent():
    assert detect(replace(FIT, batch_size=1), replace(OF_VECTORS, trainable=False)) == []


def test_dropout_directly_before_is_mentioned():
    drop = layer("drop", "Dropout", "dropout", config={"rate": 0.3})
    (finding,) = detect(FIT, drop, OF_VECTORS)
    assert finding.message == "Layer 'norm' normalises the output of dropout 'drop'"
    assert finding.severity == "info"


def test_dropout_behind_is_silent():
    assert detect(FIT, OF_VECTORS, layer("drop", "Dropout", "dropout", config={"rate": 0.3})) == []


def test_model_that_could_not_be_read_is_not_judged():
    with pytest.raises(NotJudged, match="could not be read"):
        list(BatchNormConfig().detect(Run(Facts("model"))))


def test_healthy_run_is_silent():
    assert list(BatchNormConfig().detect(healthy_run())) == []
