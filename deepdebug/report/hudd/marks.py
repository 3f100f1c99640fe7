"""Colour and shape of every cluster."""

from __future__ import annotations

from dataclasses import dataclass

from deepdebug.report.plots import COLORS

SHAPES = (
    "M-3.4 0a3.4 3.4 0 1 0 6.8 0a3.4 3.4 0 1 0-6.8 0Z",
    "M-3-3H3V3H-3Z",
    "M0-4.2L4 2.9H-4Z",
    "M0-4.4L4.4 0L0 4.4L-4.4 0Z",
    "M-1.3-4H1.3V-1.3H4V1.3H1.3V4H-1.3V1.3H-4V-1.3H-1.3Z",
    "M0 4.2L4-2.9H-4Z",
)


@dataclass(frozen=True, slots=True)
class Mark:
    """How a cluster is drawn; both differ between clusters until 36 are used up.

    Args:
        color: As the style sheet takes it.
        shape: Number in `SHAPES`.
    """

    color: str
    shape: int


def mark(number: int) -> Mark:
    """Return how a cluster is drawn, by its number from 1 on."""
    place, turn = (number - 1) % len(COLORS), (number - 1) // len(COLORS)
    return Mark(COLORS[place], (place + turn) % len(SHAPES))
