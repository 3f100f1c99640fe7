"""Pairs of tiny trainings: one that shows a symptom, and the same program repaired.

Every entry names only what differs from `SOUND`, a training in which nothing is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from keras import layers
from keras.initializers import Constant, RandomNormal
from keras.regularizers import L2

from tests.backends.programs import (
    Doubled,
    Halves,
    Program,
    SquareRoot,
    StopGradient,
    adam,
    batch_norm,
    dense,
    embedding,
    leaping_rate,
    lstm,
    repeated,
    sgd,
)
from tests.backends.rows import (
    BY_CLASS,
    BY_FEATURE,
    BY_NOISE,
    COPIED,
    DRAW,
    MANY,
    NOISY,
    PLAIN,
    RARE,
    ROWS,
    SEQUENCES,
    SUMS,
    TARGETS,
    WORDS,
    X,
    Y,
)


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


SIGMOID, LINEAR = dense(1, "sigmoid"), dense(1, None)
SOUND = Program((dense(), SIGMOID), X, Y)
REGRESSION = replace(SOUND, layers=(dense(), LINEAR), y=TARGETS, loss="mean_squared_error")
SHORT = replace(SOUND, epochs=2)
VALIDATED = replace(SOUND, fit={"validation_split": 0.25})
SHORT_REGRESSION = replace(REGRESSION, epochs=2)
SECTORS = replace(
    SHORT,
    layers=(dense(16), dense(8), dense(4, "softmax")),
    y=2 * (X[:, 0] > 0) + (X[:, 1] > 0),
    loss="sparse_categorical_crossentropy",
)
SIGNS = np.column_stack([np.sign(X[:, 0]), X[:, 1:]])
ABOVE = (SIGNS[:, 0] > 0).astype("float32")
CLEAN = replace(
    SOUND,
    layers=(SIGMOID,),
    x=SIGNS[:240],
    y=ABOVE[:240],
    optimizer=adam(0.05),
    epochs=20,
    fit={"validation_data": (SIGNS[240:], ABOVE[240:])},
)
DEAD = replace(SOUND, layers=(dense(bias_initializer=Constant(-50.0)), SIGMOID))
HUGE_START = replace(SHORT, layers=(dense(kernel_initializer=RandomNormal(stddev=50.0)), SIGMOID))
DEEP = replace(
    SOUND, layers=(*repeated(dense(16, kernel_initializer="he_normal"), 8), SIGMOID), optimizer=sgd(0.05), epochs=7
)
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
        SOUND,
        ("MSG4",),
    ),
    Twin(
        "DD103",
        replace(
            SHORT,
            layers=(dense(16, "exponential", kernel_initializer=RandomNormal(stddev=100.0)), SIGMOID),
            may_fail=True,
        ),
        SHORT,
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
    Twin("DD210", HUGE_START, SHORT, ("MSG4",)),
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
        SHORT_REGRESSION,
        ("TRAIN", "LABELS"),
    ),
    Twin("DD303", DEAD, SOUND, ("MSG4", "MSG2")),
    Twin("DD304", DEAD, SOUND, ("MSG4", "MSG2")),
    Twin("DD305", LEAPING, LINE, ("MSG3",)),
    Twin(
        "DD306",
        replace(LINE, x=X[BY_NOISE], y=NOISY[BY_NOISE], source=Halves, epochs=20),
        LINE,
        ("MSG3",),
    ),
    Twin(
        "DD307",
        replace(
            SOUND,
            layers=(dense(64), dense(64), SIGMOID),
            x=X[:80],
            y=np.roll(Y, 40)[:80],
            epochs=20,
            fit={"validation_data": (X[80:], Y[80:])},
        ),
        VALIDATED,
        ("REGULARISE",),
    ),
    Twin("DD308", replace(LINE, optimizer=sgd(0.002)), LINE, ("TRAIN", "MSG3")),
    Twin("DD309", HUGE_START, SHORT, ("MSG4",)),
    Twin("DD310", replace(SOUND, layers=(SIGMOID,), x=X / 10, y=DRAW.permutation(Y)), SOUND, ("MSG0", "MSG5")),
    Twin(
        "DD311",
        replace(EXACT, layers=(dense(1, None, kernel_regularizer=L2(0.5)),)),
        LINE,
        ("REGULARISE",),
    ),
    Twin(
        "DD312",
        replace(CLEAN, y=np.where(np.arange(240) % 5, ABOVE[:240], 1 - ABOVE[:240])),
        CLEAN,
        ("MSG0",),
    ),
    Twin("DD401", replace(SHORT, x=np.where(X > 2.5, np.float32(np.nan), X), may_fail=True), SHORT, ("MSG0",)),
    Twin("DD402", replace(SHORT, layers=(dense(), dense(1, "softmax"))), SHORT, ("MSG2",)),
    Twin("DD403", replace(SHORT, layers=(dense(), LINEAR)), SHORT, ("MSG2", "MSG1")),
    Twin("DD404", replace(SHORT, y=2 * Y - 1, may_fail=True), SHORT, ("LABELS", "MSG1")),
    Twin("DD405", replace(SHORT, layers=(dense(16, None), SIGMOID)), SHORT, ("MSG2",)),
    Twin(
        "DD406",
        replace(SHORT_REGRESSION, layers=(dense(), dense(3, None)), y=TARGETS[:, None]),
        SHORT_REGRESSION,
        ("SHAPE",),
    ),
    Twin("DD411", replace(SHORT, x=1000 * X), SHORT, ("MSG0",)),
    Twin("DD412", replace(SHORT, y=np.ones_like(Y)), SHORT, ("MSG0", "LABELS")),
    Twin("DD413", RARELY, replace(RARELY, fit={"class_weight": {0: 1.0, 1: 10.0}}), ("TRAIN", "MSG0", "LABELS")),
    Twin("DD414", replace(SHORT, x=np.tile(X[:160], (2, 1)), y=np.tile(Y[:160], 2)), SHORT, ("MSG0",)),
    Twin("DD415", replace(SHORT, fit={"validation_data": (X[:80], Y[:80])}), VALIDATED, ("MSG0",)),
    Twin(
        "DD416",
        replace(SHORT, x=X[BY_CLASS], y=Y[BY_CLASS], fit={"validation_split": 0.25}),
        VALIDATED,
        ("MSG0",),
    ),
    Twin("DD417", replace(LINE, y=5000 + 1000 * PLAIN, optimizer=adam(0.001)), LINE, ("MSG0",)),
    Twin("DD421", replace(SHORT, batch_size=ROWS), SHORT, ("TRAIN",)),
    Twin(
        "DD422",
        replace(SHORT, layers=(dense(), lambda: layers.Dropout(0.9), SIGMOID)),
        SHORT,
        ("REGULARISE",),
    ),
    Twin("DD423", replace(NORMALISED, batch_size=1, epochs=1), NORMALISED, ("STRUCTURE",)),
    Twin("DD424", replace(COUNTING, layers=(lstm(return_sequences=True), LINEAR)), COUNTING, ("STRUCTURE", "SHAPE")),
    Twin(
        "DD425",
        replace(READING, layers=(embedding(20), Doubled, lstm(), SIGMOID)),
        READING,
        ("STRUCTURE",),
    ),
    Twin(
        "DD426",
        replace(READING, layers=(embedding(10), lstm(), SIGMOID), may_fail=True),
        READING,
        ("STRUCTURE",),
        {"torch": "PyTorch refuses such an id at once, even where only the data flow is followed"},
    ),
    Twin("DD427", replace(SECTORS, layers=(dense(16), dense(1), dense(4, "softmax"))), SECTORS, ("MSG5",)),
)
