"""The map of all failures, with the number of every cluster at its medoid."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import cos, pi, sin
from typing import TYPE_CHECKING

from deepdebug.report.hudd.marks import Mark, mark
from deepdebug.report.hudd.pictures import spread
from deepdebug.report.hudd.words import tail
from deepdebug.report.plots import MISSING

if TYPE_CHECKING:
    from deepdebug.hudd.analysis import Analysis

MOST_POINTS = 1500
WIDTH, HEIGHT = 520, (200, 420)  # of the map, in its own units
MARGIN, EDGE = 18, 12  # that points, and numbers, keep from the frame
LABEL = (9, 16)  # width of a digit and height of a line
RINGS, ANGLES = (0, 16, 28, 42, 58), 8  # where a label may go that would cover another one
LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Dot:
    """A failing image on the map.

    Args:
        x: From the left.
        y: From the top.
        name: What is shown where the pointer rests.
    """

    x: float
    y: float
    name: str


@dataclass(frozen=True, slots=True)
class Layer:
    """The images of one cluster on the map.

    Args:
        number: Of the cluster; `None` for images in none.
        mark: How they are drawn.
        dots: Where.
    """

    number: int | None
    mark: Mark
    dots: tuple[Dot, ...]


@dataclass(frozen=True, slots=True)
class Label:
    """The number of a cluster on the map.

    Args:
        number: Of the cluster.
        x: From the left.
        y: From the top.
        medoid: Where its medoid lies.
    """

    number: int
    x: float
    y: float
    medoid: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Map:
    """All failures as points.

    Args:
        width: In its own units.
        height: Likewise.
        layers: The images.
        labels: The numbers.
        shown: How many images are drawn.
        total: How many there are.
    """

    width: float
    height: float
    layers: tuple[Layer, ...]
    labels: tuple[Label, ...]
    shown: int
    total: int


def draw_map(analysis: Analysis) -> Map | None:
    """Return the map; `None` where there is none.

    Args:
        analysis: The failures. Of more than 1,500, as many are drawn, at equal steps, and all medoids.
    """
    if not analysis.places:
        return None
    places, height = _fitted(analysis.places)
    medoids = {group.number: group.members[0] for group in analysis.groups}
    chosen = {*spread(range(len(places)), max(1, MOST_POINTS - len(medoids))), *medoids.values()}
    layers = tuple(_layers(analysis, places, chosen))
    labels = _labels({number: places[position] for number, position in medoids.items()}, height)
    return Map(WIDTH, height, layers, labels, len(chosen), len(places))


def _layers(analysis: Analysis, places: Sequence[tuple[float, float]], chosen: set[int]) -> Iterable[Layer]:
    def dots(positions: Iterable[int]) -> tuple[Dot, ...]:
        return tuple(Dot(*places[one], tail(analysis.images[one], LONGEST_NAME)) for one in positions if one in chosen)

    grouped = {position for group in analysis.groups for position in group.members}
    alone = dots(sorted(set(range(len(places))) - grouped))
    if alone:
        yield Layer(None, Mark(MISSING, 0), alone)
    for group in analysis.groups:
        yield Layer(group.number, mark(group.number), dots(group.members))


def _fitted(places: Sequence[tuple[float, float]]) -> tuple[list[tuple[float, float]], float]:
    """Return places in the units of the map, one scale for both axes, and its height."""
    (left, right), (low, high) = ((min(axis), max(axis)) for axis in zip(*places, strict=True))
    wide, tall = right - left, high - low
    inner = WIDTH - 2 * MARGIN
    height = min(max(inner * tall / wide if wide else HEIGHT[1], HEIGHT[0]), HEIGHT[1])
    scale = min(inner / wide if wide else 1.0, (height - 2 * MARGIN) / tall if tall else 1.0)
    return [
        (
            round(WIDTH / 2 + (x - (left + right) / 2) * scale, 1),
            round(height / 2 - (y - (low + high) / 2) * scale, 1),
        )
        for x, y in places
    ], round(height, 1)


def _labels(medoids: dict[int, tuple[float, float]], height: float) -> tuple[Label, ...]:
    """Place the numbers at their medoids, or beside them where another number is already there."""
    placed: list[Label] = []
    for number, (x, y) in medoids.items():
        options = [
            Label(number, x + ring * cos(turn), y + ring * sin(turn), (x, y))
            for ring in RINGS
            for turn in ((2 * pi * one / ANGLES for one in range(ANGLES)) if ring else (0.0,))
        ]
        inside = [one for one in options if EDGE < one.x < WIDTH - EDGE and EDGE < one.y < height - EDGE]
        free = (one for one in inside if not any(_overlap(one, other) for other in placed))
        placed.append(next(free, options[0]))
    return tuple(placed)


def _overlap(one: Label, other: Label) -> bool:
    width = LABEL[0] * (len(str(one.number)) + len(str(other.number))) / 2 + 2
    return abs(one.x - other.x) < width and abs(one.y - other.y) < LABEL[1]
