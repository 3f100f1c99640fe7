"""The image that stands for a cluster: the member that is nearest to all others."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from deepdebug.hudd.condensed import offsets
from deepdebug.hudd.linkage import Labels
from deepdebug.hudd.rows import Floats


def medoids(distances: npt.NDArray[Any], labels: Labels) -> Labels:
    """Return the member of each cluster with the smallest sum of distances to the others, the first of equal ones.

    Args:
        distances: Condensed distances of N images.
        labels: Array of shape (N,) of labels 0, 1, ...; -1 stands for no cluster.

    Returns:
        Array of shape (clusters,) of image indices.
    """
    base = offsets(len(labels))
    found = []
    for label in range(int(labels.max(initial=-1)) + 1):
        members = np.flatnonzero(labels == label)
        sums = np.zeros(len(members))
        for place, image in enumerate(members[:-1]):
            others = distances[base[image] + members[place + 1 :]].astype(np.float64)
            sums[place] += others.sum()
            sums[place + 1 :] += others
        found.append(members[_first_smallest(sums)])
    return np.array(found, np.intp)


def central_members(points: Floats, labels: Labels) -> Labels:
    """Return the member of each cluster nearest to its mean, where there are too many images for all distances.

    Args:
        points: Array of shape (N, values).
        labels: Array of shape (N,) of labels 0, 1, ...; -1 stands for no cluster.

    Returns:
        Array of shape (clusters,) of image indices.
    """
    found = []
    for label in range(int(labels.max(initial=-1)) + 1):
        members = np.flatnonzero(labels == label)
        own = points[members].astype(np.float64)
        own -= own.mean(axis=0)
        found.append(members[_first_smallest(np.einsum("ij,ij->i", own, own))])
    return np.array(found, np.intp)


def _first_smallest(sums: npt.NDArray[np.float64]) -> int:
    """Return the first that is smallest but for rounding, so that the order of adding does not choose."""
    return int(np.argmax(sums <= sums.min() * (1 + 1e-9)))
