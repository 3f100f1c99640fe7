"""The fix for each root cause: in words, and as Keras code for the model at hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from deepdebug.diagnosis import fixes_data, fixes_layers, fixes_output, fixes_rows, fixes_special, fixes_training
from deepdebug.diagnosis.case import Case, Remedy
from deepdebug.records import Fix


def other(case: Case) -> Remedy:
    """Return what can be said of a finding of a detector that is not ours."""
    finding = case.findings[0]
    advice = f"Read the page of this check: deepdebug explain {finding.code}."
    return Remedy(finding.symptom.replace("-", " "), "TRAIN", Fix(advice, f"# {finding.symptom}"))


REMEDIES: Mapping[str, Callable[[Case], Remedy]] = {
    "other": other,
    **fixes_data.REMEDIES,
    **fixes_rows.REMEDIES,
    **fixes_output.REMEDIES,
    **fixes_training.REMEDIES,
    **fixes_layers.REMEDIES,
    **fixes_special.REMEDIES,
}


def remedy(cause: str, case: Case) -> Remedy:
    """Return the fault in words, the action and the fix for a cause.

    Args:
        cause: Name of the cause.
        case: The run and the findings that the cause explains, the most telling first.
    """
    return REMEDIES[cause](case)
