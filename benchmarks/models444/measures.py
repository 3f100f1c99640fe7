"""How well verdicts agree with labels, with intervals by resampling models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Flags = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]  # (..., 4): hits, false alarms, misses, rightly silent
RESAMPLES, SEED, LEVEL = 2_000, 0, 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measure with its 95 % interval.

    Args:
        value: The measure; NaN where it is not defined, such as precision without an alarm.
        low: Lower end.
        high: Upper end.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """Verdicts against labels.

    Args:
        models: Number of models that have a verdict.
        hits: Buggy models flagged.
        alarms: Normal models flagged.
        misses: Buggy models not flagged.
        silent: Normal models not flagged.
        measures: Precision, recall, specificity, balanced accuracy and F1 by name.
    """

    models: int
    hits: int
    alarms: int
    misses: int
    silent: int
    measures: dict[str, Estimate]


def agreement(flagged: Sequence[bool | None], buggy: Sequence[bool]) -> Agreement:
    """Compare verdicts with labels.

    Intervals are percentiles over 2,000 resamples of the models, drawn within the buggy and within the normal ones, so
    that every resample has both. They are drawn by the shares (k + 1/2) / (n + 1), as Jeffreys has them: by k / n, an
    interval around 0 of 16 would have no width.

    Args:
        flagged: Whether each model was flagged; `None` where there is no verdict, which leaves the model out.
        buggy: Whether it is labelled as faulty.

    >>> agreement([True, True, False, None], [True, False, True, False]).measures["recall"].value
    0.5
    """
    known = np.array([one is not None for one in flagged], np.bool_)
    said = np.array([bool(one) for one in flagged], np.bool_)[known]
    label = np.array(buggy, np.bool_)[known]
    counts = np.array(
        [(said & label).sum(), (said & ~label).sum(), (~said & label).sum(), (~said & ~label).sum()], np.int64
    )
    drawn = _resampled(counts)
    with np.errstate(invalid="ignore", divide="ignore"):
        measures = {name: _estimate(measure(counts), measure(drawn)) for name, measure in MEASURES.items()}
    return Agreement(len(said), *(int(one) for one in counts), measures)


def _resampled(counts: Counts) -> Counts:
    """Return counts of resamples; drawing rows of two kinds with replacement is a binomial draw within each label."""
    random = np.random.default_rng(SEED)
    hits, alarms, misses, silent = (int(one) for one in counts)
    found = np.empty((RESAMPLES, 4), np.int64)
    for place, yes, no in ((0, hits, misses), (1, alarms, silent)):
        total = yes + no
        found[:, place] = random.binomial(total, (yes + 0.5) / (total + 1), RESAMPLES)
        found[:, place + 2] = total - found[:, place]
    return found


def _estimate(value: npt.NDArray[np.float64], drawn: npt.NDArray[np.float64]) -> Estimate:
    usable = drawn[np.isfinite(drawn)]
    if not (len(usable) and np.isfinite(value)):
        return Estimate(float(value), float("nan"), float("nan"))
    low, high = np.quantile(usable, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(float(value), float(low), float(high))


def _precision(counts: Counts) -> npt.NDArray[np.float64]:
    return counts[..., 0] / (counts[..., 0] + counts[..., 1])


def _recall(counts: Counts) -> npt.NDArray[np.float64]:
    return counts[..., 0] / (counts[..., 0] + counts[..., 2])


def _specificity(counts: Counts) -> npt.NDArray[np.float64]:
    return counts[..., 3] / (counts[..., 3] + counts[..., 1])


def _balanced_accuracy(counts: Counts) -> npt.NDArray[np.float64]:
    return (_recall(counts) + _specificity(counts)) / 2


def _f1(counts: Counts) -> npt.NDArray[np.float64]:
    return 2 * counts[..., 0] / (2 * counts[..., 0] + counts[..., 1] + counts[..., 2])


MEASURES: dict[str, Callable[[Counts], npt.NDArray[np.float64]]] = {
    "precision": _precision,
    "recall": _recall,
    "specificity": _specificity,
    "balanced accuracy": _balanced_accuracy,
    "F1": _f1,
}
