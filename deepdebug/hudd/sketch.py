"""Short vectors whose distances are close to those of all views together, for more images than a matrix can hold.

Random signs keep every squared distance to a relative error of sqrt(2 / dims), 9 % for 256 (Achlioptas,
"Database-friendly random projections", 2003). Each view is projected with signs of its own and scaled by the root of
its weight over its mean squared distance, so that the sum of the projections is that of the joined vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from deepdebug.hudd.normalise import normalise
from deepdebug.hudd.notes import Note
from deepdebug.hudd.rows import MEMORY, Floats, Rows, block_rows
from deepdebug.hudd.views import View, constant_view, num_images

DIMS = 256
FEATURES = 4096  # values of a row that are multiplied at once; bounds the signs that are held as float32


def sketch(
    views: Sequence[View], dims: int = DIMS, seed: int = 0, memory: int = MEMORY
) -> tuple[npt.NDArray[np.float32], list[Note]]:
    """Return a short vector per image; squared distances are those of `combined`, nearly.

    Args:
        views: Views with vectors; each is read once.
        dims: Length of the short vectors. Defaults to 256.
        seed: Of the signs. Defaults to 0.
        memory: Bytes for vectors and signs; the result, 4 N dims bytes, comes twice on top. Defaults to 1 GiB.

    Returns:
        Array of shape (N, dims) and type float32, and a note for every view in which all images are equal.

    Raises:
        UsageError: When a view has distances only, or a value is not finite.
    """
    total = np.zeros((num_images(views), dims), np.float32)
    notes, weights = [], 0.0
    for place, view in enumerate(views):
        own = _projected(view.rows, view.normalise, dims, np.random.default_rng([seed, place]), memory)
        own -= own.mean(axis=0, dtype=np.float64).astype(np.float32)
        mean = mean_squared_distance(own)
        if mean > 0:
            own *= np.float32(np.sqrt(view.weight / mean))
            total += own
            weights += view.weight
        else:
            notes.append(constant_view(view))
    total /= np.float32(np.sqrt(weights or 1.0))  # so that the mean squared distance is 1
    return total, notes


def mean_squared_distance(centred: Floats) -> float:
    """Return the mean squared distance of all pairs of rows whose mean is 0; twice the sum of squares over N - 1."""
    squares = sum(float(np.dot(row, row)) for row in np.asarray(centred.T, np.float64))
    return 2.0 * squares / max(len(centred) - 1, 1)


def _projected(rows: Rows, how: str, dims: int, random: np.random.Generator, memory: int) -> npt.NDArray[np.float32]:
    signs = random.integers(0, 2, (rows.width, dims), dtype=np.int8)
    result = np.empty((len(rows), dims), np.float32)
    shift: Any = None
    for start, raw in rows.blocks(block_rows(rows.width, memory)):
        block = normalise(raw, how)
        if shift is None:
            # What all images share would cost digits; the mean of the first ones is near enough to it.
            shift = block.mean(axis=0, dtype=np.float64).astype(np.float32)
        block -= shift
        result[start : start + len(block)] = _multiplied(block, signs)
    return result


def _multiplied(block: Floats, signs: npt.NDArray[np.int8]) -> Floats:
    """Return block @ (2 signs - 1) / sqrt(dims)."""
    product = np.zeros((len(block), signs.shape[1]), np.float32)
    for first in range(0, block.shape[1], FEATURES):
        part = signs[first : first + FEATURES].astype(np.float32)
        part *= 2.0
        part -= 1.0
        product += block[:, first : first + FEATURES] @ part
    product /= np.float32(np.sqrt(signs.shape[1]))
    return product
