"""What programs do to their data before training, by name, in the order in which the manifest names it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.models444.data import Data, Size
from benchmarks.models444.recipes import raw_data

Array = npt.NDArray[Any]
# Of the training pictures of CIFAR-10, as AUTOTRAINER standardises them.
MEANS, DEVIATIONS = (125.307, 122.95, 113.865), (62.9932, 62.0887, 66.7048)
COPIED = 100  # training rows that a program validates with by mistake (UMLAUT's fault B3)


def prepared(recipe: str, steps: Sequence[str], size: Size, folder: Path) -> Data:
    """Return data as `fit` gets them.

    Args:
        recipe: Name of the recipe.
        steps: Names of `STEPS`, in order.
        size: How many pictures, where it has any.
        folder: Where `scripts/fetch_data` put the data sets.

    Raises:
        ValueError: When there is no such recipe or step.
    """
    data = raw_data(recipe, size, folder)
    for step in steps:
        if step not in STEPS:
            raise ValueError(f"there is no step {step!r}; known: {', '.join(sorted(STEPS))}")
        data = STEPS[step](data)
    return data


def _rows(change: Callable[[Array, Array], Array]) -> Callable[[Data], Data]:
    """Return a step on the rows; it may learn from the training rows, which it gets first."""

    def step(data: Data) -> Data:
        x_val = None if data.x_val is None else change(data.x, data.x_val).astype(np.float32)
        return replace(data, x=change(data.x, data.x).astype(np.float32), x_val=x_val)

    return step


def _labels(change: Callable[[Array, Array], Array]) -> Callable[[Data], Data]:
    """Return the same on the labels."""

    def step(data: Data) -> Data:
        y_val = None if data.y_val is None else change(data.y, data.y_val).astype(np.float32)
        return replace(data, y=change(data.y, data.y).astype(np.float32), y_val=y_val)

    return step


def _standardised(known: Array, values: Array) -> Array:
    spread = known.std(axis=0, dtype=np.float64)
    found: Array = (values - known.mean(axis=0, dtype=np.float64)) / np.where(spread > 0, spread, 1)
    return found


def _to_one(known: Array, values: Array) -> Array:
    low, high = known.min(axis=0), known.max(axis=0)
    found: Array = (values - low) / np.where(high > low, high - low, 1)
    return found


def _one_hot(known: Array, labels: Array) -> Array:
    found: Array = np.eye(int(known.max()) + 1)[labels.astype(int).ravel()]
    return found


def _validated_on_training_rows(data: Data) -> Data:
    return replace(data, x_val=data.x[:COPIED], y_val=data.y[:COPIED])


STEPS: dict[str, Callable[[Data], Data]] = {
    "x/255": _rows(lambda _, x: x / 255),
    "y/255": _labels(lambda _, y: y / 255),
    "channel": _rows(lambda _, x: x[..., None]),
    "flatten": _rows(lambda _, x: x.reshape(len(x), -1)),
    "one-hot": _labels(_one_hot),
    "standardise channels": _rows(lambda _, x: (x - np.array(MEANS)) / np.array(DEVIATIONS)),
    "standardise x": _rows(_standardised),
    "standardise y": _labels(_standardised),
    "minmax x": _rows(_to_one),
    "validate on training rows": _validated_on_training_rows,
}
