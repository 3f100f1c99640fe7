"""A task: pictures to train a model with, pictures to test it with, and why each of these may fail."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

Pictures = npt.NDArray[np.uint8]
Values = npt.NDArray[Any]
Flags = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.integer[Any]]
Train = Callable[[Pictures, Values, int, int], keras.Model]  # pictures, classes, epochs, seed
Model = Callable[[Pictures], npt.NDArray[np.floating]]  # pictures as stored -> one row of outputs each


@dataclass(frozen=True, slots=True)
class Task:
    """One family with one seed.

    Args:
        name: Of the family.
        causes: Names of the causes that are planted in the test pictures, and after them of those that nature brings.
        planted: How many of them are planted.
        train: Trains the model.
        pictures: Of the test set, shape (N, height, width, channels).
        targets: What is right about them: classes of shape (N,), or values of shape (N, outputs).
        failures: Says which outputs are wrong, given outputs and targets.
        truth: Says which causes make pictures fail, given the model and their rows: shape (rows, causes).
        shortcut: Name of the cause that is a shortcut; `None` where there is none. Defaults to `None`.
        columns: Known parameters of the test pictures, each of shape (N,), by name. Defaults to none.
        angles: Names of those that are angles in degrees. Defaults to none.
    """

    name: str
    causes: tuple[str, ...]
    planted: int
    train: Callable[[], keras.Model]
    pictures: Pictures
    targets: Values
    failures: Callable[[Values, Values], Flags]
    truth: Callable[[Model, Rows], Flags]
    shortcut: str | None = None
    columns: Mapping[str, Values] = field(default_factory=dict)
    angles: tuple[str, ...] = ()

    @property
    def is_classification(self) -> bool:
        """Whether there are classes."""
        return self.targets.ndim == 1
