"""DD401 non-finite-data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors.flow import is_model_input
from deepdebug.detectors.static import examined_data, static_finding
from deepdebug.facts import DataFacts, Facts, InputFacts, LabelFacts
from deepdebug.observation import Run
from deepdebug.records import Finding, Severity


@dataclass(frozen=True)
class NonFiniteData:
    """Find NaN and infinite values in inputs and labels.

    What it does:
        Looks at every value of the inputs and labels, and at those of the validation labels.

    Why it matters:
        One NaN makes the loss and then every weight NaN. Compiled functions may hide it: the loss can stay finite while
        weights are lost already.

    How to fix:
        Fill the gaps (`np.nan_to_num(x)`) or drop the rows (`x[np.isfinite(x).all(axis=1)]`).

    Example:

    >>> NonFiniteData().code
    'DD401'
    """

    code: ClassVar[str] = "DD401"
    symptom: ClassVar[str] = "non-finite-data"
    abbreviation: ClassVar[str] = "NS"

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding per array that holds NaN or infinite values."""
        data = examined_data(run.facts)
        for one in data.inputs:
            if one.non_finite:
                severity: Severity = "warn" if _is_read_by(run.facts, ("other",)) else "fatal"
                yield self._finding(severity, f"input '{one.name}'", one, data)
            elif one.dtype == "object" and not _is_read_by(run.facts, ("preprocessing", "other")):
                text = f"input '{one.name}' holds values of type '{one.dtype}', which are no numbers"
                subject = f"input '{one.name}'"
                yield static_finding(self, "fatal", text, subject=subject, location="DATA", healthy="numbers only")
        for labels in data.labels:
            if labels.non_finite:
                severity = "warn" if _has_custom_loss(run.facts, labels) else "fatal"
                yield self._finding(severity, f"the labels '{labels.name}'", labels, data)
        for one in data.validation_inputs:
            if one.non_finite:
                yield self._finding("error", f"the validation input '{one.name}'", one, data)
        for labels in data.validation_labels:
            if labels.non_finite:
                yield self._finding("error", f"the validation labels '{labels.name}'", labels, data)

    def _finding(self, severity: Severity, what: str, one: InputFacts | LabelFacts, data: DataFacts) -> Finding:
        many = "value that is" if one.non_finite == 1 else "values that are"
        return static_finding(
            self,
            severity,
            f"{what} hold{'' if 'labels' in what else 's'} {one.non_finite} {many} NaN or infinite, "
            f"the first at {one.first_non_finite}",
            subject=what,
            location="DATA",
            value=float(one.non_finite),
            threshold=0.0,
            healthy="none",
            evidence={"rows": data.rows, "first": one.first_non_finite},
        )


def _is_read_by(facts: Facts, families: tuple[str, ...]) -> bool:
    """Tell whether a layer of these families receives inputs: one of the user's own ("other") may fill gaps."""
    receiving = [layer for layer in facts.layers if any(map(is_model_input, layer.inputs or ()))]
    return any(layer.family in families for layer in receiving)


def _has_custom_loss(facts: Facts, labels: LabelFacts) -> bool:
    """Tell whether the loss may leave out labels that are NaN on purpose."""
    losses = [output.loss.kind for output in facts.outputs if output.name == labels.name or len(facts.outputs) == 1]
    return "custom" in losses
