"""What a mutant is: a program with one known fault, and the actions that would mend it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

from benchmarks.healthy import data
from benchmarks.healthy.family import Training, sequential, training

EPOCHS = 12


@dataclass(frozen=True, slots=True)
class Mutant:
    """A program with one fault.

    Args:
        name: Name.
        fault: The fault in words.
        build: Returns the training for a seed.
        actions: The actions of which the first diagnosis must take one.
    """

    name: str
    fault: str
    build: Callable[[int], Training]
    actions: tuple[str, ...]


MUTANTS: dict[str, Mutant] = {}
Build = Callable[[int], Training]


def mutant(*actions: str) -> Callable[[Build], Build]:
    """Register the decorated function, whose docstring says the fault, under its name."""

    def register(build: Build) -> Build:
        name = build.__name__
        MUTANTS[name] = Mutant(name, (build.__doc__ or "").strip(), build, actions)
        return build

    return register


def digit_mlp(
    seed: int,
    optimizer: Any = "adam",
    loss: Any = "sparse_categorical_crossentropy",
    *,
    hidden: dict[str, Any] | None = None,
    last: str | None = "softmax",
    rows: data.Split | None = None,
    between: Callable[[], list[layers.Layer]] = list,
    epochs: int = EPOCHS,
    **fit: Any,
) -> Training:
    """Return the training of the usual network on handwritten digits, with what is given in place of what is usual."""
    options = {"activation": "relu", **(hidden or {})}
    model = sequential(
        (64,), layers.Dense(64, **options), *between(), layers.Dense(32, **options), layers.Dense(10, last)
    )
    model.compile(optimizer, loss, metrics=["accuracy"])
    return training(model, rows or data.digits(seed), epochs, **fit)


def cancer_mlp(
    seed: int,
    *,
    last: layers.Layer | None = None,
    loss: Any = "binary_crossentropy",
    rows: data.Split | None = None,
    between: Callable[[], list[layers.Layer]] = list,
    **fit: Any,
) -> Training:
    """Return the training of a small network with a yes-or-no output."""
    last = last or layers.Dense(1, "sigmoid")
    model = sequential((30,), layers.Dense(32, "relu"), *between(), layers.Dense(16, "relu"), last)
    model.compile(keras.optimizers.Adam(0.003), loss, metrics=["accuracy"])
    return training(model, rows or data.breast_cancer(seed), **{"epochs": EPOCHS, "batch_size": 16, **fit})


def regression_mlp(
    seed: int, optimizer: Any = "adam", *, last: str | None = None, units: int = 1, rows: data.Split | None = None
) -> Training:
    """Return the training of a network for a smooth function of ten features."""
    model = sequential((10,), layers.Dense(64, "relu"), layers.Dense(64, "relu"), layers.Dense(units, last))
    model.compile(optimizer, "mse", metrics=["mae"])
    return training(model, rows or data.friedman(seed), EPOCHS)
