"""Mean silhouettes of many partitions, on at most a thousand images."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from deepdebug.hudd.linkage import Labels

MOST = 1000  # images; more are sampled, for the matrix is square and every partition walks over it


def silhouettes(
    square: npt.NDArray[Any], partition: Callable[[int], Labels], numbers: npt.NDArray[Any], chosen: npt.NDArray[Any]
) -> npt.NDArray[np.float64]:
    """Return the mean silhouette (Rousseeuw 1987) for several numbers of clusters.

    Args:
        square: Distances among the chosen images, of shape (chosen, chosen).
        partition: Returns the labels of all images for a number of clusters.
        numbers: Numbers of clusters.
        chosen: Indices of the chosen images.

    Returns:
        Array of the shape of `numbers`; NaN where the chosen images lie in one cluster, or each in its own.
    """
    from sklearn.metrics import silhouette_score  # slow to import, and seldom needed

    found = np.full(len(numbers), np.nan)
    for place, number in enumerate(numbers):
        labels = partition(int(number))[chosen]
        if 1 < len(np.unique(labels)) < len(labels):
            found[place] = silhouette_score(square, labels, metric="precomputed")
    return found


def sample(count: int, most: int = MOST, seed: int = 0) -> npt.NDArray[np.intp]:
    """Return the sorted indices of at most `most` of `count` images, drawn without repetition.

    Args:
        count: Number of images.
        most: Defaults to 1000.
        seed: Defaults to 0.
    """
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, most, replace=False))
