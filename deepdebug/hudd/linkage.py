"""The tree of merges: agglomerative clustering, and its partitions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import linkage as scipy_linkage

from deepdebug.errors import UsageError
from deepdebug.hudd.condensed import num_rows

Labels = npt.NDArray[np.intp]

LINKAGES = ("ward", "average", "complete", "single", "weighted")


@dataclass(frozen=True, slots=True)
class Dendrogram:
    """Which two groups were merged, step by step.

    Args:
        merges: Array of shape (leaves - 1, 4) as `scipy.cluster.hierarchy.linkage` returns it: the two groups (numbers
            from `leaves` on are the merges before), the height, the number of images below. Heights do not fall.
    """

    merges: npt.NDArray[np.float64]

    @property
    def num_leaves(self) -> int:
        """Number of leaves; 1 for a tree without merges."""
        return len(self.merges) + 1

    @property
    def heights(self) -> npt.NDArray[np.float64]:
        """Height of every merge, of shape (leaves - 1,)."""
        return self.merges[:, 2]

    @property
    def children(self) -> npt.NDArray[np.intp]:
        """The two groups of every merge, of shape (leaves - 1, 2)."""
        return self.merges[:, :2].astype(np.intp)

    @property
    def max_clusters(self) -> int:
        """The most groups that leave equal images together."""
        return int(np.count_nonzero(self.heights > 0)) + 1

    def height_of(self, k: int) -> float:
        """Return the height of the merge that makes k - 1 groups of k, for k from 2 on."""
        return float(self.heights[self.num_leaves - k])

    def partition(self, k: int) -> Labels:
        """Return the labels of exactly k groups.

        Args:
            k: Number of groups, from 1 to the number of leaves.

        Returns:
            Array of shape (leaves,) of labels from 0 on; the largest group has 0, of equal ones that with the first
            leaf comes first.

        Raises:
            UsageError: When there is no such partition.
        """
        if not 1 <= k <= self.num_leaves:
            raise UsageError(f"`k` is {k}; expected a number from 1 to the {self.num_leaves} images.")
        return by_size(self.groups(self.num_leaves - k))

    def branches(self) -> list[tuple[int, ...]]:
        """Return the leaves below every merge, in the order of the merges, the last of which has all."""
        found: list[tuple[int, ...]] = [(leaf,) for leaf in range(self.num_leaves)]
        for first, second in self.children:
            found.append(tuple(sorted((*found[first], *found[second]))))
        return found[self.num_leaves :]

    def groups(self, num_merges: int) -> Labels:
        """Return, for every leaf, the number of the group it is in after the first merges."""
        parent = np.arange(self.num_leaves + num_merges, dtype=np.intp)
        joined = self.children[:num_merges]
        parent[joined] = (self.num_leaves + np.arange(num_merges))[:, None]
        while True:
            above = parent[parent]
            if np.array_equal(above, parent):
                return parent[: self.num_leaves]
            parent = above


def by_size(groups: npt.NDArray[Any]) -> Labels:
    """Return labels 0, 1, ... for group numbers: the largest group first, then by their first member.

    >>> by_size(np.array([7, 3, 3, 9])).tolist()
    [1, 0, 0, 2]
    """
    _, first, inverse, counts = np.unique(groups, return_index=True, return_inverse=True, return_counts=True)
    rank = np.empty(len(first), np.intp)
    rank[np.lexsort((first, -counts))] = np.arange(len(first))
    labels: Labels = rank[inverse]
    return labels


def build(distances: npt.NDArray[Any], linkage: str = "ward") -> Dendrogram:
    """Return the dendrogram of condensed distances.

    Args:
        distances: Array of shape (N (N - 1) / 2,), not squared. Two copies in float64 are made: 8 N (N - 1) bytes.
        linkage: "ward", "average", "complete", "single" or "weighted". Defaults to "ward" (Ward 1963), which the
            original uses.

    Raises:
        UsageError: When there is no such linkage.
    """
    if linkage not in LINKAGES:
        raise UsageError(f"`linkage` is {linkage!r}; expected one of {', '.join(map(repr, LINKAGES))}.")
    if num_rows(distances) < 2:
        return Dendrogram(np.zeros((0, 4)))
    return Dendrogram(scipy_linkage(np.asarray(distances, np.float64), linkage))
