"""Ward's clustering of points that stand for several images each."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from deepdebug.hudd.linkage import Dendrogram
from deepdebug.hudd.rows import Floats


def weighted_ward(points: Floats, weights: npt.NDArray[Any]) -> Dendrogram:
    """Return the dendrogram in which every point counts as often as its weight says.

    The distance of two groups is sqrt(2 w v / (w + v)) |a - b| with their weights and means, which for weights of one
    is scipy's; groups are merged along chains of nearest neighbours and distances updated after Lance and Williams
    (Muellner, "Modern hierarchical, agglomerative clustering algorithms", arXiv 1109.2378, sections 2 and 3.2).

    Args:
        points: Array of shape (points, values). A matrix of 8 points^2 bytes is made.
        weights: Positive numbers, of shape (points,).

    Returns:
        Its merges carry the sum of weights in place of the number of leaves.
    """
    if len(points) < 2:
        return Dendrogram(np.zeros((0, 4)))
    return _tree(_squared(points.astype(np.float64)), weights)


def ward_of_clusters(mean_squares: Floats, sizes: npt.NDArray[Any]) -> Dendrogram:
    """Return the dendrogram of whole clusters, which is the top of Ward's where they were cut out of that.

    The squared distance of two means is the mean squared distance of their members less half of that within each.

    Args:
        mean_squares: Mean squared distances of k clusters, of shape (k, k), as `Space.mean_squares` returns them.
        sizes: Number of members, of shape (k,).
    """
    if len(sizes) < 2:
        return Dendrogram(np.zeros((0, 4)))
    within = np.diag(mean_squares)
    return _tree(np.maximum(mean_squares - within[:, None] / 2 - within / 2, 0.0), sizes)


def _tree(squared: npt.NDArray[np.float64], weights: npt.NDArray[Any]) -> Dendrogram:
    """Return the dendrogram of squared distances between means, which are used up."""
    mass = np.asarray(weights, np.float64).copy()
    squared *= 2.0 / (1.0 / mass[:, None] + 1.0 / mass)
    np.fill_diagonal(squared, np.inf)
    found = _chains(squared, mass)
    return Dendrogram(_named(found[np.argsort(found[:, 2], kind="stable")], weights))


def _squared(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    centred = points - points.mean(axis=0)
    norms = np.einsum("ij,ij->i", centred, centred)
    squared: npt.NDArray[np.float64] = centred @ centred.T
    squared *= -2.0
    squared += norms[:, None]
    squared += norms
    return np.maximum(squared, 0.0, out=squared)


def _chains(squared: npt.NDArray[np.float64], mass: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the merges (slot, slot, height, weight) in the order in which the chains find them.

    Both arrays are used up. A merged pair lives on in the second slot.
    """
    count = len(mass)
    found = np.zeros((count - 1, 4))
    alive = np.ones(count, bool)
    chain: list[int] = []
    for merge in range(count - 1):
        if not chain:
            chain = [int(np.argmax(alive))]
        while True:
            here = chain[-1]
            nearest = int(np.argmin(squared[here]))
            # Of equal neighbours the one that the chain came from, or it would run in circles.
            if len(chain) > 1 and squared[here, chain[-2]] <= squared[here, nearest]:
                break
            chain.append(nearest)
        first, second = chain.pop(), chain.pop()
        found[merge] = first, second, np.sqrt(squared[first, second]), mass[first] + mass[second]
        _merge(squared, mass, first, second)
        alive[first] = False
    return found


def _merge(squared: npt.NDArray[np.float64], mass: npt.NDArray[np.float64], first: int, second: int) -> None:
    """Put the group of both into the second slot (Lance and Williams 1967, Ward's coefficients)."""
    apart = squared[first, second]
    ours, theirs = mass[first], mass[second]
    row = ((mass + ours) * squared[first] + (mass + theirs) * squared[second] - mass * apart) / (mass + ours + theirs)
    row[[first, second]] = np.inf
    gone = np.isinf(squared[second])
    row[gone] = np.inf
    squared[second], squared[:, second] = row, row
    squared[first], squared[:, first] = np.inf, np.inf
    mass[second] += ours


def _named(merges: npt.NDArray[np.float64], weights: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return merges, sorted by height, with the numbers that scipy gives to groups in place of slots."""
    count = len(weights)
    parent = np.arange(2 * count - 1)
    named = merges.copy()
    for merge, (first, second) in enumerate(merges[:, :2].astype(int)):
        groups = sorted((_root(parent, first), _root(parent, second)))
        named[merge, :2] = groups
        parent[groups] = count + merge
    return named


def _root(parent: npt.NDArray[Any], node: int) -> int:
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = int(parent[node])
    return node
