"""Pictures, of which there are as many as the size says: fetched by `scripts/fetch_data`, or drawn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy import ndimage

from benchmarks.hudd.datasets import load
from benchmarks.models444.data import SUBSET, Array, Data, Size

Pictured = Callable[[Size, Path], Data]
PICTURES: dict[str, Pictured] = {}


def pictures(make: Pictured) -> Pictured:
    """Register pictures, of which there are as many as the size says."""
    PICTURES[make.__name__] = make
    return make


@pictures
def mnist(size: Size, folder: Path) -> Data:
    """Handwritten digits, 0 to 255, with class numbers."""
    return _pictures("mnist", size, folder)


@pictures
def cifar10(size: Size, folder: Path) -> Data:
    """Photographs of ten classes, 0 to 255, with class numbers."""
    return _pictures("cifar10", size, folder)


@pictures
def blurred(size: Size, folder: Path) -> Data:
    """Blurred photographs of 0 to 1, and the sharp ones, instead of the larger ones of GH2."""
    data = _pictures("cifar10", Size(size.training // 4, size.validation // 4), folder)

    def pair(x: Array) -> tuple[Array, Array]:
        large = np.kron(x / 255, np.ones((1, 2, 2, 1)))
        return ndimage.gaussian_filter(large, (0, 2, 2, 0)).astype(np.float32), large.astype(np.float32)

    return Data(*pair(data.x), *pair(data.x_val))


@pictures
def cats_and_dogs(size: Size, folder: Path) -> Data:
    """Cats and dogs of CIFAR-10 at 64 x 64 pixels, 0 to 1, instead of the photographs of GH4."""
    return _two_classes(size, folder, lambda x: np.kron(x / 255, np.ones((1, 2, 2, 1))))


@pictures
def grey_animals(size: Size, folder: Path) -> Data:
    """The same in grey, for GH10."""
    return _two_classes(size, folder, lambda x: np.kron(x.mean(axis=3, keepdims=True) / 255, np.ones((1, 2, 2, 1))))


@pictures
def signs(size: Size, _folder: Path) -> Data:
    """Like German traffic signs (GH5): 43 classes of coloured shapes of 32 x 32 pixels, 0 to 255."""
    return _drawn(size, 43, 32)


@pictures
def damages(size: Size, _folder: Path) -> Data:
    """Like the photographs of cars of SO50079585: three classes of textures of 150 x 150 pixels, 0 to 1."""
    data = _drawn(Size(min(size.training, 979), min(size.validation, 171)), 3, 150)
    return Data(data.x / 255, data.y, data.x_val / 255, data.y_val)


def _pictures(name: str, size: Size, folder: Path) -> Data:
    arrays, random, parts = load(name, folder), np.random.default_rng(SUBSET), []
    for part, most in (("train", size.training), ("test", size.validation)):
        rows = np.sort(random.permutation(len(arrays[f"y_{part}"]))[:most])
        parts += [arrays[f"x_{part}"][rows].astype(np.float32), arrays[f"y_{part}"][rows].astype(np.float32)]
    return Data(*parts)


def _two_classes(size: Size, folder: Path, draw: Callable[[Array], Array]) -> Data:
    cat, dog, most = 3, 5, Size(5 * size.training, 5 * size.validation)
    data = _pictures("cifar10", most, folder)
    parts = []
    for x, y, count in ((data.x, data.y, size.training), (data.x_val, data.y_val, size.validation)):
        rows = np.flatnonzero(np.isin(y, (cat, dog)))[:count]
        parts += [draw(x[rows]).astype(np.float32), (y[rows] == dog).astype(np.float32)]
    return Data(*parts)


def _drawn(size: Size, classes: int, side: int) -> Data:
    """Return noisy pictures of waves, whose direction, width and colour tell the class."""
    random = np.random.default_rng(SUBSET)
    place = np.arange(side) / side
    colours = random.uniform(40, 215, (classes, 3))
    angles, widths = np.pi * random.random(classes), random.uniform(2, 6, classes)

    def drawn(count: int) -> tuple[Array, Array]:
        y = random.integers(0, classes, count)
        along = np.cos(angles[y])[:, None, None] * place + np.sin(angles[y])[:, None, None] * place[:, None]
        wave = np.sin(2 * np.pi * (widths[y][:, None, None] * along + random.random((count, 1, 1))))
        x = colours[y][:, None, None, :] * (1 + 0.4 * wave[..., None]) + random.normal(0, 25, (count, side, side, 3))
        return np.clip(x, 0, 255).astype(np.float32), y.astype(np.float32)

    return Data(*drawn(size.training), *drawn(size.validation))
