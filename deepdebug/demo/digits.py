"""Two models that fail on real handwritten digits, their diagnosis, and the same models after the fix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from rich.console import Console
from sklearn.datasets import load_digits

from deepdebug.callback import Diagnose
from deepdebug.report import console as text
from deepdebug.report.report import Report

SEED = 7
EPOCHS = 15
Data = tuple[npt.NDArray[Any], npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Case:
    """A program that fails, and the same after the fix that the report suggests.

    Args:
        name: Folder of the reports.
        story: What the program is, in one sentence.
        labels: Turns the digits 0-9 into the labels of the task.
        broken: Builds and compiles the failing model.
        repaired: Builds and compiles the repaired one.
    """

    name: str
    story: str
    labels: Callable[[npt.NDArray[Any]], npt.NDArray[Any]]
    broken: Callable[[], keras.Model]
    repaired: Callable[[], keras.Model]


def binary_classifier(activation: str) -> keras.Model:
    """Build the 128-50-50-1 net of Stack Overflow question 31880720, ending in `activation`."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((64,)),
            layers.Dense(128, activation="relu"),
            layers.Dense(50, activation="relu"),
            layers.Dense(50, activation="relu"),
            layers.Dense(1, activation=activation),
        ]
    )
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return model


def digit_classifier(learning_rate: float) -> keras.Model:
    """Build a digit classifier trained by SGD."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((64,)),
            layers.Dense(64, activation="relu"),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    optimizer = keras.optimizers.SGD(learning_rate, momentum=0.9)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


CASES = (
    Case(
        "even-or-odd",
        "A 128-50-50-1 net is to tell even digits from odd ones (the program of Stack Overflow question 31880720).",
        lambda digits: (digits % 2).astype("float32"),
        lambda: binary_classifier("softmax"),
        lambda: binary_classifier("sigmoid"),
    ),
    Case(
        "which-digit",
        "A 64-64-10 net is to tell the ten digits apart, trained by SGD with a learning rate of 1.",
        lambda digits: digits,
        lambda: digit_classifier(1.0),
        lambda: digit_classifier(0.02),
    ),
)


def show_digits(out: Path, console: Console) -> dict[str, tuple[Report, Report]]:
    """Train, diagnose, repair and train again; print what happens and write the reports.

    Args:
        out: Folder for the reports.
        console: Where it is told.

    Returns:
        By case, the report of the failing and of the repaired program.
    """
    digits = load_digits()
    x = (digits.data / 16.0).astype("float32")
    return {case.name: _show(case, x, digits.target, out, console) for case in CASES}


def _show(
    case: Case, x: npt.NDArray[Any], digits: npt.NDArray[Any], out: Path, console: Console
) -> tuple[Report, Report]:
    console.rule(f"[bold]{case.name}")
    console.print(case.story)
    data = (x, case.labels(digits))
    with console.status("Training"):
        broken, accuracy = _train(case.broken, data, out / case.name / "broken")
    console.print(f"\nIt reaches {accuracy:.1%} accuracy on held-out digits. `Diagnose()` reports:\n")
    text.show(broken)
    with console.status("Training the repaired program"):
        repaired, accuracy = _train(case.repaired, data, out / case.name / "repaired")
    console.print(f"\nAfter that fix it reaches {accuracy:.1%}; the report now says: {repaired.verdict}")
    console.print(f"Reports: {out / case.name}/broken/report.html and {out / case.name}/repaired/report.html\n")
    return broken, repaired


def _train(build: Callable[[], keras.Model], data: Data, log_dir: Path) -> tuple[Report, float]:
    keras.utils.set_random_seed(SEED)
    order = np.random.default_rng(SEED).permutation(len(data[0]))
    x, y = data[0][order], data[1][order]
    doctor = Diagnose(log_dir=log_dir, verbose=0)
    history = build().fit(x, y, epochs=EPOCHS, validation_split=0.2, callbacks=[doctor], verbose=0)
    return doctor.report, float(history.history["val_accuracy"][-1])
