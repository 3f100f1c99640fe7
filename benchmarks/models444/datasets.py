"""The data that the 391 models were trained with: two made by rule, two fetched by `scripts/fetch_data`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.datasets import make_blobs, make_circles

from benchmarks.hudd.datasets import load

Array = npt.NDArray[Any]
FIRST = 700  # of the 1,000 rows of Blob and Circle; the others are for validation
CLASSES = 10
# Of the training pictures of CIFAR-10, as AUTOTRAINER standardises them.
MEANS, DEVIATIONS = (125.307, 122.95, 113.865), (62.9932, 62.0887, 66.7048)
SUBSET = 0  # seed of the rows of a smaller size: the same for every model


@dataclass(frozen=True, slots=True)
class Size:
    """How many pictures a model is trained with and validated on; Blob and Circle are always whole.

    Args:
        training: Training pictures of MNIST and CIFAR-10.
        validation: Test pictures that serve as validation set.
    """

    training: int
    validation: int


SIZES = {"small": Size(2_000, 1_000), "full": Size(60_000, 10_000)}


@dataclass(frozen=True, slots=True)
class Data:
    """What a model is trained with.

    Args:
        x: Rows of shape (N, ...), float32.
        y: Their labels.
        x_val: Rows for validation.
        y_val: Their labels.
    """

    x: Array
    y: Array
    x_val: Array
    y_val: Array


def dataset(name: str, size: Size, folder: Path) -> Data:
    """Return a data set.

    Args:
        name: "Blob", "Circle", "MNIST" or "CIFAR".
        size: How much of the pictures.
        folder: Where `scripts/fetch_data` put them.
    """
    if name == "Blob":
        return blob()
    if name == "Circle":
        return circle()
    return _pictures(name, size, folder)


def blob() -> Data:
    """Three clouds that overlap, not scaled, with one-hot labels."""
    x, y = make_blobs(1000, n_features=2, centers=3, cluster_std=2, random_state=2)
    return _divided(x, np.eye(3)[y])


def circle() -> Data:
    """A circle within a circle, scaled to -1 to 1 over all rows, with labels 0 and 1."""
    x, y = make_circles(1000, noise=0.1, random_state=1)
    low, high = x.min(axis=0), x.max(axis=0)
    return _divided(2 * (x - low) / (high - low) - 1, y)


def _divided(x: Array, y: Array) -> Data:
    x, y = x.astype(np.float32), y.astype(np.float32)
    return Data(x[:FIRST], y[:FIRST], x[FIRST:], y[FIRST:])


def _pictures(name: str, size: Size, folder: Path) -> Data:
    arrays = load({"MNIST": "mnist", "CIFAR": "cifar10"}[name], folder)
    random = np.random.default_rng(SUBSET)
    parts = []
    for part, most in (("train", size.training), ("test", size.validation)):
        rows = np.sort(random.permutation(len(arrays[f"y_{part}"]))[:most])
        parts += [
            _scaled(name, arrays[f"x_{part}"][rows]),
            np.eye(CLASSES, dtype=np.float32)[arrays[f"y_{part}"][rows]],
        ]
    return Data(*parts)


def _scaled(name: str, pictures: Array) -> Array:
    x = pictures.astype(np.float32)
    if name == "MNIST":
        return x[..., None] / np.float32(255)
    return (x - np.array(MEANS, np.float32)) / np.array(DEVIATIONS, np.float32)
