"""Which last activation and loss suit the labels of an output (the table of contradictions read backwards)."""

from __future__ import annotations

from dataclasses import dataclass

from deepdebug.detectors.invalid_accuracy import REGRESSION_LOSSES
from deepdebug.detectors.label_encoding import IGNORED_LABEL
from deepdebug.detectors.static import CATEGORICAL, CROSS_ENTROPIES, SPARSE
from deepdebug.facts import Facts, LabelFacts, OutputFacts

MANY_VALUES = 1000


@dataclass(frozen=True, slots=True)
class Head:
    """A last layer and a loss that fit each other and the labels.

    Args:
        units: Number of units of the last layer, or `None` to keep it.
        activation: Last activation.
        loss: Keras function name of the loss.
    """

    units: int | None
    activation: str
    loss: str


def output_of(facts: Facts, layer: str | None) -> OutputFacts | None:
    """Return the output that a layer computes or activates; the only one where no layer is named."""
    for output in facts.outputs:
        if layer is not None and layer in (output.layer, output.activation_layer, output.name):
            return output
    return facts.outputs[0] if layer is None and facts.outputs else None


def suitable_head(output: OutputFacts, labels: LabelFacts | None) -> Head:
    """Return the last layer and loss for these labels, as near to the compiled ones as may be."""
    if labels is None or labels.minimum is None or labels.maximum is None:
        return _by_loss(output)
    columns, kind = _columns(output, labels), output.loss.kind
    if _are_tags(output, labels, columns):
        return Head(_classes(output.units or 1, int(labels.maximum)), "softmax", SPARSE[0])
    if columns == 1 and _are_classes_of(output, labels):
        return Head(output.units, "softmax", SPARSE[0])
    if columns > 1 and (labels.one_hot or labels.rows_sum_to_one):
        return Head(columns, "softmax", "categorical_crossentropy")
    if columns > 1 or _is_regression(labels, output):
        is_share = labels.minimum >= 0 and labels.maximum <= 1 and kind == "binary_crossentropy"
        if is_share or _is_multi_label(labels):
            return Head(columns, "sigmoid", "binary_crossentropy")
        return _number_head(columns, kind)
    if (labels.distinct or 0) <= 2 and (output.units or 1) == 1:
        return Head(1, "sigmoid", "binary_crossentropy")
    return Head(int(labels.maximum) + 1, "softmax", SPARSE[0])


def _columns(output: OutputFacts, labels: LabelFacts) -> int:
    """Return how many values there are for each vector that the output gives: 1 where the labels lack its last axis."""
    before = (output.shape or ())[:-1]
    is_lacking = len(labels.shape) == len(before) and all(
        size in (None, given) for size, given in zip(before, labels.shape, strict=True)
    )
    return 1 if is_lacking or not labels.shape else labels.shape[-1]


def _are_tags(output: OutputFacts, labels: LabelFacts, columns: int) -> bool:
    """Tell whether there is one class for each position of a row, as in tagging and segmentation."""
    is_exclusive = output.loss.kind in (*CATEGORICAL, *SPARSE)
    return is_exclusive and labels.integer and columns == 1 and len(output.shape or ()) > 1


def _are_classes_of(output: OutputFacts, labels: LabelFacts) -> bool:
    """Tell whether the labels number the units of a softmax, whatever loss is compiled."""
    units = output.units or 0
    is_number = labels.integer and bool(labels.class_counts) and (labels.minimum or 0) >= 0
    return output.activation == "softmax" and units > 1 and is_number and (labels.maximum or 0) < units


def _classes(units: int, largest: int) -> int:
    return units if largest == IGNORED_LABEL else max(units, largest + 1, 2)


def _is_regression(labels: LabelFacts, output: OutputFacts) -> bool:
    is_class = labels.integer and (labels.distinct or MANY_VALUES) < MANY_VALUES and bool(labels.class_counts)
    return not is_class or output.loss.kind in REGRESSION_LOSSES


def _is_multi_label(labels: LabelFacts) -> bool:
    return labels.integer and (labels.minimum, labels.maximum) == (0, 1) and labels.distinct == 2


def _by_loss(output: OutputFacts) -> Head:
    """Return the last activation that the compiled loss expects."""
    kind, units = output.loss.kind, output.units
    if kind == "binary_crossentropy" or (kind in CROSS_ENTROPIES and units == 1):
        return Head(units, "sigmoid", "binary_crossentropy")
    if kind in CROSS_ENTROPIES:
        return Head(units, "softmax", kind)
    return _number_head(units, kind)


def _number_head(units: int | None, kind: str) -> Head:
    if kind == "poisson":  # takes the logarithm of the prediction
        return Head(units, "softplus", kind)
    return Head(units, "linear", kind if kind in REGRESSION_LOSSES else "mean_squared_error")
