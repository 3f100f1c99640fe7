"""The smallest training that can be watched, for tests of the callback."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from deepdebug.callback import Diagnose

ROWS, BATCH = 32, 8
X = np.random.RandomState(0).normal(size=(ROWS, 4)).astype("float32")
Y = np.random.RandomState(1).randint(0, 2, ROWS)
EPOCHS = 2


def tiny_model(activation: str = "sigmoid", loss: str = "binary_crossentropy") -> keras.Model:
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3, "tanh"), keras.layers.Dense(1, activation)], name="tiny"
    )
    model.compile("sgd", loss)
    return model


def fit(*callbacks: keras.callbacks.Callback, model: keras.Model | None = None, **named: Any) -> keras.Model:
    model = model or tiny_model()
    arguments = {"x": X, "y": Y, "batch_size": BATCH, "epochs": EPOCHS, "verbose": 0, **named}
    model.fit(callbacks=list(callbacks), **arguments)
    return model


def weights(model: keras.Model) -> list[bytes]:
    return [np.asarray(weight).tobytes() for weight in model.get_weights()]


def watched_fit(doctor: Diagnose | None = None, **named: Any) -> Diagnose:
    doctor = doctor or Diagnose(verbose=0)
    fit(doctor, **named)
    return doctor


def skipped(doctor: Diagnose) -> dict[str, str]:
    """The parts that were left out, without the checks that lacked data."""
    return {one.check: one.reason for one in doctor.report.skipped if not one.check.startswith("DD")}


class Batches(keras.utils.PyDataset):
    """The rows as batches that cannot be indexed by row."""

    def __len__(self) -> int:
        return ROWS // BATCH

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        rows = slice(index * BATCH, (index + 1) * BATCH)
        return X[rows], Y[rows]


def endless_batches() -> Iterator[tuple[Any, Any]]:
    batches = Batches()
    while True:
        yield from (batches[index] for index in range(len(batches)))


class Interrupting(keras.callbacks.Callback):
    """Presses Ctrl-C at the end of an epoch."""

    def __init__(self, epoch: int = 0) -> None:
        super().__init__()
        self.at = epoch

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if epoch == self.at:
            raise KeyboardInterrupt
