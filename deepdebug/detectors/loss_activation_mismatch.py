"""DD403 loss-activation-mismatch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors.static import (
    BINARY,
    CATEGORICAL,
    CROSS_ENTROPIES,
    REGRESSIONS,
    SPARSE,
    is_constant_softmax,
    labels_of,
    outputs_with_loss,
    place,
    shapes_last,
    static_finding,
)
from deepdebug.errors import NotJudged
from deepdebug.facts import Facts, LabelFacts, OutputFacts
from deepdebug.observation import Run
from deepdebug.records import Finding, Severity

SQUASHING = ("softmax", "sigmoid", "hard_sigmoid")
ONE_SIDED = ("relu", "relu6", "softplus", "exponential")
BOUNDED = ("tanh", "hard_tanh", "softsign")
NO_PROBABILITIES = (
    *ONE_SIDED, *BOUNDED, "leaky_relu", "elu", "selu", "gelu", "silu", "hard_silu", "mish", "log_softmax",
    "log_sigmoid",
)  # fmt: skip
CACHED_LOGITS = ("softmax", "sigmoid")
HEALTHY = "softmax or sigmoid with from_logits=False, or no activation with from_logits=True"

Verdict = tuple[Severity, str]


@dataclass(frozen=True)
class LossActivationMismatch:
    """Find a cross-entropy whose output layer does not give what it takes, and a softmax for several labels per row.

    What it does:
        Compares the last activation with the loss of every output: probabilities or logits, one class or several
        labels. The outputs of a softmax sum to 1, so that with no loss they can come near rows of several ones, or of
        none.

    Why it matters:
        A cross-entropy takes probabilities, or logits with `from_logits=True`. Given the other, it follows a wrong
        gradient: a probability squashed a second time cannot come near the labels, and a raw number is clipped to
        [0, 1], where the gradient is 0. On the TensorFlow backend Keras computes the loss from the values before a
        softmax or sigmoid, so that some of these contradictions do no harm there; they are warnings then. So is a
        categorical cross-entropy of several sigmoids where classes exclude one another: Keras divides the outputs by
        their sum, so that the model learns all the same, but its outputs are no probabilities of the classes.

    How to fix:
        One class of several: softmax and categorical_crossentropy. Several labels at once, or yes and no: sigmoid and
        binary_crossentropy. Or no activation at all and `from_logits=True`.

    Example:

    >>> LossActivationMismatch().code
    'DD403'
    """

    code: ClassVar[str] = "DD403"
    symptom: ClassVar[str] = "loss-activation-mismatch"
    abbreviation: ClassVar[str] = "ACT"

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding per output whose last activation contradicts its loss."""
        facts = run.facts
        outputs = outputs_with_loss(facts)
        judged = [output for output in outputs if shapes_last(facts, output) or output.loss.kind not in CROSS_ENTROPIES]
        if not judged:
            raise NotJudged(f"the activation of output '{outputs[0].name}' could not be recognised")
        for output in judged:
            verdict = _verdict(facts, output)
            if verdict is not None:
                yield static_finding(self, verdict[0], verdict[1], layer=place(output), healthy=HEALTHY)


def _verdict(facts: Facts, output: OutputFacts) -> Verdict | None:
    kind = output.loss.kind
    subject = f"layer '{place(output)}' ({output.activation})"
    if is_constant_softmax(output):
        return None
    if kind in REGRESSIONS:
        return _against_labels(subject, output, labels_of(facts, output))
    if kind not in CROSS_ENTROPIES:
        return None
    if output.units == 1 and kind in (*CATEGORICAL, *SPARSE):
        return "error", f"layer '{place(output)}' has one unit, over which {kind} is constant: use binary_crossentropy"
    if output.loss.from_logits:
        return _against_logits(subject, output, facts.backend)
    if output.activation == "linear":
        wanted = "sigmoid" if kind in BINARY else "softmax"
        return "error", f"{subject} gives raw numbers to {kind}, which takes probabilities: use {wanted}"
    if output.activation in NO_PROBABILITIES:
        return "error", f"{subject} gives values that are no probabilities to {kind}"
    return _against_classes(subject, output, labels_of(facts, output))


def _against_labels(subject: str, output: OutputFacts, labels: LabelFacts | None) -> Verdict | None:
    if output.activation != "softmax" or labels is None or not is_multi_label(labels):
        return None
    return (
        "error",
        f"{subject} gives rows that sum to 1 for several labels per row: use sigmoid and binary_crossentropy",
    )


def _against_logits(subject: str, output: OutputFacts, backend: str) -> Verdict | None:
    loss = f"{output.loss.kind} with from_logits=True"
    if output.activation in SQUASHING:
        is_harmless = backend == "tensorflow" and output.activation in CACHED_LOGITS
        note = "; the TensorFlow backend undoes this, others do not" if is_harmless else ""
        return "warn" if is_harmless else "error", f"{subject} gives probabilities to {loss}, which takes logits{note}"
    if output.activation in (*ONE_SIDED, *BOUNDED):
        return "warn", f"{subject} limits the range of the logits that it gives to {loss}"
    return None


def _against_classes(subject: str, output: OutputFacts, labels: LabelFacts | None) -> Verdict | None:
    kind, several = output.loss.kind, (output.units or 1) > 1
    if output.activation == "softmax" and several and kind in BINARY:
        wanted = "categorical_crossentropy" if labels is None or labels.rows_sum_to_one else "sigmoid"
        return "warn", f"{subject} of {output.units} units is trained with {kind}: use {wanted}"
    if output.activation not in ("sigmoid", "hard_sigmoid") or not several or kind in BINARY:
        return None
    if kind in CATEGORICAL and labels is not None and is_multi_label(labels):
        return "error", f"{subject} and several labels per row are trained with {kind}: use binary_crossentropy"
    return "warn", f"{subject} of {output.units} units is trained with {kind}, for exclusive classes: use softmax"


def is_multi_label(labels: LabelFacts) -> bool:
    """Tell whether rows of 0 and 1 hold several ones, or none."""
    is_binary = labels.integer and labels.minimum == 0 and labels.maximum == 1
    return is_binary and len(labels.shape) == 1 and labels.shape[0] > 1 and not labels.one_hot
