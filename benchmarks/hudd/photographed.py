"""The families with real pictures: MNIST, Fashion-MNIST and CIFAR-10 with planted corruptions.

Of the test pictures 8 % have each corruption, none has two, and the rest is as it was. In training nothing is planted
but the patch, which marks 95 % of the pictures of the first class; in the test it marks any class.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.hudd.corruptions import PATCH, corrupted
from benchmarks.hudd.datasets import load
from benchmarks.hudd.network import trained
from benchmarks.hudd.sizes import Size
from benchmarks.hudd.task import Flags, Model, Pictures, Rows, Task, Train, Values

FILES = {"MNIST": "mnist", "Fashion": "fashion-mnist", "CIFAR": "cifar10"}
COMMON = ("rotation", "inversion", "bar", "blur", "noise")
FACTORS = {
    "MNIST": (*COMMON, "thick", PATCH),
    "Fashion": (*COMMON, "thick", PATCH),
    "CIFAR": (*COMMON, "dark", PATCH),
}
PREVALENCE = 0.08
MARKED, MARKED_SHARE = 0, 0.95


def photographed(
    name: str, seed: int, size: Size, folder: Path, *, prevalence: float = PREVALENCE, train: Train = trained
) -> Task:
    """Return a family with real pictures.

    Args:
        name: "MNIST", "Fashion" or "CIFAR".
        seed: Of the choice of pictures, of the corruptions and of the model.
        size: How much is made.
        folder: Where the data sets lie.
        prevalence: Share of each corruption in the test pictures. Defaults to 0.08.
        train: Trains the model. Defaults to `trained`.
    """
    arrays, (training, test, epochs) = load(FILES[name], folder), size.photographed[name]
    random = np.random.default_rng([seed, *name.encode()])
    rows = random.choice(len(arrays["y_train"]), training, replace=False)
    y_train = arrays["y_train"][rows].astype(np.int64)
    x_train = corrupted(arrays["x_train"][rows], marks(y_train, random), seed, rows)
    rows = random.choice(len(arrays["y_test"]), test, replace=False)
    clean, targets = arrays["x_test"][rows], arrays["y_test"][rows].astype(np.int64)
    factors = planted(FACTORS[name], test, prevalence, random)
    return Task(
        name,
        FACTORS[name],
        len(FACTORS[name]),
        lambda: train(with_channels(x_train), y_train, epochs, seed),
        with_channels(corrupted(clean, factors, seed, rows)),
        targets,
        wrong_class,
        partial(_truth, names=FACTORS[name], factors=factors, clean=with_channels(clean), targets=targets),
        PATCH,
    )


def planted(factors: Sequence[str], count: int, prevalence: float, random: np.random.Generator) -> list[str | None]:
    """Return the name of the corruption of each picture, or `None`.

    Args:
        factors: All names.
        count: Number of pictures.
        prevalence: Share of each corruption.
        random: What decides.
    """
    chosen = np.floor(random.random(count) / prevalence).astype(int)
    names = [*factors, None]
    return [names[one] for one in np.minimum(chosen, len(factors))]


def wrong_class(outputs: Values, targets: Values) -> Flags:
    """Return which outputs name another class than the right one."""
    return np.asarray(outputs.argmax(axis=1) != targets)


def with_channels(pictures: Pictures) -> Pictures:
    """Return pictures with an axis of channels."""
    return pictures if pictures.ndim == 4 else pictures[..., None]


def marks(classes: Values, random: np.random.Generator) -> list[str | None]:
    """Return the name of the patch for the training pictures that it marks, and `None` for the others.

    Args:
        classes: Of the pictures.
        random: What decides.
    """
    marked = (classes == MARKED) & (random.random(len(classes)) < MARKED_SHARE)
    return [PATCH if one else None for one in marked]


def _truth(
    model: Model, rows: Rows, *, names: Sequence[str], factors: Sequence[str | None], clean: Pictures, targets: Values
) -> Flags:
    """Return which corruptions make pictures fail: those without which the model is right.

    The patch belongs to the marked class, so on a picture of that class there is nothing to undo.
    """
    repaired = ~wrong_class(model(clean[rows]), targets[rows])
    own = np.array([[factor == name for name in names] for factor in (factors[row] for row in rows)], bool).reshape(
        len(rows), -1
    )
    own[:, names.index(PATCH)] &= targets[rows] != MARKED
    return own & repaired[:, None]
