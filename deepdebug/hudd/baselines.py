"""Partitions that every clustering of heatmaps must beat.

On digits with whole-picture corruptions raw pixels did better than heatmaps; on a task with two classes the pair of
expected and predicted class explained much of the truth alone. So both belong beside every result.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from deepdebug.errors import UsageError
from deepdebug.hudd.linkage import Labels, by_size
from deepdebug.hudd.rows import Source
from deepdebug.hudd.views import View


def pixel_view(images: Source) -> View:
    """Return the view of the raw pixels, to be clustered like any other: L2, then Ward.

    Args:
        images: Array of shape (N, ...) or the path of a `.npy` file.
    """
    return View("pixels", images, normalise="l2")


def pair_partition(expected: npt.ArrayLike, predicted: npt.ArrayLike) -> Labels:
    """Return one cluster per pair of expected and predicted class; label 0 is the most frequent pair.

    Args:
        expected: Classes of N images, numbers or names, of shape (N,).
        predicted: The same of the model's answers.

    Raises:
        UsageError: When they have different shapes.

    >>> pair_partition(["cat", "dog", "dog"], ["dog", "cat", "cat"]).tolist()
    [1, 0, 0]
    """
    first, second = np.asarray(expected), np.asarray(predicted)
    if first.shape != second.shape or first.ndim != 1:
        raise UsageError(
            f"The expected classes have shape {first.shape} and the predicted ones {second.shape}; expected one class "
            "per image in both."
        )
    _, own = np.unique(first, return_inverse=True)
    _, other = np.unique(second, return_inverse=True)
    return by_size(own * (other.max(initial=0) + 1) + other)
