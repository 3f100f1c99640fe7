"""How often to observe a model whose epochs are short."""

from __future__ import annotations

SPACING = 16  # updates: on small models an observation takes about as long
MOST_SPACING = 64  # updates: an epoch of so many takes far longer than an observation, and none is passed by
LOOKS = 40  # observations that show the course of a training, however many its epochs are
SHARE = 0.25  # of the updates at the last observation: a training that has just begun is observed more often


def widest(planned: int | None, spacing: int = SPACING) -> int:
    """Return how many updates to wait for at most, between two observations.

    Args:
        planned: Updates of the whole training; `None` where they are not known.
        spacing: Fewest updates to wait for; 0 observes at the end of every epoch. Defaults to `SPACING`.

    >>> widest(300 * 6), widest(None), widest(100_000), widest(1800, 0)
    (45, 16, 64, 0)
    """
    return min(max(spacing, (planned or 0) // LOOKS), MOST_SPACING) if spacing else 0


def is_due(step: int, last: int, spacing: int = SPACING) -> bool:
    """Tell whether to observe the model at the end of an epoch.

    Args:
        step: Updates so far; fewer than before where an optimizer is reset.
        last: Updates at the last observation.
        spacing: Most updates to wait for; 0 observes at the end of every epoch. Defaults to `SPACING`.

    >>> is_due(1000, 990), is_due(1000, 980)
    (False, True)
    >>> is_due(8, 6), is_due(12, 11)
    (True, False)
    """
    return not spacing or step < last or step - last >= min(spacing, SHARE * last)
