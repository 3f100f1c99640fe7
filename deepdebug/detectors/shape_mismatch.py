"""DD406 shape-mismatch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors.recurrent_config import lacks_time_axis
from deepdebug.detectors.static import REGRESSIONS, labelled_outputs, place, static_finding
from deepdebug.errors import NotJudged
from deepdebug.facts import LabelFacts, OutputFacts
from deepdebug.observation import Run
from deepdebug.records import Finding

ELEMENTWISE = (*REGRESSIONS, "hinge", "squared_hinge", "poisson")

Axis = int | str | None


@dataclass(frozen=True)
class ShapeMismatch:
    """Find labels and outputs of different shapes that are broadcast against each other.

    What it does:
        Lines up the shapes of labels and output as the loss does, and tells whether one is silently repeated to fit the
        other.

    Why it matters:
        Every label is then held against predictions of other rows or other targets. The loss is a number and falls, but
        the best that it can reach is the mean.

    How to fix:
        Give the last layer one unit per target column, and the labels the shape of the output.

    Example:

    >>> ShapeMismatch().code
    'DD406'
    """

    code: ClassVar[str] = "DD406"
    symptom: ClassVar[str] = "shape-mismatch"
    abbreviation: ClassVar[str] = "LAB"

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding per output whose labels are broadcast."""
        outputs = [output for output in run.facts.outputs if output.shape is not None and output.loss.kind != "none"]
        if not outputs or run.facts.fit.custom_train_step:
            raise NotJudged("needs a compiled loss, an output of known shape and the `train_step` of Keras")
        for output, labels in labelled_outputs(run.facts, outputs):
            if is_broadcast(output, labels) and not lacks_time_axis(run.facts, output, labels):
                yield self._finding(output, labels)

    def _finding(self, output: OutputFacts, labels: LabelFacts) -> Finding:
        is_custom = output.loss.kind == "custom"
        loss = f"'{output.loss.name}'" if is_custom else output.loss.kind
        unless = ", unless it reshapes them itself" if is_custom else ""
        return static_finding(
            self,
            "warn" if is_custom else "error",
            f"{loss} broadcasts labels of shape {_written(labels.shape)} against the output of shape "
            f"{_written(output.shape or ())} of layer '{place(output)}'{unless}",
            layer=place(output),
            confidence="weak" if is_custom else "certain",
            healthy="labels and output of one shape",
            evidence={"labels": _written(labels.shape), "output": _written(output.shape or ())},
        )


def is_broadcast(output: OutputFacts, labels: LabelFacts) -> bool:
    """Tell whether the loss repeats labels or output along an axis to make their shapes fit.

    Built-in losses and plain functions first bring both to one number of axes, where the last axis has size 1; a
    subclass of `keras.losses.Loss` gets them as they are. A custom loss is judged for this difference only, because
    it may take labels of another shape on purpose.
    """
    if output.shape is None:
        return False
    truth: tuple[Axis, ...] = ("rows", *labels.shape)
    guess: tuple[Axis, ...] = ("rows", *output.shape)
    if output.loss.kind == "custom":
        return not output.loss.is_function and {truth, guess} == {("rows",), ("rows", 1)}
    if output.loss.kind not in ELEMENTWISE:
        return False
    truth, guess = _aligned(truth, guess)
    padded = [("",) * (max(len(truth), len(guess)) - len(shape)) + shape for shape in (truth, guess)]
    pairs = list(zip(*padded, strict=True))
    return all(_fit(*pair) for pair in pairs) and any(_differ(*pair) for pair in pairs)


def _aligned(truth: tuple[Axis, ...], guess: tuple[Axis, ...]) -> tuple[tuple[Axis, ...], tuple[Axis, ...]]:
    if len(truth) == len(guess) + 1 and truth[-1] == 1:
        return truth[:-1], guess
    if len(guess) == len(truth) + 1 and guess[-1] == 1:
        return truth, guess[:-1]
    return truth, guess


def _fit(one: Axis, other: Axis) -> bool:
    return one == other or None in (one, other) or bool({"", 1}.intersection((one, other)))


def _differ(one: Axis, other: Axis) -> bool:
    return one != other and None not in (one, other)


def _written(shape: tuple[int | None, ...]) -> str:
    sizes = ", ".join("?" if size is None else str(size) for size in shape)
    return f"(rows, {sizes})" if shape else "(rows,)"
