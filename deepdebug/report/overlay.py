"""Relevance as a picture over its image: orange speaks for the explained output, blue against it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from PIL import Image

Numbers = npt.NDArray[np.floating[Any]]
Picture = npt.NDArray[np.uint8]
# After Okabe and Ito: two hues that every kind of colour vision tells apart, about equally bright.
FOR = (213, 94, 0)
AGAINST = (0, 114, 178)
PERCENTILE = 99.5  # so that a few extreme pixels do not make the rest invisible
OPACITY_POWER = 0.6  # below 1, so that weak relevance can be seen beside strong one
DARKEST, BRIGHTEST = 51, 217  # of the image below, so that the colours stand out on black and on white
MIN_SIDE = 256


def is_map(shape: tuple[int, ...], size: tuple[int, int]) -> bool:
    """Tell whether an array of relevance can be drawn over an image.

    Args:
        shape: Shape of one row.
        size: Height and width of the image.

    >>> is_map((13, 13, 16), (28, 28)), is_map((28, 28), (28, 28)), is_map((64,), (28, 28))
    (True, True, False)
    """
    return (len(shape) == 3 and min(shape[:2]) > 1) or (len(shape) == 2 and shape == size)


def heat(relevance: Numbers) -> Numbers:
    """Return relevance of shape (height, width) from that of shape (height, width[, channels]): the sum of channels."""
    return relevance.sum(axis=2) if relevance.ndim == 3 else relevance


def strength(values: Numbers) -> Numbers:
    """Return heat as numbers from -1 to 1, by the 99.5th percentile of its size; what is not finite becomes 0.

    Args:
        values: Array of shape (height, width).
    """
    finite = np.where(np.isfinite(values), values, 0.0).astype("float64")
    size = np.abs(finite)
    limit = np.percentile(size, PERCENTILE) or size.max()
    result: Numbers = np.clip(finite / limit, -1.0, 1.0) if limit > 0 else finite
    return result


def overlay(pixels: Numbers, values: Numbers) -> Picture:
    """Draw heat over an image, which is gray below it; where nothing is relevant the image shows.

    Args:
        pixels: The image, of shape (height, width, channels), in any range.
        values: The heat, of shape (height, width), in any size; it is brought to the image's
            size cell by cell.

    Returns:
        Picture of shape (height, width, 3), enlarged so that its longer side has 256 pixels or more.
    """
    gray = as_shown(pixels).mean(axis=2, keepdims=True) / 255 * (BRIGHTEST - DARKEST) + DARKEST
    return enlarged(blended(gray, _cells(strength(values), (pixels.shape[0], pixels.shape[1]))))


def blended(gray: Numbers, strengths: Numbers) -> Picture:
    """Lay the colours of relevance over gray.

    Args:
        gray: Array of shape (height, width, 1), values 0 to 255.
        strengths: Array of shape (height, width), values -1 to 1.

    Returns:
        Picture of shape (height, width, 3).
    """
    colours = np.where(strengths[..., np.newaxis] > 0, np.array(FOR), np.array(AGAINST))
    opacity = (np.abs(strengths) ** OPACITY_POWER)[..., np.newaxis]
    return np.rint(gray * (1 - opacity) + colours * opacity).astype("uint8")


def as_shown(pixels: Numbers) -> Picture:
    """Return an image as 8-bit pixels.

    Args:
        pixels: Array of shape (height, width, channels): values from 0 to 255 or from 0 to 1 are taken as they are, any
            others are stretched from the smallest to the largest.

    Returns:
        Picture of shape (height, width, 3); other numbers of channels than 3 are averaged to gray.
    """
    three = pixels if pixels.shape[2] == 3 else np.repeat(pixels.mean(axis=2, keepdims=True), 3, axis=2)
    low, high = float(three.min()), float(three.max())
    if low >= 0 and high <= 255:
        low, high = 0.0, 1.0 if high <= 1 else 255.0
    return np.rint((three - low) / ((high - low) or 1.0) * 255).astype("uint8")


def enlarged(picture: Picture) -> Picture:
    """Return a picture whose longer side has 256 pixels or more, each pixel as a square."""
    factor = math.ceil(MIN_SIDE / max(picture.shape[:2]))
    return picture.repeat(factor, axis=0).repeat(factor, axis=1)


def to_image(picture: Picture) -> Image.Image:
    """Return a picture as one that Pillow can write."""
    from PIL import Image

    return Image.fromarray(picture)


def _cells(values: Numbers, size: tuple[int, int]) -> Numbers:
    rows = np.arange(size[0]) * values.shape[0] // size[0]
    columns = np.arange(size[1]) * values.shape[1] // size[1]
    cells: Numbers = values[rows][:, columns]
    return cells
