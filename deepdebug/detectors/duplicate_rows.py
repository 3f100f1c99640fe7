"""DD414 duplicate-rows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors.static import CROSS_ENTROPIES, examined_data, static_finding
from deepdebug.errors import NotJudged
from deepdebug.facts import DataFacts, InputFacts
from deepdebug.observation import Run
from deepdebug.records import Finding, Severity

MIN_VALUES = 16
MIN_LEVELS = 20


@dataclass(frozen=True)
class DuplicateRows:
    """Find training rows that occur more than once, and rows that occur with different labels.

    What it does:
        Counts the rows whose inputs repeat an earlier row, and those whose inputs occur with more than one class. Of
        a pipeline or a generator, which may draw a row twice on purpose, only the latter count.

    Why it matters:
        Repeated rows count more than others and, when the data are split afterwards, stand in training and validation
        data at once. One input with two labels cannot be learned. Rows of few values, or of few levels, repeat by
        chance; that is mentioned only.

    How to fix:
        Drop repeats before the split (`np.unique(x, axis=0)`), and look at rows whose labels disagree.

    Args:
        max_fraction: Largest accepted share of repeated rows. Defaults to `0.01`, our first setting, not yet
            calibrated.
        max_conflicts: Largest accepted share of rows whose labels disagree. Defaults to `0.005`, our first setting, not
            yet calibrated.
        min_sample_rows: Fewest rows needed where only a sample of them is known. Defaults to `100`, our first setting,
            not yet calibrated.

    Example:

    >>> DuplicateRows(max_fraction=0.05).code
    'DD414'
    """

    code: ClassVar[str] = "DD414"
    symptom: ClassVar[str] = "duplicate-rows"
    abbreviation: ClassVar[str] = "DUP"
    max_fraction: float = 0.01
    max_conflicts: float = 0.005
    min_sample_rows: int = 100

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding when rows repeat or their labels disagree."""
        data = examined_data(run.facts, self.min_sample_rows)
        if data.duplicate_fraction is None:
            raise NotJudged("the rows could not be compared; needs inputs that are numbers")
        is_classification = any(output.loss.kind in CROSS_ENTROPIES for output in run.facts.outputs)
        conflicts = (data.conflict_fraction or 0.0) if is_classification else 0.0
        severity: Severity = "info" if repeats_by_chance(data) else "warn"
        if conflicts > self.max_conflicts:
            text = f"{conflicts:.1%} of the training rows occur with different labels"
            yield self._finding(severity, text, conflicts, self.max_conflicts, data)
        elif data.complete and data.duplicate_fraction > self.max_fraction:
            text = f"{data.duplicate_fraction:.1%} of the training rows repeat an earlier row"
            yield self._finding(severity, text, data.duplicate_fraction, self.max_fraction, data)

    def _finding(self, severity: Severity, text: str, value: float, threshold: float, data: DataFacts) -> Finding:
        return static_finding(
            self,
            severity,
            text,
            location="DATA",
            confidence="strong",
            value=value,
            threshold=threshold,
            healthy="below 1 % repeated rows, and no row with two labels",
            evidence={
                "duplicates": data.duplicate_fraction,
                "conflicts": data.conflict_fraction,
                "rows": data.rows,
            },
        )


def repeats_by_chance(data: DataFacts) -> bool:
    """Tell whether rows have so few values, or values so few levels, that equal rows need not be copies."""
    values = sum(math.prod(one.shape) for one in data.inputs)
    return values < MIN_VALUES or all(_has_few_levels(one) for one in data.inputs)


def _has_few_levels(one: InputFacts) -> bool:
    return one.integer and one.minimum is not None and (one.maximum or 0.0) - one.minimum < MIN_LEVELS
