"""The symptoms that DeepDiagnosis looks for in the logs: ILS, LNDS, IAS, ANIS."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from deepdebug.deepdiagnosis.checks import ACCURACY_WINDOW, WINDOW, epoch_end, hit, window
from deepdebug.errors import NotJudged
from deepdebug.observation import EpochEnd, Observation, Run
from deepdebug.records import Finding

ACCURACY_NAMES = ("acc", "accuracy")


def _accuracy(seen: Observation | EpochEnd) -> float | None:
    return next((seen.metrics[name] for name in ACCURACY_NAMES if name in seen.metrics), None)


def _never_rises(values: Sequence[float]) -> bool:
    return bool(values) and all(later <= earlier for earlier, later in pairwise(values))


@dataclass(frozen=True)
class InvalidLoss:
    """Find a loss that is NaN or infinite (ILS).

    Example:

    >>> InvalidLoss().code
    'DD301'
    """

    code: ClassVar[str] = "DD301"
    symptom: ClassVar[str] = "invalid-loss"
    abbreviation: ClassVar[str] = "ILS"

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding when the newest loss is not finite."""
        now = epoch_end(run)
        loss = now.metrics.get("loss")
        if loss is None:
            raise NotJudged("the logs hold no loss")
        if not math.isfinite(loss):
            yield hit(self, now, f"the loss is {loss} in epoch {now.epoch}", "M", value=loss, severity="fatal")


@dataclass(frozen=True)
class LossNotDecreasing:
    """Find a loss that did not fall at any step of a window of 5 epochs (LNDS).

    Example:

    >>> LossNotDecreasing().code
    'DD303'
    """

    code: ClassVar[str] = "DD303"
    symptom: ClassVar[str] = "loss-not-decreasing"
    abbreviation: ClassVar[str] = "LNDS"

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding when no loss of the window is below the one before it."""
        now = epoch_end(run)
        if "loss" not in now.metrics:
            raise NotJudged("the logs hold no loss")
        losses = [seen.metrics["loss"] for seen in window(run, WINDOW) if "loss" in seen.metrics]
        if len(losses) == WINDOW and _never_rises([-loss for loss in losses]):
            text = f"the loss went from {losses[0]:.3g} to {losses[-1]:.3g} in {WINDOW} epochs and fell in none"
            yield hit(self, now, text, "M", value=losses[-1], threshold=losses[0])


@dataclass(frozen=True)
class InvalidAccuracy:
    """Find an accuracy that is NaN, infinite or 0 (IAS).

    Example:

    >>> InvalidAccuracy().code
    'DD302'
    """

    code: ClassVar[str] = "DD302"
    symptom: ClassVar[str] = "invalid-accuracy"
    abbreviation: ClassVar[str] = "IAS"

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding when the newest accuracy is invalid."""
        now = epoch_end(run)
        accuracy = _accuracy(now)
        if accuracy is None:
            raise NotJudged("the logs hold no accuracy; compile with `metrics=['accuracy']`")
        if accuracy == 0 or not math.isfinite(accuracy):
            yield hit(self, now, f"the accuracy is {accuracy:g} in epoch {now.epoch}", "M", value=accuracy)


@dataclass(frozen=True)
class AccuracyNotIncreasing:
    """Find an accuracy that did not rise at any step of a window of 20 epochs (ANIS).

    Example:

    >>> AccuracyNotIncreasing().code
    'DD304'
    """

    code: ClassVar[str] = "DD304"
    symptom: ClassVar[str] = "accuracy-not-increasing"
    abbreviation: ClassVar[str] = "ANIS"

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding when no accuracy of the window is above the one before it."""
        now = epoch_end(run)
        if _accuracy(now) is None:
            raise NotJudged("the logs hold no accuracy; compile with `metrics=['accuracy']`")
        found = [_accuracy(seen) for seen in window(run, ACCURACY_WINDOW)]
        values = [value for value in found if value is not None]
        if len(values) == ACCURACY_WINDOW and _never_rises(values):
            text = (
                f"the accuracy went from {values[0]:.3g} to {values[-1]:.3g} in {ACCURACY_WINDOW} epochs and never rose"
            )
            yield hit(self, now, text, "M", value=values[-1], threshold=values[0])
