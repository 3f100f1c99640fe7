"""DD412 constant-data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors.static import UNKNOWN_LOSSES, examined_data, labels_of, static_finding
from deepdebug.facts import DataFacts, Facts, InputFacts, LabelFacts
from deepdebug.observation import Run
from deepdebug.records import Finding, Severity

ROUNDING = 1e-24


@dataclass(frozen=True)
class ConstantData:
    """Find targets, inputs and features that have one single value.

    What it does:
        Looks for outputs whose labels never vary over the rows, and for features that never vary. Where only a sample
        of the rows is known, as of a pipeline or a generator, it is a warning: a rare class may be missing in it.

    Why it matters:
        From constant labels there is nothing to learn: the model answers the same for everything and its loss is near
        0. A constant feature costs time only, but is often a column that was read wrongly.

    How to fix:
        Check how the labels are read, and that the rows hold more than one class; drop constant features.

    Args:
        min_rows: Fewest rows from which constant data are reported. Defaults to `2`: one row cannot vary.
        min_sample_rows: The same where only a sample of the rows is known. Defaults to `100`, our first setting, not
            yet calibrated: a class of 5 % is missing in so many rows once in 170 times.

    Example:

    >>> ConstantData().code
    'DD412'
    """

    code: ClassVar[str] = "DD412"
    symptom: ClassVar[str] = "constant-data"
    abbreviation: ClassVar[str] = "CST"
    min_rows: int = 2
    min_sample_rows: int = 100

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding per constant target and per input with constant features."""
        data = examined_data(run.facts, self.min_sample_rows)
        if data.rows < self.min_rows:
            return
        for output in run.facts.outputs:
            labels = labels_of(run.facts, output)
            if labels is None or labels.minimum is None or output.loss.kind in UNKNOWN_LOSSES:
                continue
            if _is_constant(labels) and not labels.non_finite:
                yield self._finding(data, "error", f"the labels of output '{output.name}'", "are the same for", 0.0)
        for one in data.inputs:
            if one.constant_features and not _is_embedded(run.facts, one):
                yield self._input(data, one)

    def _input(self, data: DataFacts, one: InputFacts) -> Finding:
        if one.constant_features == one.features and one.minimum == one.maximum:
            return self._finding(data, "error", f"input '{one.name}'", f"has the one value {one.minimum:.3g} in", 0.0)
        text = f"has {one.constant_features} of {one.features} features that are the same in"
        return self._finding(data, "info", f"input '{one.name}'", text, float(one.constant_features))

    def _finding(self, data: DataFacts, severity: Severity, subject: str, text: str, value: float) -> Finding:
        rows = "every row" if data.complete else f"all {data.rows} rows that were examined"
        return static_finding(
            self,
            severity if data.complete or severity == "info" else "warn",
            f"{subject} {text} {rows}",
            subject=subject,
            location="DATA",
            confidence="certain" if data.complete else "strong",
            value=value,
            threshold=0.0,
            healthy="labels and features with at least two values",
            evidence={"rows": data.rows},
        )


def _is_embedded(facts: Facts, one: InputFacts) -> bool:
    """Tell whether the columns are positions of a text, of which the last ones may hold padding only."""
    first = facts.layer(one.first_learning_layer)
    return first is not None and first.family == "embedding"


def _is_constant(labels: LabelFacts) -> bool:
    """Tell whether no label column varies by more than the rounding of its mean."""
    largest = max(abs(labels.minimum or 0.0), abs(labels.maximum or 0.0))
    return labels.variance is not None and labels.variance <= ROUNDING * largest**2
