"""DD312 noisy-labels."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors import gates
from deepdebug.detectors.findings import finding
from deepdebug.detectors.progress import settled_checks
from deepdebug.detectors.validation import validation_losses, validation_rows, validation_yardstick
from deepdebug.errors import NotJudged
from deepdebug.observation import Observation, Run
from deepdebug.records import Finding

CHECKS = 3


@dataclass(frozen=True)
class NoisyLabels:
    """Find training labels that follow from their inputs far less than those of the validation data do.

    What it does:
        Compares the skill on training rows, 1 - loss / loss of the best constant, with that on the validation data, by
        the median loss of the newest three epochs, after 200 updates. Of the training the better of two counts: what
        the probe finds, without dropout, and what Keras logs. Models know their training rows better than others, so a
        validation skill above it by more than chance tells of the labels. That is a warning, and an error when training
        has ended. Not judged without validation data, or where rows or classes are weighted.

    Why it matters:
        A model can only learn what its labels tell: a part of the training labels stands at the wrong rows or is wrong.
        The same comes of training rows that are distorted far beyond what the validation rows are.

    How to fix:
        Look at the training rows with the largest loss and correct or drop those with wrong labels. Shuffle inputs and
        labels by one order. Distort training rows less.

    Args:
        min_gap: Smallest difference of the two skills that counts. Defaults to `0.1`: of the healthy trainings in the
            tuning half of `benchmarks.zoo` none came above 0, those with half of their labels shuffled had 0.18 and
            more.

    Example:

    >>> NoisyLabels(min_gap=0.3).code
    'DD312'
    """

    code: ClassVar[str] = "DD312"
    symptom: ClassVar[str] = "noisy-labels"
    abbreviation: ClassVar[str] = "NSL"
    min_gap: float = 0.1

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding where the validation skill exceeds that on the training rows by `min_gap`."""
        seen = settled_checks(run, CHECKS)[-1]
        losses, yardstick = validation_losses(run)[-CHECKS:], validation_yardstick(run)
        if seen.skill is None or yardstick is None or len(losses) < CHECKS:
            raise NotJudged("needs a single output with a known best constant, and 3 epochs with validation data")
        unseen = 1 - statistics.median(losses) / yardstick
        skill = max(seen.skill, _logged_skill(run, seen), 0.0)
        if gates.broken(run) or unseen - skill < max(self.min_gap, _by_chance(run, skill)):
            return
        yield finding(
            self,
            seen,
            "error" if run.finished else "warn",
            f"the skill is {skill:.3g} on training rows and {unseen:.3g} on the validation data after {seen.step} "
            "updates: the training labels follow less from their inputs",
            location="DATA",
            healthy="no higher on the validation data than on training rows",
            value=unseen - skill,
            threshold=self.min_gap,
            evidence={"skill": skill, "validation_skill": unseen},
        )


def _by_chance(run: Run, skill: float) -> float:
    """Return by how much a validation skill may exceed another by chance.

    The mean of n squared normal deviates has a relative standard deviation of the square root of 2 / n; two of these.
    """
    rows = validation_rows(run)
    return 2 * (1 - skill) * math.sqrt(2 / rows) if rows else math.inf


def _logged_skill(run: Run, seen: Observation) -> float:
    """Return the skill that the newest training loss means, with dropout and without penalties."""
    losses, (output,) = run.series("loss"), seen.outputs
    if not losses or not math.isfinite(losses[-1]) or not output.constant_loss:
        return 0.0
    return 1 - (losses[-1] - (seen.penalty or 0.0)) / output.constant_loss
