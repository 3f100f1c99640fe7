"""The uppermost forks of a dendrogram, without those that split off a few outliers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from deepdebug.hudd.linkage import Dendrogram, Labels


@dataclass(frozen=True, slots=True)
class Fork:
    """Where a group comes apart into two.

    Args:
        sides: The leaves of both parts, sorted.
        parent: Number of the fork whose part comes apart here; -1 for the first.
        part: 0 or 1: which part of the parent.
    """

    sides: tuple[Labels, Labels]
    parent: int
    part: int


def forks(dendrogram: Dendrogram, count: int, smallest: int) -> list[Fork]:
    """Return the uppermost forks, parents before children.

    Args:
        dendrogram: The tree.
        count: Largest number of forks.
        smallest: Fewest leaves of a part. Smaller parts are outliers: the fork is passed over for the next one below
            in its larger part.
    """
    walk = _Walk(dendrogram, smallest)
    found: list[Fork] = []
    waiting = [(walk.next_fork(2 * dendrogram.num_leaves - 2), -1, 0)]
    while len(found) < count:
        waiting = [one for one in waiting if one[0] >= 0]
        if not waiting:
            break
        node, parent, part = max(waiting)
        waiting.remove((node, parent, part))
        below = walk.children(node)
        waiting += [(walk.next_fork(child), len(found), side) for side, child in enumerate(below)]
        found.append(Fork((walk.leaves(below[0]), walk.leaves(below[1])), parent, part))
    return found


class _Walk:
    """Ways down a dendrogram."""

    def __init__(self, dendrogram: Dendrogram, smallest: int) -> None:
        self._count = dendrogram.num_leaves
        self._children: npt.NDArray[Any] = dendrogram.children
        self._sizes = np.concatenate([np.ones(self._count), dendrogram.merges[:, 3]])
        self._smallest = smallest

    def children(self, node: int) -> tuple[int, int]:
        first, second = self._children[node - self._count]
        return int(first), int(second)

    def next_fork(self, node: int) -> int:
        """Return the first merge at or below a node that has two parts of some size; -1 where there is none."""
        while node >= self._count:
            first, second = self.children(node)
            if min(self._sizes[first], self._sizes[second]) >= self._smallest:
                return node
            node = first if self._sizes[first] >= self._sizes[second] else second
        return -1

    def leaves(self, node: int) -> Labels:
        found, waiting = [], [node]
        while waiting:
            one = waiting.pop()
            if one < self._count:
                found.append(one)
            else:
                waiting += self.children(one)
        return np.array(sorted(found), np.intp)
