"""Tiny trainings and what they are put together from: layers, optimizers, a data source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import keras
import numpy as np
from keras import layers
from keras.optimizers import SGD, Adam

from deepdebug import Diagnose
from deepdebug.report.report import Report

Layer = Callable[[], Any]


@dataclass(frozen=True, eq=False)
class Program:
    """What `compile` and `fit` are given.

    Args:
        layers: The layers, made anew for each training.
        fit: Further arguments of `fit`.
        source: Makes a data source of x and y; `None` to pass the arrays.
        may_fail: Whether `fit` may raise on some backend, after the first look at the model.
    """

    layers: tuple[Layer, ...]
    x: Any
    y: Any
    loss: Any = "binary_crossentropy"
    optimizer: Callable[[], Any] = lambda: Adam(0.02)
    metrics: tuple[str, ...] = ()
    epochs: int = 14
    batch_size: int = 16
    fit: Mapping[str, Any] = field(default_factory=dict)
    source: Callable[[Any, Any], Any] | None = None
    may_fail: bool = False


@cache
def report_of(program: Program) -> Report:
    """Train the program under `Diagnose` and return the report."""
    keras.utils.set_random_seed(7)
    first = program.x
    model = keras.Sequential(
        [keras.Input(first.shape[1:], dtype=first.dtype.name), *[layer() for layer in program.layers]]
    )
    model.compile(program.optimizer(), program.loss, metrics=list(program.metrics))
    doctor = Diagnose(verbose=0)
    data = {"x": program.x, "y": program.y, "batch_size": program.batch_size}
    if program.source is not None:
        data = {"x": program.source(program.x, program.y)}
    try:
        model.fit(**data, epochs=program.epochs, callbacks=[doctor], verbose=0, **program.fit)
    except Exception:
        if not program.may_fail:
            raise
    return doctor.report


class Halves(keras.utils.PyDataset):
    """Batches of the first half of the rows in one epoch, of the second half in the next."""

    def __init__(self, x: Any, y: Any) -> None:
        super().__init__()
        self.halves, self.epoch = list(zip(np.split(x, 2), np.split(y, 2), strict=True)), 0

    def __len__(self) -> int:
        return 10

    def __getitem__(self, index: int) -> Any:
        x, y = self.halves[self.epoch % 2]
        return x[16 * index : 16 * (index + 1)], y[16 * index : 16 * (index + 1)]

    def on_epoch_end(self) -> None:
        self.epoch += 1


class StopGradient(layers.Layer):
    """Lets values pass and no gradient."""

    def call(self, inputs: Any) -> Any:
        return keras.ops.stop_gradient(inputs)


class SquareRoot(layers.Layer):
    """Takes the root of what is above 0; below, the root that is not used spoils the gradient of a careless `where`."""

    def __init__(self, is_careful: bool) -> None:
        super().__init__()
        self.is_careful = is_careful

    def call(self, inputs: Any) -> Any:
        safe = keras.ops.maximum(inputs, 1e-3) if self.is_careful else inputs
        return keras.ops.where(inputs > 0, keras.ops.power(safe, 0.5), 0.0)


class Doubled(layers.Layer):
    """Passes a sequence on, but not its mask."""

    def call(self, inputs: Any) -> Any:
        return 2 * inputs


def dense(units: int = 16, activation: str | None = "relu", **options: Any) -> Layer:
    return lambda: layers.Dense(units, activation, **options)


def lstm(**options: Any) -> Layer:
    return lambda: layers.LSTM(8, **options)


def embedding(rows: int) -> Layer:
    return lambda: layers.Embedding(rows, 8, mask_zero=True)


def sgd(rate: float, momentum: float = 0.0) -> Callable[[], Any]:
    return lambda: SGD(rate, momentum)


def adam(rate: float) -> Callable[[], Any]:
    return lambda: Adam(rate)


def leaping_rate() -> SGD:
    """Return an optimizer whose learning rate leaps after eight epochs."""
    return SGD(keras.optimizers.schedules.PiecewiseConstantDecay([8 * 20], [0.01, 1.1]))


def repeated(layer: Layer, times: int) -> tuple[Layer, ...]:
    return (layer,) * times


def batch_norm(momentum: float = 0.9) -> Layer:
    return lambda: layers.BatchNormalization(momentum=momentum)
