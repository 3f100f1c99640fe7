"""Condensed distances: the N (N - 1) / 2 values above the diagonal, row by row, as scipy has them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from deepdebug.errors import UsageError
from deepdebug.hudd.rows import Floats

Indices = npt.NDArray[np.integer[Any]]

CHUNK = 2**22  # values that are converted to float64 at once


def num_pairs(num_rows: int) -> int:
    """Return the number of pairs of different rows."""
    return num_rows * (num_rows - 1) // 2


def num_rows(distances: npt.NDArray[Any], name: str = "distances") -> int:
    """Return the number of images of condensed distances.

    Args:
        distances: Array of shape (N (N - 1) / 2,).
        name: What errors call it. Defaults to "distances".

    Raises:
        UsageError: When no N has that many pairs. An empty array is taken for a single image.
    """
    count = (1 + int(np.sqrt(1 + 8 * distances.size))) // 2
    if distances.ndim != 1 or num_pairs(count) != distances.size:
        raise UsageError(
            f"The distances {name!r} have shape {distances.shape}; expected one condensed row of N (N - 1) / 2 values, "
            "as `scipy.spatial.distance.squareform` makes it of a matrix."
        )
    return count


def offsets(count: int) -> npt.NDArray[np.int64]:
    """Return what to add to the larger index of a pair, by its smaller index, to find the pair."""
    rows = np.arange(count, dtype=np.int64)
    return rows * count - rows * (rows + 1) // 2 - rows - 1


def square(distances: npt.NDArray[Any], chosen: Indices, count: int) -> npt.NDArray[np.float64]:
    """Return the matrix of distances among chosen images, of shape (len(chosen), len(chosen)).

    Args:
        distances: Condensed distances of all images.
        chosen: Their indices.
        count: Number of all images.
    """
    base = offsets(count)
    matrix = np.zeros((len(chosen), len(chosen)))
    for row, image in enumerate(chosen[:-1]):
        others = chosen[row + 1 :]
        values = distances[base[np.minimum(image, others)] + np.maximum(image, others)]
        matrix[row, row + 1 :] = values
    return matrix + matrix.T


def row(distances: npt.NDArray[Any], image: int, count: int) -> npt.NDArray[np.float64]:
    """Return the distances of all images to one of them, of shape (count,).

    Args:
        distances: Condensed distances of all images.
        image: Its index.
        count: Number of all images.
    """
    base, others = offsets(count), np.delete(np.arange(count), image)
    found = np.zeros(count)
    found[others] = distances[base[np.minimum(image, others)] + np.maximum(image, others)]
    return found


def mean_squares(distances: npt.NDArray[Any], labels: Indices) -> npt.NDArray[np.float64]:
    """Return the mean squared distance of every two clusters, of shape (clusters, clusters).

    Args:
        distances: Condensed distances of N images.
        labels: Array of shape (N,) of labels 0, 1, ..., -1 for none. On the diagonal of the result every pair counts
            twice, and every image with itself.
    """
    kept = labels >= 0
    sizes = np.bincount(labels[kept])
    sums = np.zeros((len(sizes), len(sizes)))
    base = offsets(len(labels))
    for image in np.flatnonzero(kept[:-1]):
        later = slice(base[image] + image + 1, base[image] + len(labels))
        own = np.asarray(distances[later], np.float64)
        others = labels[image + 1 :]
        sums[labels[image]] += np.bincount(others + 1, own * own, minlength=len(sizes) + 1)[1:]
    means: npt.NDArray[np.float64] = (sums + sums.T) / np.outer(sizes, sizes)
    return means


def condense(matrix: Floats) -> Floats:
    """Return the values above the diagonal of a square matrix, row by row."""
    upper: Floats = matrix[np.triu_indices(len(matrix), 1)]
    return upper


def mean_square(distances: npt.NDArray[Any]) -> float:
    """Return the mean of the squared distances, added up in float64."""
    total = 0.0
    for start in range(0, distances.size, CHUNK):
        part = np.asarray(distances[start : start + CHUNK], np.float64)
        total += float(part @ part)
    return total / distances.size if distances.size else 0.0
