"""A curve over the number of clusters, with the chosen number marked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from deepdebug.report.wording import number

WIDTH, HEIGHT = 440, 220
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 14, 40
TICKS = 5


@dataclass(frozen=True, slots=True)
class Tick:
    """A number at an axis.

    Args:
        place: Along the axis, in units of the picture.
        text: The number.
    """

    place: float
    text: str


@dataclass(frozen=True, slots=True)
class Point:
    """A value of the curve.

    Args:
        x: From the left.
        y: From the top.
        clusters: Number of clusters.
        value: What the curve shows.
        chosen: Whether it is the chosen number.
    """

    x: float
    y: float
    clusters: int
    value: float
    chosen: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """One curve.

    Args:
        label: What the values are, at the upright axis.
        points: The curve.
        across: Ticks of the numbers of clusters.
        up: Ticks of the values.
    """

    label: str
    points: tuple[Point, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]

    @property
    def line(self) -> str:
        """The points as an SVG polyline has them."""
        return " ".join(f"{one.x},{one.y}" for one in self.points)

    @property
    def chosen(self) -> Point | None:
        """The chosen number; `None` where it is no point of the curve."""
        return next((one for one in self.points if one.chosen), None)


def draw_chart(label: str, numbers: Sequence[int], values: Sequence[float], chosen: int) -> Chart | None:
    """Return a curve; `None` where it has fewer than two finite values.

    Args:
        label: What the values are.
        numbers: Numbers of clusters, growing.
        values: One for each; empty where they are not known.
        chosen: The chosen number.
    """
    if not values:
        return None
    pairs = [(k, value) for k, value in zip(numbers, values, strict=True) if math.isfinite(value)]
    if len(pairs) < 2:
        return None
    first, last, top = pairs[0][0], pairs[-1][0], max(value for _, value in pairs)
    across = (WIDTH - LEFT - RIGHT) / (last - first)
    up = (HEIGHT - TOP - BOTTOM) / (top or 1.0)
    points = tuple(
        Point(round(LEFT + (k - first) * across, 1), round(HEIGHT - BOTTOM - value * up, 1), k, value, k == chosen)
        for k, value in pairs
    )
    numbered = tuple(Tick(LEFT + (k - first) * across, str(k)) for k in _whole(first, last))
    return Chart(label, points, numbered, ticks(top, HEIGHT - BOTTOM, TOP))


def ticks(top: float, start: float, end: float) -> tuple[Tick, ...]:
    """Return round numbers from 0 to at most `top`.

    Args:
        top: Largest value.
        start: Where 0 is.
        end: Where `top` is.

    >>> [one.text for one in ticks(11.0, 0.0, 100.0)]
    ['0', '5', '10']
    """
    if top <= 0:
        return (Tick(start, "0"),)
    step = _step(top)
    values = [one * step for one in range(int(top / step + 1e-9) + 1)]
    return tuple(Tick(round(start + value / top * (end - start), 1), number(value)) for value in values)


def _whole(first: int, last: int) -> list[int]:
    step = max(1, math.ceil(_step(last - first)))
    return [first, *range((first // step + 1) * step, last + 1, step)]


def _step(top: float) -> float:
    rough = top / TICKS
    power: float = 10.0 ** math.floor(math.log10(rough))
    return power * next(one for one in (1, 2, 5, 10) if rough <= one * power * (1 + 1e-9))
