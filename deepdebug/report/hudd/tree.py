"""How the clusters would go on to be merged, as a tree on its side: leaves left, root right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deepdebug.report.hudd.chart import Tick, ticks

if TYPE_CHECKING:
    from deepdebug.hudd.analysis import Analysis

Merges = Sequence[tuple[int, int, float, int]]
WIDTH = 440
LEFT, RIGHT, BOTTOM = 64, 14, 36
ROW = 20  # height of a leaf


@dataclass(frozen=True, slots=True)
class Leaf:
    """A cluster at the left end.

    Args:
        number: Of the cluster.
        size: Its images.
        y: From the top.
    """

    number: int
    size: int
    y: float


@dataclass(frozen=True, slots=True)
class Bracket:
    """A merge.

    Args:
        path: Its line, as SVG has it.
        height: Of the merge.
        images: In what is merged.
        apart: Whether there is a clear gap around what is merged.
    """

    path: str
    height: float
    images: int
    apart: bool


@dataclass(frozen=True, slots=True)
class Tree:
    """The whole tree.

    Args:
        width: In its own units.
        height: Likewise.
        floor: Where the axis is, from the top.
        leaves: The clusters.
        brackets: The merges.
        ticks: Of the axis of heights.
    """

    width: int
    height: int
    floor: int
    leaves: tuple[Leaf, ...]
    brackets: tuple[Bracket, ...]
    ticks: tuple[Tick, ...]


def draw_tree(analysis: Analysis) -> Tree | None:
    """Return the tree; `None` where nothing is merged.

    Args:
        analysis: Its groups are the leaves 0, 1, ...
    """
    groups, merges = analysis.groups, analysis.merges
    if not merges or not groups:
        return None
    level = analysis.level if analysis.significant else -1.0
    apart = [one.p_value is not None and one.p_value <= level for one in analysis.branches]
    order = _leaves(len(groups), merges)
    rows = {leaf: (place + 0.5) * ROW + 2 for place, leaf in enumerate(order)}
    floor = len(order) * ROW + 6
    marks = ticks(max(height for _, _, height, _ in merges), LEFT, WIDTH - RIGHT)
    leaves = tuple(Leaf(groups[one].number, len(groups[one].members), rows[one]) for one in order)
    return Tree(WIDTH, floor + BOTTOM, floor, leaves, tuple(_brackets(rows, merges, apart)), marks)


def _leaves(count: int, merges: Merges) -> list[int]:
    """Return the leaves such that no lines cross, the part with the smaller number first."""
    parts = [[leaf] for leaf in range(count)]
    for first, second, _, _ in merges:
        parts.append(parts[first] + parts[second])
    return parts[-1]


def _brackets(rows: dict[int, float], merges: Merges, apart: Sequence[bool]) -> list[Bracket]:
    scale = (WIDTH - RIGHT - LEFT) / (max(height for _, _, height, _ in merges) or 1.0)
    ends = {leaf: (float(LEFT), y) for leaf, y in rows.items()}
    found = []
    for number, (first, second, height, images) in enumerate(merges):
        (x, y), (other_x, other_y) = ends[first], ends[second]
        right = LEFT + height * scale
        path = f"M{x:.1f} {y:.1f}H{right:.1f}V{other_y:.1f}H{other_x:.1f}"
        found.append(Bracket(path, height, images, number < len(apart) and apart[number]))
        ends[len(rows) + number] = (right, (y + other_y) / 2)
    return found
