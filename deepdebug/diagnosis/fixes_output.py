"""Fixes where output, loss and labels contradict each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from deepdebug.detectors.static import CROSS_ENTROPIES, labels_of, place
from deepdebug.diagnosis.case import Case, Remedy
from deepdebug.diagnosis.heads import Head, output_of, suitable_head
from deepdebug.diagnosis.snippets import compile_code, layer_code, number, quoted
from deepdebug.facts import Facts, LabelFacts, OutputFacts
from deepdebug.records import Fix

UNREACHABLE = "Make the last layer able to express the labels; as it is, no training can."


def constant_softmax(case: Case) -> Remedy:
    """Replace the softmax over one unit, which is 1 for every row."""
    output = _output(case)
    labels = labels_of(case.run.facts, output) if output is not None else None
    fault = f"Softmax over one unit in layer '{_place(case, output)}' is always 1"
    if output is None:
        advice = "Apply the softmax over the axis that holds the alternatives, such as the positions of a sequence."
        return Remedy(fault, "MSG2", Fix(advice, "scores = keras.layers.Softmax(axis=1)"))
    head = suitable_head(output, labels)
    if head.activation == "softmax" and (head.units or 1) < 2:
        head = Head(1, "sigmoid", "binary_crossentropy")
    advice = f"Use {_in_words(head)}: a softmax over one unit divides a number by itself."
    return Remedy(fault, "MSG2", Fix(advice, head_code(case, output, head)))


def loss_activation(case: Case) -> Remedy:
    """Make the last activation and the loss fit the labels and each other."""
    output = _output(case)
    if output is None:
        return Remedy("Last activation and loss do not fit", "MSG2", Fix(UNREACHABLE, "model.summary()"))
    head = suitable_head(output, labels_of(case.run.facts, output))
    if head.activation == output.activation:
        fault = f"Loss {output.loss.kind} does not fit the {output.activation} of layer '{_place(case, output)}'"
        return Remedy(fault, "MSG1", Fix(f"Use {_in_words(head)}.", head_code(case, output, head)))
    present = "no activation" if output.activation == "linear" else output.activation
    fault = f"Layer '{_place(case, output)}' ({present}) does not fit the loss {output.loss.kind}"
    return Remedy(fault, "MSG2", Fix(f"Use {_in_words(head)}.", head_code(case, output, head)))


def output_range(case: Case) -> Remedy:
    """Use a last activation that reaches the labels."""
    output = _output(case)
    fault = f"Layer '{_place(case, output)}' cannot reach the labels"
    if output is None:
        return Remedy(fault, "MSG2", Fix(UNREACHABLE, 'activation = "linear"'))
    head = suitable_head(output, labels_of(case.run.facts, output))
    advice = f"Use {_in_words(head)}, or scale the labels into the range of {output.activation}."
    return Remedy(fault, "MSG2", Fix(advice, head_code(case, output, head)))


def labels(case: Case) -> Remedy:
    """Encode the labels as the loss expects them, or use the loss that expects them as they are."""
    output = _output(case)
    found = labels_of(case.run.facts, output) if output is not None else None
    fault = "Labels encoded otherwise than the loss expects"
    if output is None or found is None:
        advice = "Compare shape and values of the labels with what the loss expects."
        return Remedy(fault, "LABELS", Fix(advice, "print(y_train[:5])"))
    if output.loss.kind == "binary_crossentropy" and not _is_share(found):
        return Remedy(fault, "LABELS", Fix("Recode the labels to 0 and 1.", _recode_code(found)))
    if output.loss.kind == "sparse_categorical_crossentropy" and (found.minimum or 0) < 0:
        advice = "Count the classes from 0."
        return Remedy(fault, "LABELS", Fix(advice, f"y_train = y_train - ({number(found.minimum or 0)})"))
    head = suitable_head(output, found)
    return Remedy(fault, "LABELS", Fix(f"Use {_in_words(head)}.", head_code(case, output, head)))


def _is_share(found: LabelFacts) -> bool:
    return (found.minimum or 0) >= 0 and (found.maximum or 0) <= 1


def _recode_code(found: LabelFacts) -> str:
    if found.distinct == 2 and found.maximum is not None:
        return f'y_train = (y_train == {number(found.maximum)}).astype("float32")'
    low, high = found.minimum or 0.0, found.maximum or 1.0
    shifted = "y_train" if low == 0 else f"(y_train - ({number(low)}))"
    return f"y_train = {shifted} / {number(high - low)}"


def shape_mismatch(case: Case) -> Remedy:
    """Give labels and output the same shape."""
    output = _output(case)
    found = labels_of(case.run.facts, output) if output is not None else None
    fault = "Labels and output differ in shape and are broadcast"
    advice = "Give the labels the shape of the output; otherwise every row is held against every label."
    if output is None or found is None or not output.shape:
        return Remedy(fault, "SHAPE", Fix(advice, "y_train = y_train.reshape(len(y_train), -1)"))
    if _size(found.shape) == _size(output.shape):
        sizes = "".join(f", {size}" for size in output.shape)
        return Remedy(fault, "SHAPE", Fix(advice, f"y_train = y_train.reshape(len(y_train){sizes})"))
    columns = found.shape[-1] if found.shape else 1
    layer = case.run.facts.layer(output.layer)
    if layer is None or len(output.shape) > 1:
        code = f"outputs = keras.layers.Dense({columns})(keras.layers.Flatten()(model.layers[-2].output))"
        return Remedy(fault, "SHAPE", Fix(advice, code))
    code = f"{layer_code(layer, {'units': columns})}\n{compile_code(case.run)}"
    return Remedy(fault, "SHAPE", Fix(f"Give the last layer {columns} units, one per label.", code))


def _size(shape: tuple[int | None, ...]) -> int:
    size = 1
    for axis in shape:
        size *= axis or 1
    return size


def metric(case: Case) -> Remedy:
    """Use a metric that the labels allow."""
    output = _output(case)
    is_classes = output is not None and output.loss.kind in CROSS_ENTROPIES
    if is_classes or output is None:
        advice = "Check labels and predictions: a share of right answers must lie between 0 and 1."
        return Remedy("Invalid accuracy", "LABELS", Fix(advice, "print(model.predict(x_train[:5]), y_train[:5])"))
    code = compile_code(case.run, metrics='["mae"]')
    advice = "Accuracy counts exact hits, of which a regression has none: use an error instead."
    return Remedy("Accuracy of a regression", "TRAIN", Fix(advice, code))


def head_code(case: Case, output: OutputFacts, head: Head) -> str:
    """Return the code of the last layer and the `compile` call that make this head."""
    lines = _layer_lines(case.run.facts, output, head)
    loss = {output.name: quoted(head.loss)}
    return "\n".join([*lines, compile_code(case.run, losses=loss)])


def _layer_lines(facts: Facts, output: OutputFacts, head: Head) -> list[str]:
    activating, learning = facts.layer(output.activation_layer), facts.layer(output.layer)
    changes: dict[str, dict[str, object]] = {}
    if activating is not None and head.activation != output.activation:
        changes[activating.name] = {"activation": head.activation}
    if learning is not None and head.units not in (None, output.units) and "units" in learning.config:
        changes.setdefault(learning.name, {})["units"] = head.units
    found = [(facts.layer(name), change) for name, change in changes.items()]
    return [layer_code(layer, change) for layer, change in found if layer is not None]


def _output(case: Case) -> OutputFacts | None:
    return output_of(case.run.facts, case.findings[0].layer)


def _place(case: Case, output: OutputFacts | None) -> str:
    return place(output) if output is not None else case.findings[0].layer or "output"


def _in_words(head: Head) -> str:
    units = "" if head.units is None else f"{head.units} unit{'s' if head.units != 1 else ''} with "
    activation = "no activation" if head.activation == "linear" else head.activation
    return f"{units}{activation} and the loss {head.loss}"


REMEDIES: Mapping[str, Callable[[Case], Remedy]] = {
    "constant_softmax": constant_softmax,
    "loss_activation": loss_activation,
    "output_range": output_range,
    "labels": labels,
    "shape_mismatch": shape_mismatch,
    "metric": metric,
    "negative_loss": labels,
}
