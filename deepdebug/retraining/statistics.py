"""What the difference between arms, and between two models, is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from deepdebug.errors import UsageError

LARGE = 0.71  # from here on a difference is called large (Vargha and Delaney, 2000, table 1)
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with the interval in which it lies with a confidence of 95 %, by Student's t.

    Args:
        mean: The mean.
        low: Lower end; the mean itself where there is one value only.
        high: Upper end.
        count: Number of values.
    """

    mean: float
    low: float
    high: float
    count: int


def interval(values: Sequence[float]) -> Interval:
    """Return the mean of some runs and its confidence interval.

    Args:
        values: One per run.

    Raises:
        UsageError: When there is none.
    """
    found = np.asarray(values, np.float64)
    if not len(found):
        raise UsageError("There are no values to take the mean of.")
    mean = float(found.mean())
    if len(found) == 1 or not (spread := float(found.std(ddof=1))):
        return Interval(mean, mean, mean, len(found))
    low, high = stats.t.interval(LEVEL, len(found) - 1, loc=mean, scale=spread / np.sqrt(len(found)))
    return Interval(mean, float(low), float(high), len(found))


def superiority(one: npt.ArrayLike, other: npt.ArrayLike) -> float:
    """Return the chance that a value of one sample is larger than one of the other, equal ones counted half.

    This is A12 of Vargha and Delaney, "A critique and improvement of the CL common language effect size statistics of
    McGraw and Wong" (2000).

    Args:
        one: Array of shape (N,).
        other: Array of shape (M,).

    Raises:
        UsageError: When one of them is empty.

    >>> superiority([3, 4], [1, 2])
    1.0
    >>> superiority([1, 2], [1, 2])
    0.5
    """
    left, right = np.asarray(one, np.float64), np.asarray(other, np.float64)
    if not (left.size and right.size):
        raise UsageError(f"The samples have {left.size} and {right.size} values; expected one or more each.")
    above = (left[:, None] > right).mean() + 0.5 * (left[:, None] == right).mean()
    return float(above)


def difference(one: npt.ArrayLike, other: npt.ArrayLike) -> float:
    """Return the two-sided p-value of the Mann-Whitney U test: that both samples come from the same distribution.

    Args:
        one: Array of shape (N,).
        other: Array of shape (M,).

    Raises:
        UsageError: When one of them is empty.
    """
    left, right = np.asarray(one, np.float64), np.asarray(other, np.float64)
    if not (left.size and right.size):
        raise UsageError(f"The samples have {left.size} and {right.size} values; expected one or more each.")
    if len(np.unique(np.concatenate([left, right]))) == 1:
        return 1.0
    return float(stats.mannwhitneyu(left, right, alternative="two-sided").pvalue)


def mcnemar(fixed: int, broken: int) -> float:
    """Return the exact two-sided p-value of McNemar's test: that two models are equally often right.

    Args:
        fixed: Images that only the second model gets right.
        broken: Images that only the first one gets right.

    >>> mcnemar(0, 0)
    1.0
    >>> round(mcnemar(10, 0), 6)
    0.001953
    """
    changed = fixed + broken
    return float(stats.binomtest(fixed, changed).pvalue) if changed else 1.0
