"""Fixes of the values of inputs and labels: their scale, constant ones, rare classes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from deepdebug.detectors.data_scale import BYTE_MAXIMUM, MIN_BYTE_RANGE, MIN_PIXELS
from deepdebug.detectors.static import labels_of
from deepdebug.diagnosis.case import Case, Remedy
from deepdebug.diagnosis.heads import output_of
from deepdebug.diagnosis.snippets import NEW_MODEL, compile_code, quoted
from deepdebug.facts import InputFacts, OutputFacts
from deepdebug.records import Fix

SCALE_ADVICE = "Bring every feature to mean 0 and variance 1, with statistics of the training rows only."


def part_of(case: Case, name: str | None) -> tuple[str, str]:
    """Return the line that must stand before, if any, and the expression for the training data of one input.

    Args:
        case: The case.
        name: Name of the input; in a list of several, its position counts.
    """
    return _part("x_train", [one.name for one in inputs_of(case)], name)


def labels_part(case: Case, output: OutputFacts | None) -> tuple[str, str]:
    """Return the line that must stand before, if any, and the expression for the labels of one output."""
    names = [one.name for one in case.run.facts.outputs]
    return _part("y_train", names, output.name if output is not None else None)


def _part(whole: str, names: list[str], name: str | None) -> tuple[str, str]:
    if len(names) <= 1 or name not in names:
        return "", whole
    return f"key = {quoted(name)} if isinstance({whole}, dict) else {names.index(name)}\n", f"{whole}[key]"


def inputs_of(case: Case) -> tuple[InputFacts, ...]:
    """Return what is known of each input."""
    data = case.run.facts.data
    return data.inputs if data is not None else ()


def data_scale(case: Case) -> Remedy:
    """Bring the badly scaled input to size 1; in a model with one input, by a layer in front of it."""
    worst = _worst_input(case)
    before, part = part_of(case, worst.name if worst is not None else None)
    fault = "inputs on an unsuitable scale" + (f" ({worst.name})" if worst is not None else "")
    is_image = worst is not None and _is_image(worst)
    code = "scale = keras.layers.Rescaling(1 / 255)" if is_image else "scale = keras.layers.Normalization()"
    code += "" if is_image else f"\nscale.adapt({part})"
    if worst is not None and len(inputs_of(case)) == 1:
        code += f"\n{NEW_MODEL}\nmodel = keras.Sequential([keras.Input({tuple(worst.shape)}), scale, model])"
        code += f"\n{compile_code(case.run)}"
    else:
        code += f"\n{part} = keras.ops.convert_to_numpy(scale({part}))"
    return Remedy(fault, "MSG0", Fix("Divide the pixel values by 255." if is_image else SCALE_ADVICE, before + code))


def _worst_input(case: Case) -> InputFacts | None:
    """Return the input that a finding names by the layer that learns from it, else the one on the largest scale."""
    layers = [one.layer for one in case.findings if one.code == "DD411"]
    free = [one for one in inputs_of(case) if one.numeric and one.normalized_by is None and not _is_embedded(case, one)]
    named = [one for one in free if one.first_learning_layer in layers[:1]]
    return max(named or free, key=lambda one: max(one.median_absolute or 0.0, one.scale_ratio or 0.0), default=None)


def _is_embedded(case: Case, one: InputFacts) -> bool:
    layer = case.run.facts.layer(one.first_learning_layer)
    return layer is not None and layer.family == "embedding"


def _is_image(one: InputFacts) -> bool:
    is_byte_range = one.minimum is not None and one.minimum >= 0 and MIN_BYTE_RANGE < (one.maximum or 0) <= BYTE_MAXIMUM
    return is_byte_range and math.prod(one.shape) >= MIN_PIXELS


def target_scale(case: Case) -> Remedy:
    """Bring the targets to size 1."""
    advice = "Train on targets of mean 0 and variance 1, and turn predictions back with the same two numbers."
    before, part = labels_part(case, output_of(case.run.facts, case.findings[0].layer))
    code = f"{before}mean, std = {part}.mean(axis=0), {part}.std(axis=0)\n{part} = ({part} - mean) / std"
    code += "  # and validation and test targets with the same two numbers"
    return Remedy("targets on an unsuitable scale", "MSG0", Fix(advice, code))


def constant_data(case: Case) -> Remedy:
    """Drop features, or exchange targets, that never vary."""
    constant = [one for one in inputs_of(case) if one.constant_features]
    wholly = [one.name for one in constant if one.constant_features == one.features]
    if wholly:
        before, part = part_of(case, wholly[0])
        advice = "Every row holds the same input, so there is nothing to tell the rows apart; check how they are read."
        return Remedy(f"constant input {wholly[0]}", "MSG0", Fix(advice, f"{before}print({part}[:5])"))
    if any(one.severity != "info" for one in case.findings):
        advice = "The target never varies, so there is nothing to learn; check how the labels are read."
        code = "import numpy as np\nprint([np.unique(part) for part in keras.tree.flatten(y_train)])"
        return Remedy("constant target", "MSG0", Fix(advice, code))
    before, part = part_of(case, constant[0].name if constant else None)
    code = f"import numpy as np\n{before}varies = np.ptp({part}, axis=0) > 0\n{part} = {part}[:, varies]"
    code += "  # and so in validation and test data, for a model with as many inputs"
    return Remedy("constant features", "MSG0", Fix("Drop the features that never vary; they cost time only.", code))


def imbalance(case: Case) -> Remedy:
    """Weight the classes by the inverse of their frequency."""
    output = output_of(case.run.facts, case.findings[0].layer)
    labels = labels_of(case.run.facts, output) if output is not None else None
    counts = labels.class_counts if labels is not None else ()
    if counts and all(counts):
        total = sum(counts)
        weights = ", ".join(f"{index}: {total / (len(counts) * count):.3g}" for index, count in enumerate(counts))
        code = f"class_weight = {{{weights}}}\nmodel.fit(x_train, y_train, class_weight=class_weight)"
    else:
        code = (
            "import numpy as np\n"
            "classes, counts = np.unique(y_train, return_counts=True)\n"
            "class_weight = dict(zip(classes.tolist(), (len(y_train) / (len(classes) * counts)).tolist()))\n"
            "model.fit(x_train, y_train, class_weight=class_weight)"
        )
    advice = "Weight rare classes higher, or sample them more often, and watch the recall of each class."
    return Remedy("class imbalance", "MSG0", Fix(advice, code))


REMEDIES: Mapping[str, Callable[[Case], Remedy]] = {
    "data_scale": data_scale,
    "target_scale": target_scale,
    "constant_data": constant_data,
    "imbalance": imbalance,
}
