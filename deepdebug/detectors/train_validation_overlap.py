"""DD415 train-validation-overlap."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors.static import examined_data, static_finding
from deepdebug.errors import NotJudged
from deepdebug.facts import DataFacts
from deepdebug.observation import Run
from deepdebug.records import Finding

STANDARD_ERRORS = 3.0
UNSEEN = 3.0


@dataclass(frozen=True)
class TrainValidationOverlap:
    """Find validation rows that also stand in the training data.

    What it does:
        Counts the validation rows whose inputs occur among the training rows, and compares their share with the share
        of training rows that occur more than once: rows of few values repeat by chance, in both.

    Why it matters:
        The model has seen these rows, so the validation score is too good and overfitting stays hidden.

    How to fix:
        Drop repeated rows, and augment the data, only after training and validation data are separated; keep the rows
        of one person or object together.

    Args:
        max_excess: Share above that expected by chance from which the finding is an error; below it is a warning.
            Defaults to `0.01`, our first setting, not yet calibrated.

    Example:

    >>> TrainValidationOverlap(max_excess=0.05).code
    'DD415'
    """

    code: ClassVar[str] = "DD415"
    symptom: ClassVar[str] = "train-validation-overlap"
    abbreviation: ClassVar[str] = "OVL"
    max_excess: float = 0.01

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding when more validation rows are known from training than chance explains."""
        data = examined_data(run.facts)
        if run.facts.fit.validation == "none":
            raise NotJudged("needs validation data")
        if data.overlap_fraction is None:
            raise NotJudged("training and validation rows could not be compared; needs arrays of numbers")
        by_chance = _most_by_chance(data, _validation_rows(run, data))
        excess = data.overlap_fraction - by_chance
        if excess <= 0:
            return
        yield static_finding(
            self,
            "error" if excess > self.max_excess else "warn",
            f"{data.overlap_fraction:.1%} of the validation rows also stand in the training data; chance explains "
            f"{by_chance:.1%}",
            location="DATA",
            confidence="strong",
            value=data.overlap_fraction,
            threshold=by_chance,
            healthy="0 %, or the share of rows that repeat inside the training data",
            evidence={"expected": data.overlap_expected, "excess": excess},
        )


def _validation_rows(run: Run, data: DataFacts) -> int:
    known = [labels.rows for labels in data.validation_labels]
    return run.facts.fit.validation_rows or (known[0] if known else 1)


def _most_by_chance(data: DataFacts, validation_rows: int) -> float:
    """Return the largest share of overlap that chance explains.

    No repeat among n training rows still allows a true share of 3 / n (the rule of three); to that come three standard
    errors of a share measured on the validation rows.
    """
    expected = min(1.0, (data.overlap_expected or 0.0) + UNSEEN / max(data.rows, 1))
    return expected + STANDARD_ERRORS * math.sqrt(expected * (1 - expected) / validation_rows)
