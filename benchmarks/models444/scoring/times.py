"""How soon a fault is told, and what watching costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.models444.measures import RESAMPLES, SEED
from benchmarks.models444.scoring.results import Trained

# Median seconds until DeepDiagnosis flagged a model, from its published logs; on another machine, with all pictures.
PUBLISHED = {"Blob": 22.5, "Circle": 23.0, "MNIST": 2_698.0, "CIFAR": 1_596.0}


@dataclass(frozen=True, slots=True)
class Detection:
    """When the first alarm came, over the models that had one.

    Args:
        dataset: The data set.
        models: How many had an alarm.
        at_once: Share of them with an alarm before the first update.
        epoch: Median number of epochs done by then.
        share: Median share of the training done by then.
        seconds: Median seconds of training done by then.
    """

    dataset: str
    models: int
    at_once: float
    epoch: float
    share: float
    seconds: float


def detections(trained: Sequence[Trained]) -> list[Detection]:
    """Return when alarms came, per data set.

    Args:
        trained: The results.
    """
    found = []
    for dataset in dict.fromkeys(one.row.dataset for one in trained):
        known = [(one.seconds.ends, _first(one)) for one in trained if one.row.dataset == dataset]
        first = [(ends, epoch) for ends, epoch in known if epoch is not None]
        if first:
            epochs = np.array([epoch for _, epoch in first], np.float64)
            shares = epochs / [max(1, len(ends) - 1) for ends, _ in first]
            seconds = np.array([ends[epoch] for ends, epoch in first])
            found.append(
                Detection(
                    dataset,
                    len(first),
                    float((epochs == 0).mean()),
                    *(float(np.median(known)) for known in (epochs, shares, seconds)),
                )
            )
    return found


def _first(one: Trained) -> int | None:
    """Return how many epochs were done when the first alarm came."""
    alarm = one.verdicts["default"].alarm
    return None if alarm is None else alarm + 1


@dataclass(frozen=True, slots=True)
class Overhead:
    """Seconds of `fit` with deepdebug over those without.

    Args:
        models: How many were timed.
        median: Median ratio over the models, set-up included: all seconds but those for the reports, which are written
            only where a folder is given, over those not spent in deepdebug.
        low: Lower end of its 95 % interval, by resampling models.
        high: Upper end.
        most: 95th percentile of the ratio.
        written: The same median with those for the reports.
        early: A second way: the median ratio of an epoch among the first ones, after which the model is looked at most
            often, to one of the same model trained without; `None` where none was.
    """

    models: int
    median: float
    low: float
    high: float
    most: float
    written: float
    early: float | None


def overhead(trained: Sequence[Trained]) -> Overhead | None:
    """Return what watching costs; `None` where nothing was timed.

    Args:
        trained: The results.
    """
    known = [one.seconds for one in trained]
    parts = [
        (one.whole - one.deepdebug, one.watching, one.deepdebug)
        for one in known
        if one.watching is not None and one.deepdebug is not None
    ]
    if not parts:
        return None
    trainings, watching, all_of_it = np.array(parts).T
    ratios = 1 + watching / trainings
    drawn = np.median(np.random.default_rng(SEED).choice(ratios, (RESAMPLES, len(ratios))), axis=1)
    low, high = np.quantile(drawn, (0.025, 0.975))
    early = [one.watched / one.plain for one in known if one.plain and one.watched]
    return Overhead(
        len(ratios),
        float(np.median(ratios)),
        float(low),
        float(high),
        float(np.quantile(ratios, 0.95)),
        float(np.median(1 + all_of_it / trainings)),
        float(np.median(early)) if early else None,
    )
