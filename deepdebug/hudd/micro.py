"""Many small groups of near images, which stand for their members where there are too many images to compare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from deepdebug.hudd.linkage import Labels
from deepdebug.hudd.rows import Floats

MEMBERS = 20  # images per group on average
FEWEST, MOST = 250, 5000  # groups; the matrix of weighted Ward takes 200 MB for 5,000
ROUNDS = 5  # of Lloyd's k-means; later ones move few images
BLOCK = 4096


@dataclass(frozen=True, slots=True)
class Micro:
    """Small groups of images.

    Args:
        group: Array of shape (N,): the group of every image.
        centres: Array of shape (groups, values): the mean of every group.
        weights: Array of shape (groups,): how many images each has; at least one.
    """

    group: Labels
    centres: Floats
    weights: npt.NDArray[Any]


def micro_clusters(points: Floats, count: int | None = None, seed: int = 0) -> Micro:
    """Return small groups, by a few rounds of k-means from random images.

    Args:
        points: Array of shape (N, values), N >= 1.
        count: Number of groups; empty ones are left out. Defaults to one per 20 images, between 250 and 5,000.
        seed: Of the random images. Defaults to 0.
    """
    wanted = min(len(points), count or int(np.clip(len(points) // MEMBERS, FEWEST, MOST)))
    chosen = np.random.default_rng([seed, 1]).choice(len(points), wanted, replace=False)
    centres = points[np.sort(chosen)].astype(np.float32)
    for _ in range(ROUNDS):
        centres = _means(points, nearest(points, centres))[0]
    group = nearest(points, centres)
    centres, weights, group = _means(points, group)
    return Micro(group, centres, weights)


def nearest(points: Floats, centres: Floats) -> Labels:
    """Return, for every point, the number of the nearest centre.

    Args:
        points: Array of shape (N, values).
        centres: Array of shape (centres, values).
    """
    found = np.empty(len(points), np.intp)
    half = 0.5 * np.einsum("ij,ij->i", centres, centres)
    for start in range(0, len(points), BLOCK):
        product = points[start : start + BLOCK] @ centres.T
        product -= half
        found[start : start + BLOCK] = product.argmax(axis=1)
    return found


def _means(points: Floats, group: Labels) -> tuple[Floats, npt.NDArray[Any], Labels]:
    """Return the means and sizes of the groups that have members, and the groups numbered anew."""
    order = np.argsort(group, kind="stable")
    _, starts, inverse, sizes = np.unique(group[order], return_index=True, return_inverse=True, return_counts=True)
    sums = np.empty((len(sizes), points.shape[1]))
    for column in range(0, points.shape[1], 32):
        sums[:, column : column + 32] = np.add.reduceat(points[order, column : column + 32].astype(np.float64), starts)
    renumbered = np.empty(len(group), np.intp)
    renumbered[order] = inverse
    return (sums / sizes[:, None]).astype(np.float32), sizes, renumbered
