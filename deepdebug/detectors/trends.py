"""Trends and outliers in short series of numbers, such as the loss at each epoch end."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

EXACT_SIZE = 33  # up to here the distribution of Kendall's S is computed exactly, as in scipy.stats.kendalltau
MAX_POINTS = 40
NORMAL_99 = 2.5758293035489004  # 99 % of the normal distribution lie within this many standard deviations
MAD_TO_DEVIATION = 1.4826


@dataclass(frozen=True, slots=True)
class Trend:
    """One-sided p-values of the Mann-Kendall test.

    Args:
        rising: Chance that a series without a trend rises as clearly.
        falling: Chance that a series without a trend falls as clearly.
    """

    rising: float
    falling: float


def mann_kendall(values: Sequence[float]) -> Trend:
    """Test a series for a monotone trend (Mann 1945, Kendall 1975).

    Exact for up to `EXACT_SIZE` values without ties, else by the normal approximation with continuity correction.

    Example:

    >>> mann_kendall([5.0, 4.0, 3.0, 2.0, 1.0]).falling < 0.01
    True
    """
    series = np.asarray(values, dtype=np.float64)
    size = series.size
    score = int(np.triu(np.sign(series[np.newaxis, :] - series[:, np.newaxis]), 1).sum())
    ties = np.unique(series, return_counts=True)[1]
    if size <= EXACT_SIZE and ties.size == size:
        return Trend(_exact_tail(size, score), _exact_tail(size, -score))
    variance = (size * (size - 1) * (2 * size + 5) - int((ties * (ties - 1) * (2 * ties + 5)).sum())) / 18
    if variance <= 0:
        return Trend(1.0, 1.0)
    deviation = math.sqrt(variance)
    return Trend(_normal_tail((score - 1) / deviation), _normal_tail((-score - 1) / deviation))


def _normal_tail(deviations: float) -> float:
    return 0.5 * math.erfc(deviations / math.sqrt(2))


def _exact_tail(size: int, score: int) -> float:
    """Chance of a score at least as large: of at most so many inversions in a random order."""
    inversions = (size * (size - 1) // 2 - score) // 2
    return _inversion_chances(size)[inversions]


@functools.cache
def _inversion_chances(size: int) -> tuple[float, ...]:
    chances = np.ones(1)
    for length in range(2, size + 1):
        chances = np.convolve(chances, np.full(length, 1 / length))
    return tuple(float(chance) for chance in np.minimum(np.cumsum(chances), 1.0))


@functools.cache
def _pairs(size: int) -> tuple[np.ndarray, np.ndarray]:
    first, second = np.triu_indices(size, 1)
    return first, second


def theil_sen(values: Sequence[float]) -> float:
    """Return the median slope between all pairs of values (Theil 1950, Sen 1968)."""
    series = np.asarray(values, dtype=np.float64)
    first, second = _pairs(series.size)
    return float(np.median((series[second] - series[first]) / (second - first)))


def residuals(values: Sequence[float]) -> np.ndarray:
    """Return what is left of a series without its Theil-Sen line, centred."""
    series = np.asarray(values, dtype=np.float64)
    left = series - theil_sen(values) * np.arange(series.size)
    return np.asarray(left - left.mean())


def lag_one(values: np.ndarray) -> float:
    """Return the correlation of a centred series with itself one step later; below 0 for a zigzag."""
    power = float((values * values).sum())
    return float((values[1:] * values[:-1]).sum()) / power if power > 0 else 0.0


def robust_z(value: float, reference: Sequence[float]) -> float:
    """Return how many (robust) standard deviations `value` lies above the median of `reference`."""
    median = float(np.median(reference))
    deviation = MAD_TO_DEVIATION * float(np.median(np.abs(np.asarray(reference) - median)))
    return (value - median) / (deviation + 1e-9 * abs(median) + 1e-300)


def fall(values: Sequence[float]) -> float:
    """Return by which share the median of the last third lies below that of the first third."""
    third = max(1, len(values) // 3)
    before, after = float(np.median(values[:third])), float(np.median(values[-third:]))
    return (before - after) / abs(before) if before else 0.0


def thin(values: Sequence[float], most: int = MAX_POINTS) -> list[float]:
    """Return at most `most` means of neighbouring values, so that the cost of a test stays bounded."""
    group = math.ceil(len(values) / most)
    if group <= 1:
        return list(values)
    return [math.fsum(values[at : at + group]) / len(values[at : at + group]) for at in range(0, len(values), group)]


def window(values: Sequence[float], least: int, share: float) -> list[float]:
    """Return the newest values: a share of all, at least `least`, thinned to a bounded number."""
    return thin(values[-max(least, math.ceil(share * len(values))) :])


def wilson_interval(share: float, count: int) -> tuple[float, float]:
    """Return the 99 % interval of a share seen in `count` rows (Wilson 1927)."""
    square = NORMAL_99**2 / count
    centre = (share + square / 2) / (1 + square)
    half = NORMAL_99 / (1 + square) * math.sqrt(share * (1 - share) / count + square / (4 * count))
    return centre - half, centre + half
