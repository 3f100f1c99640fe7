"""Fixes of the data: values, scale, order, classes and rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from deepdebug.detectors.data_scale import BYTE_MAXIMUM, MIN_BYTE_RANGE, MIN_PIXELS
from deepdebug.detectors.static import labels_of
from deepdebug.diagnosis.case import Case, Remedy
from deepdebug.diagnosis.heads import output_of
from deepdebug.diagnosis.snippets import compile_code, quoted
from deepdebug.facts import InputFacts
from deepdebug.records import Fix


def data_code(case: Case, name: str | None) -> str:
    """Return the expression for one input's training data: `x_train`, or its entry where there are several."""
    data = case.run.facts.data
    is_one = data is None or len(data.inputs) <= 1
    return "x_train" if is_one or name is None else f"x_train[{quoted(name)}]"


def non_finite_data(case: Case) -> Remedy:
    """Drop the rows with NaN or infinite values."""
    data = case.run.facts.data
    inputs = data.inputs if data is not None else ()
    labels = data.labels if data is not None else ()
    poisoned = [data_code(case, one.name) for one in inputs if one.non_finite]
    poisoned += ["y_train"] if any(one.non_finite for one in labels) else []
    tests = " & ".join(f"np.isfinite({name}.reshape(len({name}), -1)).all(axis=1)" for name in poisoned or ["x_train"])
    every = [*dict.fromkeys(data_code(case, one.name) for one in inputs), "y_train"]
    every = every if inputs else ["x_train", "y_train"]
    code = f"import numpy as np\nkeep = {tests}\n" + "\n".join(f"{name} = {name}[keep]" for name in every)
    firsts = [one.first_non_finite for one in inputs] + [one.first_non_finite for one in labels]
    place = next((f" The first one is at {first}." for first in firsts if first), "")
    advice = f"Drop or fill the rows with missing values, in the training and the validation data.{place}"
    return Remedy("NaN or infinite values in the data", "MSG0", Fix(advice, code))


def data_scale(case: Case) -> Remedy:
    """Put a normalising layer in front of the model."""
    worst = _worst_input(case)
    if worst is None:
        return Remedy("Inputs on an unsuitable scale", "MSG0", Fix(SCALE_ADVICE, _normalization_code(case, None)))
    fault = f"Inputs on an unsuitable scale ({worst.name})"
    if _is_image(worst):
        code = f"scale = keras.layers.Rescaling(1 / 255)\n{_put_first(worst)}"
        return Remedy(fault, "MSG0", Fix("Divide the pixel values by 255.", f"{code}\n{compile_code(case.run)}"))
    return Remedy(fault, "MSG0", Fix(SCALE_ADVICE, _normalization_code(case, worst)))


def target_scale(case: Case) -> Remedy:
    """Bring the targets to size 1."""
    advice = "Train on targets of mean 0 and variance 1, and turn predictions back with the same two numbers."
    code = "mean, std = y_train.mean(axis=0), y_train.std(axis=0)\ny_train = (y_train - mean) / std"
    return Remedy("Targets on an unsuitable scale", "MSG0", Fix(advice, code))


SCALE_ADVICE = "Bring every feature to mean 0 and variance 1, with statistics of the training rows only."


def _worst_input(case: Case) -> InputFacts | None:
    data = case.run.facts.data
    free = [] if data is None else [one for one in data.inputs if one.numeric and one.normalized_by is None]
    return max(free, key=lambda one: max(one.median_absolute or 0.0, one.scale_ratio or 0.0), default=None)


def _is_image(one: InputFacts) -> bool:
    is_byte_range = one.minimum is not None and one.minimum >= 0 and MIN_BYTE_RANGE < (one.maximum or 0) <= BYTE_MAXIMUM
    return is_byte_range and math.prod(one.shape) >= MIN_PIXELS


def _put_first(one: InputFacts) -> str:
    return f"model = keras.Sequential([keras.Input({tuple(one.shape)}), scale, model])"


def _normalization_code(case: Case, worst: InputFacts | None) -> str:
    data = case.run.facts.data
    source = data_code(case, worst.name if worst else None)
    lines = ["scale = keras.layers.Normalization()", f"scale.adapt({source})"]
    if worst is not None and data is not None and len(data.inputs) == 1:
        lines.append(_put_first(worst))
        lines.append(compile_code(case.run))
    else:
        lines.append(f"{source} = scale({source})")
    return "\n".join(lines)


def constant_data(case: Case) -> Remedy:
    """Drop features, or exchange targets, that never vary."""
    data = case.run.facts.data
    inputs = data.inputs if data is not None else ()
    wholly = [one.name for one in inputs if one.constant_features and one.constant_features == one.features]
    if wholly:
        advice = "Every row holds the same input, so there is nothing to tell the rows apart; check how they are read."
        return Remedy(f"Constant input {wholly[0]}", "MSG0", Fix(advice, f"print({data_code(case, wholly[0])}[:5])"))
    if any(one.severity in ("error", "fatal") for one in case.findings):
        advice = "The target never varies, so there is nothing to learn; check how the labels are read."
        return Remedy("Constant target", "MSG0", Fix(advice, "import numpy as np\nprint(np.unique(y_train))"))
    code = "import numpy as np\nvaries = np.ptp(x_train, axis=0) > 0\nx_train = x_train[:, varies]"
    return Remedy("Constant features", "MSG0", Fix("Drop the features that never vary; they cost time only.", code))


def labels_unrelated(case: Case) -> Remedy:
    """Check that inputs and labels belong together."""
    advice = (
        "The prediction makes no use of the inputs although updates, scale and start are sound: check that rows and "
        "labels are shuffled together, and that the inputs can tell the labels at all."
    )
    code = (
        "import numpy as np\n"
        "order = np.random.default_rng(0).permutation(len(x_train))\n"
        "x_train, y_train = x_train[order], y_train[order]  # one order for both"
    )
    return Remedy("Labels that do not follow from the inputs", "MSG0", Fix(advice, code))


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
    return Remedy("Class imbalance", "MSG0", Fix(advice, code))


def duplicates(case: Case) -> Remedy:
    """Drop repeated rows."""
    code = (
        "import numpy as np\n"
        "_, first = np.unique(x_train, axis=0, return_index=True)\n"
        "x_train, y_train = x_train[np.sort(first)], y_train[np.sort(first)]"
    )
    return Remedy("Repeated rows", "MSG0", Fix("Drop repeated rows before the data are split.", code))


def overlap(case: Case) -> Remedy:
    """Split after repeated rows are dropped."""
    code = (
        "import numpy as np\n"
        "known = {row.tobytes() for row in x_train}\n"
        "fresh = np.array([row.tobytes() not in known for row in x_val])\n"
        "x_val, y_val = x_val[fresh], y_val[fresh]"
    )
    advice = "Drop validation rows that also stand in the training data; the validation score is too good with them."
    return Remedy("Training rows in the validation data", "MSG0", Fix(advice, code))


def split(case: Case) -> Remedy:
    """Shuffle the rows before they are split."""
    code = (
        "import numpy as np\n"
        "order = np.random.default_rng(0).permutation(len(x_train))\n"
        "x_train, y_train = x_train[order], y_train[order]  # before `validation_split` takes the last rows"
    )
    advice = "Shuffle the rows before they are split, so that training and validation hold the same classes."
    return Remedy("Rows split in the order of their labels", "MSG0", Fix(advice, code))


REMEDIES: Mapping[str, Callable[[Case], Remedy]] = {
    "non_finite_data": non_finite_data,
    "data_scale": data_scale,
    "target_scale": target_scale,
    "constant_data": constant_data,
    "labels_unrelated": labels_unrelated,
    "imbalance": imbalance,
    "duplicates": duplicates,
    "overlap": overlap,
    "split": split,
}
