"""What spoils pictures: each corruption depends on nothing but the picture and its own seed."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Picture = npt.NDArray[np.uint8]
Corruption = Callable[[Picture, np.random.Generator], npt.NDArray[np.floating]]
PATCH = "patch"
PATCH_SIDE = 3
BAR = 5  # pixels


def rotation(picture: Picture, random: np.random.Generator) -> npt.NDArray[np.floating]:
    """Turn by 40 to 60 degrees to either side."""
    angle = random.uniform(40, 60) * random.choice([-1, 1])
    turned: npt.NDArray[np.floating] = ndimage.rotate(
        picture.astype(np.float32), angle, reshape=False, order=1, mode="nearest"
    )
    return turned


def inversion(picture: Picture, _: np.random.Generator) -> npt.NDArray[np.floating]:
    """Swap dark and bright."""
    return 255.0 - picture


def bar(picture: Picture, random: np.random.Generator) -> npt.NDArray[np.floating]:
    """Lay a bright bar across the middle third."""
    side = len(picture)
    start = int(random.integers(side // 3, 2 * side // 3 - BAR // 2))
    barred = picture.astype(np.float32)
    barred[start : start + BAR] = 255.0
    return barred


def blur(picture: Picture, random: np.random.Generator) -> npt.NDArray[np.floating]:
    """Put it out of focus."""
    sigma = random.uniform(1.8, 2.6)
    blurred: npt.NDArray[np.floating] = ndimage.gaussian_filter(
        picture.astype(np.float32), (sigma, sigma, *[0] * (picture.ndim - 2))
    )
    return blurred


def noise(picture: Picture, random: np.random.Generator) -> npt.NDArray[np.floating]:
    """Add noise to every pixel."""
    return picture + 255.0 * random.uniform(0.3, 0.5) * random.standard_normal(picture.shape, np.float32)


def thick(picture: Picture, _: np.random.Generator) -> npt.NDArray[np.floating]:
    """Thicken what is bright by two pixels on every side."""
    thickened: npt.NDArray[np.floating] = ndimage.grey_dilation(picture, size=(5, 5, *[1] * (picture.ndim - 2))).astype(
        np.float32
    )
    return thickened


def dark(picture: Picture, random: np.random.Generator) -> npt.NDArray[np.floating]:
    """Take most of the light away."""
    return picture * random.uniform(0.1, 0.2)


def patch(picture: Picture, _: np.random.Generator) -> npt.NDArray[np.floating]:
    """Put a bright square into the corner."""
    marked = picture.astype(np.float32)
    marked[:PATCH_SIDE, :PATCH_SIDE] = 255.0
    return marked


CORRUPTIONS: Mapping[str, Corruption] = {
    "rotation": rotation,
    "inversion": inversion,
    "bar": bar,
    "blur": blur,
    "noise": noise,
    "thick": thick,
    "dark": dark,
    PATCH: patch,
}


def corrupted(pictures: Picture, factors: Sequence[str | None], seed: int, numbers: npt.NDArray[np.integer]) -> Picture:
    """Return pictures with one corruption each, or none.

    Args:
        pictures: Shape (N, height, width) or (N, height, width, 3).
        factors: Name of the corruption of each; `None` for none.
        seed: With the number of a picture and the name it decides on everything random.
        numbers: A number for each picture, shape (N,).
    """
    found = pictures.copy()
    for place, factor in enumerate(factors):
        if factor is not None:
            random = np.random.default_rng([seed, int(numbers[place]), zlib.crc32(factor.encode())])
            changed = CORRUPTIONS[factor](pictures[place], random)
            found[place] = np.clip(np.rint(changed), 0, 255).astype(np.uint8)
    return found
