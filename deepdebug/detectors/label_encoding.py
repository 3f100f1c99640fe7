"""DD404 label-encoding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors.loss_activation_mismatch import is_multi_label
from deepdebug.detectors.static import (
    BINARY,
    CATEGORICAL,
    SPARSE,
    is_constant_softmax,
    labelled_outputs,
    outputs_with_loss,
    place,
    static_finding,
)
from deepdebug.facts import LabelFacts, OutputFacts
from deepdebug.observation import Run
from deepdebug.records import Finding, Severity

TEXT_TYPES = ("<U", ">U", "|S", "str", "object", "StringDType")
IGNORED_LABEL = 255

Verdict = tuple[Severity, str]


@dataclass(frozen=True)
class LabelEncoding:
    """Find labels that are encoded otherwise than the loss expects.

    What it does:
        Compares shape and values of the labels with the cross-entropy of their output: class numbers from 0 for
        sparse_categorical_crossentropy, one-hot rows for categorical_crossentropy, 0 to 1 for binary_crossentropy.

    Why it matters:
        Keras checks shapes at most. Binary cross-entropy with labels -1 and 1, or 1 and 2, falls without bound and
        looks like success; a class number as large as the number of units gives NaN, garbage or an error, depending on
        the device.

    How to fix:
        Count classes from 0, use `keras.utils.to_categorical(y)` or the sparse loss, recode two classes to 0 and 1.

    Args:
        tolerance: Accepted excess of labels beyond 0 and 1. Defaults to `1e-6`, the rounding of float32.

    Example:

    >>> LabelEncoding().code
    'DD404'
    """

    code: ClassVar[str] = "DD404"
    symptom: ClassVar[str] = "label-encoding"
    abbreviation: ClassVar[str] = "LAB"
    tolerance: float = 1e-6

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding per output whose labels do not have the encoding that its loss expects."""
        for output, labels in labelled_outputs(run.facts, outputs_with_loss(run.facts)):
            verdict = None if is_constant_softmax(output) else self._verdict(output, labels)
            if verdict is not None:
                yield static_finding(
                    self,
                    verdict[0],
                    f"output '{place(output)}' has {verdict[1]}",
                    layer=place(output),
                    location="DATA",
                    value=labels.maximum,
                    healthy="class numbers from 0 to units - 1, one-hot rows, or values from 0 to 1, by the loss",
                    evidence={"minimum": labels.minimum, "maximum": labels.maximum, "distinct": labels.distinct},
                )

    def _verdict(self, output: OutputFacts, labels: LabelFacts) -> Verdict | None:
        kind, minimum, maximum = output.loss.kind, labels.minimum, labels.maximum
        if minimum is None or maximum is None:
            is_text = labels.dtype.startswith(TEXT_TYPES)
            return ("error", f"labels of type '{labels.dtype}': {kind} takes numbers") if is_text else None
        if kind in SPARSE and (output.units or 0) > 1:
            return _sparse(output, labels, minimum, maximum)
        if kind in CATEGORICAL and (output.units or 0) > 1 and labels.shape in ((), (1,)):
            advice = "use keras.utils.to_categorical or sparse_categorical_crossentropy"
            return "error", f"one number per row as label, where {kind} takes one-hot rows: {advice}"
        is_outside = minimum < -self.tolerance or maximum > 1 + self.tolerance
        if is_outside and kind in (*CATEGORICAL, *BINARY) and (kind in BINARY or (output.units or 0) > 1):
            return "error", f"labels from {minimum:.3g} to {maximum:.3g}, where {kind} takes values from 0 to 1"
        if kind in CATEGORICAL and output.activation == "softmax" and is_multi_label(labels):
            advice = "use sigmoid and binary_crossentropy for several labels per row"
            return "warn", f"label rows that do not sum to 1, where {kind} takes one-hot rows: {advice}"
        return None


def _sparse(output: OutputFacts, labels: LabelFacts, minimum: float, maximum: float) -> Verdict | None:
    units = output.units or 0
    if labels.one_hot and labels.shape[-1:] == (units,):
        return "error", f"one-hot labels, where {output.loss.kind} takes class numbers: use categorical_crossentropy"
    if not labels.integer:
        return "error", f"labels that are not whole numbers, where {output.loss.kind} takes class numbers"
    if (minimum >= 0 and maximum < units) or output.loss.ignore_class in (int(minimum), int(maximum)):
        return None
    text = f"labels from {minimum:.0f} to {maximum:.0f}, where its {units} units take classes 0 to {units - 1}"
    if _may_be_ignored(labels, units):
        return "warn", f"{text}; `ignore_class` must leave the others out"
    return "error", text


def _may_be_ignored(labels: LabelFacts, units: int) -> bool:
    """Tell whether one class per position may stand for "no label", as it does in segmentation."""
    minimum, maximum, distinct = labels.minimum or 0, labels.maximum or 0, labels.distinct or 0
    is_per_position = len(labels.shape) > 1 or (len(labels.shape) == 1 and labels.shape != (1,))
    is_one_value = (minimum == -1 and maximum < units) or (minimum >= 0 and maximum == IGNORED_LABEL)
    return is_per_position and is_one_value and distinct <= units + 1
