"""How often to look at a model whose epochs are short."""

from __future__ import annotations

# Updates between two looks: on small models a look takes as long as 10 to 30 updates
# (`python -m benchmarks.models444 run --subset quick`).
SPACING = 32
SHARE = 0.25  # of the updates so far: a training that has just begun is looked at more often


def is_due(step: int, last: int, spacing: int = SPACING) -> bool:
    """Tell whether to look at the model at the end of an epoch.

    Args:
        step: Updates so far.
        last: Updates at the last look.
        spacing: Most updates to wait for; 0 looks at the end of every epoch. Defaults to `SPACING`.

    >>> [step for step in range(1, 13) if is_due(step, step - 2)]
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    >>> is_due(1000, 900), is_due(1000, 950)
    (True, False)
    """
    return step - last >= min(spacing, SHARE * last)
