from dataclasses import replace

import pytest

from deepdebug.detectors.batch_size import BatchSize
from deepdebug.errors import NotJudged
from deepdebug.facts import FitFacts
from tests.detectors.static_runs import layer, with_layers
from tests.factory import dense, healthy_run

HEAD = dense("head", 3, "softmax")
BATCH_NORM = layer("norm", "BatchNormalization", "normalization")
FEW = FitFacts("arrays", rows=1000, batch_size=256, steps_per_epoch=4, epochs=20)


def detect(fit, *layers):
    return list(BatchSize().detect(with_layers(*layers, HEAD, fit=fit)))


def test_few_updates_per_epoch_are_mentioned():
    (finding,) = detect(FEW)
    assert finding.message == "Batches of 256 rows give 4 updates per epoch"
    assert (finding.severity, finding.value, finding.threshold) == ("info", 4.0, 5.0)


def test_batch_of_most_rows_is_mentioned():
    (finding,) = detect(replace(FEW, batch_size=501, steps_per_epoch=2))
    assert finding.message == "A batch of 501 holds over 50% of the 1000 training rows"


def test_five_updates_are_silent():
    assert detect(replace(FEW, batch_size=200, steps_per_epoch=5)) == []


def test_few_updates_in_many_epochs_are_silent():
    assert detect(replace(FEW, epochs=250)) == []


def test_three_rows_for_batch_normalisation_are_mentioned():
    (finding,) = detect(replace(FEW, batch_size=3, steps_per_epoch=334), BATCH_NORM)
    assert finding.message == "Batches of 3 rows give batch normalisation a noisy mean and variance"


def test_frozen_batch_normalisation_is_silent():
    assert detect(replace(FEW, batch_size=3, steps_per_epoch=334), replace(BATCH_NORM, trainable=False)) == []


def test_unknown_batch_size_is_not_judged():
    with pytest.raises(NotJudged, match="needs the batch size"):
        detect(FitFacts("generator"))


def test_healthy_run_is_silent():
    assert list(BatchSize().detect(healthy_run())) == []
