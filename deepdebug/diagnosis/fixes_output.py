"""Fixes where output, loss and labels contradict each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from deepdebug.detectors.static import CATEGORICAL, CROSS_ENTROPIES, SPARSE, labels_of, place
from deepdebug.diagnosis.case import Case, Remedy
from deepdebug.diagnosis.fixes_data import labels_part
from deepdebug.diagnosis.fixes_layers import weighted_layer
from deepdebug.diagnosis.heads import Head, output_of, suitable_head
from deepdebug.diagnosis.snippets import compile_code, exact, layer_code, one_loss_code
from deepdebug.facts import Facts, LabelFacts, OutputFacts
from deepdebug.records import Fix

UNREACHABLE = "Make the last layer able to express the labels; as it is, no training can."


def constant_softmax(case: Case) -> Remedy:
    """Replace the softmax over one unit, which is 1 for every row."""
    output = _output(case)
    labels = labels_of(case.run.facts, output) if output is not None else None
    fault = f"softmax over one unit in layer '{_place(case, output)}' is always 1"
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
        return Remedy("last activation and loss do not fit", "MSG2", Fix(UNREACHABLE, "model.summary()"))
    head = suitable_head(output, labels_of(case.run.facts, output))
    if head.activation == output.activation:
        fault = f"loss {output.loss.kind} does not fit the {output.activation} of layer '{_place(case, output)}'"
        return Remedy(fault, "MSG1", Fix(f"Use {_in_words(head)}.", head_code(case, output, head)))
    present = "no activation" if output.activation == "linear" else output.activation
    fault = f"layer '{_place(case, output)}' ({present}) does not fit the loss {output.loss.kind}"
    return Remedy(fault, "MSG2", Fix(f"Use {_in_words(head)}.", head_code(case, output, head)))


def output_range(case: Case) -> Remedy:
    """Use a last activation that reaches the labels."""
    output = _output(case)
    fault = f"layer '{_place(case, output)}' cannot reach the labels"
    if output is None:
        return Remedy(fault, "MSG2", Fix(UNREACHABLE, 'activation = "linear"'))
    head = suitable_head(output, labels_of(case.run.facts, output))
    advice = f"Use {_in_words(head)}, or scale the labels into the range of {output.activation}."
    return Remedy(fault, "MSG2", Fix(advice, head_code(case, output, head)))


def labels(case: Case) -> Remedy:
    """Encode the labels as the loss expects them, or use the loss that expects them as they are."""
    output = _output(case)
    found = labels_of(case.run.facts, output) if output is not None else None
    fault = "labels encoded otherwise than the loss expects"
    if output is None or found is None:
        advice = "Compare shape and values of the labels with what the loss expects."
        return Remedy(fault, "LABELS", Fix(advice, "print(y_train[:5])"))
    return Remedy(fault, "LABELS", _labels_fix(case, output, found))


def _labels_fix(case: Case, output: OutputFacts, found: LabelFacts) -> Fix:
    first, kind, low, high = case.findings[0], output.loss.kind, found.minimum, found.maximum
    before, part = labels_part(case, output)
    if low is None or high is None:
        return _from_text(kind, before, part)
    if kind in SPARSE and first.code == "DD404" and first.severity == "warn":
        ignored = int(low if low < 0 else high)
        loss = one_loss_code(kind, bool(output.loss.from_logits), ignored)
        advice = f"If {ignored} stands for positions without a label, let the loss leave it out with `ignore_class`."
        return Fix(advice, compile_code(case.run, losses={output.name: loss}))
    if kind in SPARSE and found.integer and low < 0:
        return Fix("Count the classes from 0.", f"{before}{part} = {part} + {exact(-low)}")
    if kind in SPARSE and found.integer and low >= 1 and high - low < (output.units or 0) <= high:
        code = f"{before}{part} = {part} - {exact(low)}  # and so in validation and test data"
        return Fix("Count the classes from 0.", code)
    are_classes = (found.distinct or 0) > 2 and bool(found.class_counts)
    if kind == "binary_crossentropy" and (low < 0 or high > 1) and not are_classes:
        return Fix("Recode the labels to 0 and 1.", before + _recode_code(part, found.distinct, low, high))
    head = suitable_head(output, found)
    return Fix(f"Use {_in_words(head)}.", head_code(case, output, head))


def _from_text(kind: str, before: str, part: str) -> Fix:
    """Turn texts into numbers: classes for a cross-entropy, else the numbers that they spell."""
    if kind not in CROSS_ENTROPIES:
        return Fix("Turn the texts into numbers.", f'{before}{part} = {part}.astype("float32")')
    code = f"import numpy as np\n{before}classes, {part} = np.unique({part}, return_inverse=True)"
    if kind in CATEGORICAL:
        code += f"\n{part} = keras.utils.to_categorical({part})"
    return Fix("Number the classes from 0, in the order of their names in `classes`.", code)


def _recode_code(part: str, distinct: int | None, low: float, high: float) -> str:
    if (distinct or 0) <= 2:
        return f'{part} = ({part} == {exact(high)}).astype("float32")'
    shifted = part if low == 0 else f"({part} - {exact(low)})" if low > 0 else f"({part} + {exact(-low)})"
    return f"{part} = {shifted} / {exact(high - low)}"


def shape_mismatch(case: Case) -> Remedy:
    """Give labels and output the same shape."""
    output = _output(case)
    found = labels_of(case.run.facts, output) if output is not None else None
    fault = "labels and output differ in shape and are broadcast"
    advice = "Give the labels the shape of the output; otherwise every row is held against every label."
    if output is None or found is None or not output.shape:
        return Remedy(fault, "SHAPE", Fix(advice, "y_train = y_train.reshape(len(y_train), -1)"))
    if _size(found.shape) == _size(output.shape):
        sizes = "".join(f", {size}" for size in output.shape)
        before, part = labels_part(case, output)
        return Remedy(fault, "SHAPE", Fix(advice, f"{before}{part} = {part}.reshape(len({part}){sizes})"))
    columns = found.shape[-1] if found.shape else 1
    layer = weighted_layer(case.run.facts, output.layer)
    if layer is None or len(output.shape) > 1 or "units" not in layer.config:
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
        return Remedy("invalid accuracy", "LABELS", Fix(advice, "print(model.predict(x_train[:5]), y_train[:5])"))
    code = compile_code(case.run, metrics='["mae"]')
    advice = "Accuracy counts exact hits, of which a regression has none: use an error instead."
    return Remedy("accuracy of a regression", "TRAIN", Fix(advice, code))


def head_code(case: Case, output: OutputFacts, head: Head) -> str:
    """Return the code of the last layer and the `compile` call that make this head."""
    lines = _layer_lines(case.run.facts, output, head)
    ignored = output.loss.ignore_class if head.loss == output.loss.kind else None
    loss = one_loss_code(head.loss, ignore_class=ignored)
    return "\n".join([*lines, compile_code(case.run, losses={output.name: loss})])


def _layer_lines(facts: Facts, output: OutputFacts, head: Head) -> list[str]:
    activating, learning = facts.layer(output.activation_layer), weighted_layer(facts, output.layer)
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
