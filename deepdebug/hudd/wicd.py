"""How tight clusters are: the mean distance within them (ICD), and its weighted sum for every k (WICD).

For a cluster C, ICD(C) is the mean distance of its pairs; singletons have none and count as 0. For a partition into k
clusters of N images, WICD(k) = 1/k * sum over C of ICD(C) |C| / N, where k counts singletons too. (Fahmy et al.,
"Supporting deep neural network safety analysis and retraining through heatmap-based unsupervised learning", IEEE
Transactions on Reliability 2021; formula as computed by the published code, SNTSVV/HUDD-Toolset, `clusterModule.py`.)
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import leaves_list

from deepdebug.hudd.condensed import offsets, square
from deepdebug.hudd.linkage import Dendrogram, Labels

Values = npt.NDArray[np.float64]


def icd(distances: npt.NDArray[Any], labels: Labels) -> Values:
    """Return the mean distance within each cluster, 0 for singletons.

    Args:
        distances: Condensed distances of N images.
        labels: Array of shape (N,) of labels 0, 1, ...

    Returns:
        Array of shape (clusters,).
    """
    found = []
    for label in range(int(labels.max(initial=-1)) + 1):
        members = np.flatnonzero(labels == label)
        pairs = len(members) * (len(members) - 1)
        found.append(square(distances, members, len(labels)).sum() / pairs if pairs else 0.0)
    return np.array(found)


def wicd(distances: npt.NDArray[Any], labels: Labels) -> float:
    """Return WICD of one partition.

    Args:
        distances: Condensed distances of N images.
        labels: Array of shape (N,) of labels 0, 1, ...
    """
    sizes = np.bincount(labels)
    return float((icd(distances, labels) * sizes).sum() / len(labels) / len(sizes))


def layer_icd(distances: npt.NDArray[Any], labels: Labels) -> float:
    """Return the mean ICD of the clusters that are no singletons; NaN where all are.

    Args:
        distances: Condensed distances of N images.
        labels: Array of shape (N,) of labels 0, 1, ...
    """
    several = icd(distances, labels)[np.bincount(labels) > 1]
    return float(several.mean()) if len(several) else float("nan")


def wicd_curve(dendrogram: Dendrogram, distances: npt.NDArray[Any]) -> Values:
    """Return WICD for every number of clusters, in one walk over all pairs.

    A merge changes the sum over clusters by its own term less those of its two parts, and the distances between the two
    parts are met once. So all k together cost as much as one.

    Args:
        dendrogram: Of N leaves.
        distances: Condensed distances of N images; not necessarily those of the dendrogram.

    Returns:
        Array of shape (N + 1,), of which element k is WICD(k); element 0 is NaN.
    """
    count = dendrogram.num_leaves
    terms = _terms(dendrogram, distances)
    children = dendrogram.children
    change = terms[count:] - terms[children[:, 0]] - terms[children[:, 1]]
    # After merge i there are N - 1 - i clusters.
    totals = np.concatenate([[0.0], np.cumsum(change)])[::-1]
    curve: Values = np.concatenate([[np.nan], np.maximum(totals, 0.0) / np.arange(1, count + 1) / count])
    return curve


def _terms(dendrogram: Dendrogram, distances: npt.NDArray[Any]) -> Values:
    """Return ICD(C) |C| of every leaf and every merge."""
    count = dendrogram.num_leaves
    sizes = np.concatenate([np.ones(count), dendrogram.merges[:, 3]])
    sums = np.zeros(2 * count - 1)
    cross = _cross_sums(dendrogram, distances)
    for merge, (first, second) in enumerate(dendrogram.children):
        sums[count + merge] = sums[first] + sums[second] + cross[merge]
    return 2.0 * sums / np.maximum(sizes - 1.0, 1.0)


def _cross_sums(dendrogram: Dendrogram, distances: npt.NDArray[Any]) -> Values:
    """Return, for every merge, the sum of the distances between its two parts.

    In the order of the leaves every group is an interval, and two leaves meet in the latest of the merges whose seam
    lies between them. Along a row of pairs that is a running maximum, so each row is a few numpy calls.
    """
    count = dendrogram.num_leaves
    sums = np.zeros(count - 1)
    if count < 2:
        return sums
    order = leaves_list(dendrogram.merges).astype(np.int64)
    seams = _seams(dendrogram)
    base = offsets(count)
    for place in range(count - 1):
        image, others = order[place], order[place + 1 :]
        values = distances[base[np.minimum(image, others)] + np.maximum(image, others)]
        meeting = np.maximum.accumulate(seams[place:])
        starts = np.flatnonzero(np.diff(meeting, prepend=-1))
        sums[meeting[starts]] += np.add.reduceat(values, starts, dtype=np.float64)
    return sums


def _seams(dendrogram: Dendrogram) -> npt.NDArray[np.int64]:
    """Return, for every two neighbours in the order of the leaves, the merge whose parts meet there."""
    count = dendrogram.num_leaves
    sizes = np.concatenate([np.ones(count, np.int64), dendrogram.merges[:, 3].astype(np.int64)])
    start = np.zeros(2 * count - 1, np.int64)
    seams = np.zeros(count - 1, np.int64)
    children = dendrogram.children
    for merge in range(count - 2, -1, -1):
        first, second = children[merge]
        start[first] = start[count + merge]
        start[second] = start[count + merge] + sizes[first]
        seams[start[second] - 1] = merge
    return seams
