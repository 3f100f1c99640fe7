"""The parameters of a cluster beside those of the other failures, as rows of a table with a small plot each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deepdebug.report.hudd.headline import significant_effects, strength
from deepdebug.report.hudd.words import chance, span
from deepdebug.report.wording import number

if TYPE_CHECKING:
    from deepdebug.hudd.analysis import Effect, Group, Quantiles

WIDTH = 120  # of the plot
INSET = 4
TURN = 360.0


@dataclass(frozen=True, slots=True)
class Bar:
    """A range on the plot.

    Args:
        parts: Left end and width of each piece; two where a range of angles leads through 0.
        middle: Where the median is.
    """

    parts: tuple[tuple[float, float], ...]
    middle: float


@dataclass(frozen=True, slots=True)
class Row:
    """One parameter.

    Args:
        name: Of the parameter.
        inside: Bar of the members.
        outside: Bar of the other failures.
        cells: The numbers as texts.
    """

    name: str
    inside: Bar
    outside: Bar
    cells: tuple[str, ...]


def effect_rows(group: Group) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """Return the rows of the parameters that differ, the most first, and those of the others, in their order."""
    found = significant_effects(group)
    others = tuple(one for one in group.effects if one not in found)
    return tuple(map(_row, sorted(found, key=strength, reverse=True))), tuple(map(_row, others))


def _row(effect: Effect) -> Row:
    low, high = _limits(effect)
    cells = (
        _quantiles(effect.inside, effect),
        _quantiles(effect.outside, effect),
        number(effect.superiority),
        number(effect.reduction),
        chance(effect.q_value),
    )
    return Row(effect.name, _bar(effect.inside, low, high), _bar(effect.outside, low, high), cells)


def _limits(effect: Effect) -> tuple[float, float]:
    if effect.superiority is None:
        return 0.0, TURN
    values = (*effect.inside, *effect.outside)
    return min(values), max(values)


def _quantiles(values: Quantiles, effect: Effect) -> str:
    low, middle, high = values
    return f"{number(middle)} ({span(low, high, effect.superiority is None)})"


def _bar(values: Quantiles, low: float, high: float) -> Bar:
    scale = (WIDTH - 2 * INSET) / ((high - low) or 1.0)
    first, middle, last = (INSET + (value - low) * scale for value in values)
    parts = ((first, last - first),) if first <= last else ((first, WIDTH - INSET - first), (INSET, last - INSET))
    return Bar(tuple((round(left, 1), round(max(width, 2.0), 1)) for left, width in parts), round(middle, 1))
