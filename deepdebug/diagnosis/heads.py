"""Which last activation and loss suit the labels of an output (the table of contradictions read backwards)."""

from __future__ import annotations

from dataclasses import dataclass

from deepdebug.detectors.static import CROSS_ENTROPIES, REGRESSIONS
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
    columns = labels.shape[-1] if labels.shape else 1
    if labels.one_hot or (labels.rows_sum_to_one and columns > 1):
        return Head(columns, "softmax", "categorical_crossentropy")
    if columns > 1 or _is_regression(labels, output):
        is_share = labels.minimum >= 0 and labels.maximum <= 1 and output.loss.kind == "binary_crossentropy"
        if is_share or _is_multi_label(labels):
            return Head(columns, "sigmoid", "binary_crossentropy")
        return Head(columns, "linear", _regression_loss(output))
    if (labels.distinct or 0) <= 2 and (output.units or 1) == 1:
        return Head(1, "sigmoid", "binary_crossentropy")
    return Head(int(labels.maximum) + 1, "softmax", "sparse_categorical_crossentropy")


def _is_regression(labels: LabelFacts, output: OutputFacts) -> bool:
    is_class = labels.integer and (labels.distinct or MANY_VALUES) < MANY_VALUES and bool(labels.class_counts)
    return not is_class or output.loss.kind in REGRESSIONS


def _is_multi_label(labels: LabelFacts) -> bool:
    return labels.integer and (labels.minimum, labels.maximum) == (0, 1) and labels.distinct == 2


def _regression_loss(output: OutputFacts) -> str:
    return output.loss.kind if output.loss.kind in REGRESSIONS else "mean_squared_error"


def _by_loss(output: OutputFacts) -> Head:
    """Return the last activation that the compiled loss expects."""
    kind, units = output.loss.kind, output.units
    if kind == "binary_crossentropy" or (kind in CROSS_ENTROPIES and units == 1):
        return Head(units, "sigmoid", "binary_crossentropy")
    if kind in CROSS_ENTROPIES:
        return Head(units, "softmax", kind)
    return Head(units, "linear", kind if kind in REGRESSIONS else "mean_squared_error")
