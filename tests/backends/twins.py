"""Pairs of tiny trainings: one that shows a symptom, and the same program repaired.

Every entry names only what differs from `SOUND`, a training in which nothing is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import keras
import numpy as np
from keras import layers
from keras.initializers import Constant, RandomNormal
from keras.optimizers import SGD, Adam
from keras.regularizers import L2

from deepdebug import Diagnose
from deepdebug.report.report import Report

Layer = Callable[[], Any]
ROWS = 320
DRAW = np.random.RandomState(0)
X = DRAW.normal(size=(ROWS, 4)).astype("float32")
Y = (X[:, 0] * X[:, 1] + 0.1 * DRAW.normal(size=ROWS) > 0).astype("float32")
TARGETS = (X[:, 0] * X[:, 1] + 0.5 * X[:, 2]).astype("float32")
WORDS = DRAW.randint(1, 20, (ROWS, 6)) * (np.arange(6) < DRAW.randint(3, 7, (ROWS, 1)))
SEQUENCES = DRAW.normal(size=(ROWS, 6, 2)).astype("float32")
SUMS = SEQUENCES.sum(axis=(1, 2)) / 3
MANY = DRAW.normal(size=(1500, 4)).astype("float32")
RARE = (MANY[:, 0] + 1.5 * DRAW.normal(size=1500) > 2.5).astype("float32")
PLAIN = (X @ np.array([1.0, -0.5, 0.25, 0.0]) + 0.3 * DRAW.normal(size=ROWS)).astype("float32")
COPIED = (X[:, [0, 1, 0, 0]] + 0.1 * DRAW.normal(size=X.shape)).astype("float32")
NOISE = DRAW.normal(size=ROWS)
NOISY = (PLAIN + NOISE).astype("float32")
BY_CLASS, BY_FEATURE, BY_NOISE = (np.argsort(key, kind="stable") for key in (Y, X[:, 0], np.abs(NOISE)))


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


@dataclass(frozen=True, eq=False)
class Twin:
    """A symptom.

    Args:
        code: Its code.
        sick: Shows it.
        mended: Does not.
        actions: The actions that make sense against the fault of `sick`.
        impossible: Backends on which the symptom cannot occur, each with the reason.
    """

    code: str
    sick: Program
    mended: Program
    actions: tuple[str, ...]
    impossible: Mapping[str, str] = field(default_factory=dict)


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
    """Passes a sequence on, with or without its mask."""

    def __init__(self, keeps_mask: bool) -> None:
        super().__init__()
        self.supports_masking = keeps_mask

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        return previous_mask if self.supports_masking else None

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


SIGMOID, LINEAR = dense(1, "sigmoid"), dense(1, None)
SOUND = Program((dense(), SIGMOID), X, Y)
REGRESSION = replace(SOUND, layers=(dense(), LINEAR), y=TARGETS, loss="mean_squared_error")
SHORT = replace(SOUND, epochs=2)
SHORT_REGRESSION = replace(REGRESSION, epochs=2)
DEAD = replace(SOUND, layers=(dense(bias_initializer=Constant(-50.0)), SIGMOID))
DEEP = replace(SOUND, layers=(*repeated(dense(16, kernel_initializer="he_normal"), 8), SIGMOID), optimizer=sgd(0.05))
DIVERGED = replace(REGRESSION, optimizer=sgd(1e20), epochs=3)
CUT_OFF = replace(SOUND, layers=(dense(), StopGradient, SIGMOID))
READING = Program((embedding(20), lstm(), SIGMOID), WORDS, (WORDS[:, 0] > 9).astype("float32"), epochs=2)
COUNTING = Program((lstm(), LINEAR), SEQUENCES, SUMS, "mean_squared_error", epochs=2)
RARELY = replace(SOUND, x=MANY, y=RARE, epochs=4, batch_size=32)
NORMALISED = replace(SOUND, x=COPIED, y=(X[:, 1] > 0).astype("float32"), layers=(batch_norm(), dense(), SIGMOID))
LINE = replace(REGRESSION, layers=(LINEAR,), y=PLAIN, optimizer=sgd(0.01))
EXACT = replace(LINE, y=X[:, 0], optimizer=sgd(0.05), epochs=5)
LEAPING = replace(LINE, optimizer=leaping_rate, epochs=11)


def at_rate(program: Program, rate: float) -> Program:
    return replace(program, optimizer=adam(rate))


TWINS = (
    Twin("DD101", DEAD, SOUND, ("MSG4", "MSG2")),
    Twin(
        "DD102",
        replace(SOUND, layers=(dense(16, "tanh", kernel_initializer=RandomNormal(stddev=30.0)), SIGMOID)),
        replace(SOUND, layers=(dense(16, "tanh"), SIGMOID)),
        ("MSG4",),
    ),
    Twin(
        "DD103",
        replace(SHORT, layers=(dense(16, "exponential", kernel_initializer=RandomNormal(stddev=100.0)), SIGMOID), may_fail=True),
        replace(SHORT, layers=(dense(16, "exponential"), SIGMOID)),
        ("MSG4", "MSG2"),
    ),
    Twin("DD104", replace(SHORT_REGRESSION, layers=(dense(), SIGMOID)), SHORT_REGRESSION, ("MSG2",)),
    Twin("DD105", DEAD, SOUND, ("MSG4", "MSG2")),
    Twin("DD106", DEAD, SOUND, ("MSG4", "MSG2")),
    Twin("DD107", at_rate(SOUND, 1e-12), SOUND, ("MSG3",)),
    Twin("DD201", DIVERGED, REGRESSION, ("MSG3",)),
    Twin(
        "DD202",
        replace(SHORT, layers=(dense(16, None), lambda: SquareRoot(False), SIGMOID)),
        replace(SHORT, layers=(dense(16, None), lambda: SquareRoot(True), SIGMOID)),
        ("MSG2",),
    ),
    Twin("DD203", CUT_OFF, SOUND, ("CONNECT",)),
    Twin("DD204", CUT_OFF, SOUND, ("CONNECT",)),
    Twin("DD205", replace(DEEP, layers=(*repeated(dense(16, "sigmoid"), 8), SIGMOID)), DEEP, ("MSG2", "MSG5")),
    Twin("DD206", LEAPING, LINE, ("MSG3",)),
    Twin("DD207", replace(SOUND, optimizer=sgd(30.0)), SOUND, ("MSG3",)),
    Twin("DD208", at_rate(SOUND, 1e-7), SOUND, ("MSG3",)),
    Twin("DD209", replace(SOUND, layers=(dense(kernel_initializer="ones"), SIGMOID)), SOUND, ("MSG4",)),
    Twin(
        "DD210",
        replace(SHORT, layers=(dense(kernel_initializer=RandomNormal(stddev=20.0)), SIGMOID)),
        SHORT,
        ("MSG4",),
    ),
    Twin(
        "DD211",
        replace(NORMALISED, x=COPIED[BY_FEATURE], y=NORMALISED.y[BY_FEATURE], fit={"shuffle": False}),
        NORMALISED,
        ("STRUCTURE",),
    ),
    Twin("DD301", DIVERGED, REGRESSION, ("MSG3",)),
    Twin(
        "DD302",
        replace(SHORT_REGRESSION, metrics=("accuracy",)),
        replace(SHORT_REGRESSION, metrics=("mae",)),
        ("TRAIN", "LABELS"),
    ),
    Twin("DD303", DEAD, SOUND, ("MSG4", "MSG2")),
    Twin("DD304", DEAD, SOUND, ("MSG4", "MSG2")),
    Twin("DD305", LEAPING, LINE, ("MSG3",)),
    Twin("DD306", replace(LINE, x=X[BY_NOISE], y=NOISY[BY_NOISE], source=Halves, epochs=20), replace(LINE, y=NOISY), ("MSG3",)),
    Twin(
        "DD307",
        replace(SOUND, layers=(dense(64), dense(64), SIGMOID), x=X[:80], y=np.roll(Y, 40)[:80], epochs=20,
                fit={"validation_data": (X[80:], Y[80:])}),
        replace(SOUND, fit={"validation_split": 0.25}),
        ("REGULARISE",),
    ),
    Twin("DD308", replace(LINE, optimizer=sgd(0.002)), LINE, ("TRAIN", "MSG3")),
    Twin(
        "DD309",
        replace(SHORT, layers=(dense(), dense(1, "sigmoid", kernel_initializer=RandomNormal(stddev=20.0)))),
        SHORT,
        ("MSG4",),
    ),
    Twin("DD310", replace(SOUND, layers=(SIGMOID,), x=X / 10, y=DRAW.permutation(Y)), SOUND, ("MSG0", "LABELS")),
    Twin(
        "DD311",
        replace(EXACT, layers=(dense(1, None, kernel_regularizer=L2(0.5)),)),
        replace(EXACT, layers=(dense(1, None, kernel_regularizer=L2(0.01)),)),
        ("REGULARISE",),
    ),
    Twin("DD401", replace(SHORT, x=np.where(X > 2.5, np.float32(np.nan), X), may_fail=True), SHORT, ("MSG0",)),
    Twin("DD402", replace(SHORT, layers=(dense(), dense(1, "softmax"))), SHORT, ("MSG2",)),
    Twin("DD403", replace(SHORT, layers=(dense(), LINEAR)), SHORT, ("MSG2", "MSG1")),
    Twin("DD404", replace(SHORT, y=2 * Y - 1, may_fail=True), SHORT, ("LABELS", "MSG1")),
    Twin("DD405", replace(SHORT, layers=(dense(16, None), SIGMOID)), SHORT, ("MSG2",)),
    Twin("DD406", replace(SHORT_REGRESSION, layers=(dense(), dense(3, None)), y=TARGETS[:, None]), SHORT_REGRESSION, ("SHAPE",)),
    Twin("DD411", replace(SHORT, x=1000 * X), SHORT, ("MSG0",)),
    Twin("DD412", replace(SHORT, y=np.ones_like(Y)), SHORT, ("MSG0", "LABELS")),
    Twin("DD413", RARELY, replace(RARELY, fit={"class_weight": {0: 1.0, 1: 10.0}}), ("TRAIN", "MSG0", "LABELS")),
    Twin("DD414", replace(SHORT, x=np.tile(X[:160], (2, 1)), y=np.tile(Y[:160], 2)), SHORT, ("MSG0",)),
    Twin(
        "DD415",
        replace(SHORT, fit={"validation_data": (X[:80], Y[:80])}),
        replace(SHORT, x=X[80:], y=Y[80:], fit={"validation_data": (X[:80], Y[:80])}),
        ("MSG0",),
    ),
    Twin(
        "DD416",
        replace(SHORT, x=X[BY_CLASS], y=Y[BY_CLASS], fit={"validation_split": 0.25}),
        replace(SHORT, fit={"validation_split": 0.25}),
        ("MSG0",),
    ),
    Twin("DD421", replace(SHORT, batch_size=ROWS), SHORT, ("TRAIN",)),
    Twin(
        "DD422",
        replace(SHORT, layers=(dense(), lambda: layers.Dropout(0.9), SIGMOID)),
        replace(SHORT, layers=(dense(), lambda: layers.Dropout(0.3), SIGMOID)),
        ("REGULARISE",),
    ),
    Twin("DD423", replace(NORMALISED, batch_size=1, epochs=1), replace(NORMALISED, epochs=2), ("STRUCTURE",)),
    Twin("DD424", replace(COUNTING, layers=(lstm(return_sequences=True), LINEAR)), COUNTING, ("STRUCTURE", "SHAPE")),
    Twin(
        "DD425",
        replace(READING, layers=(embedding(20), lambda: Doubled(False), lstm(), SIGMOID)),
        replace(READING, layers=(embedding(20), lambda: Doubled(True), lstm(), SIGMOID)),
        ("STRUCTURE",),
    ),
    Twin("DD426", replace(READING, layers=(embedding(10), lstm(), SIGMOID), may_fail=True), READING, ("STRUCTURE", "SHAPE", "MSG0")),
)  # fmt: skip
