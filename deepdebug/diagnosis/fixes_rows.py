"""Fixes of the rows of the data: which of them to drop, and their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from deepdebug.diagnosis.case import Case, Remedy
from deepdebug.diagnosis.evidence import not_for_others
from deepdebug.diagnosis.fixes_data import inputs_of
from deepdebug.diagnosis.heads import output_of
from deepdebug.records import Fix


def _is_plain(case: Case) -> bool:
    """Tell whether `x_train` and `y_train` are one array each."""
    return len(inputs_of(case)) <= 1 and len(case.run.facts.outputs) <= 1


def rows_code(case: Case, rows: str, x: str = "x_train", y: str = "y_train") -> str:
    """Return the code that takes these rows of inputs and labels."""
    if _is_plain(case):
        return f"{x}, {y} = {x}[{rows}], {y}[{rows}]"
    return f"{x}, {y} = keras.tree.map_structure(lambda part: part[{rows}], ({x}, {y}))"


def _tables(case: Case, *names: str) -> tuple[str, list[str]]:
    """Return the lines that must stand before, if any, and per name the inputs as one array with a row per example."""
    if len(inputs_of(case)) <= 1:
        return "", [*names]
    define = "def rows(x):\n    return np.hstack([part.reshape(len(part), -1) for part in keras.tree.flatten(x)])\n\n"
    return define, [f"rows({name})" for name in names]


def non_finite_data(case: Case) -> Remedy:
    """Drop the rows with NaN or infinite values."""
    data = case.run.facts.data
    firsts = [one.first_non_finite for one in data.inputs] if data is not None else []
    firsts += [one.first_non_finite for one in data.labels] if data is not None else []
    parts = "(x_train, y_train)" if _is_plain(case) else "keras.tree.flatten((x_train, y_train))"
    code = (
        "import numpy as np\n"
        f"parts = {parts}\n"
        'numbers = [part for part in parts if part.dtype.kind == "f"]\n'
        "finite = [np.isfinite(part.reshape(len(part), -1)).all(axis=1) for part in numbers]\n"
        "keep = np.logical_and.reduce(finite)\n"
    )
    place = next((f" The first one is at {first}." for first in firsts if first), "")
    advice = f"Drop or fill the rows with missing values, in the training and the validation data.{place}"
    return Remedy("NaN or infinite values in the data", "MSG0", Fix(advice, code + rows_code(case, "keep")))


def labels_unrelated(case: Case) -> Remedy:
    """Check that inputs and labels belong together."""
    seen = "The prediction makes no use of the inputs although updates, scale and start are sound"
    if not_for_others(case.run):
        seen = "What the model learns of the training rows holds for no validation row"
    advice = (
        f"{seen}: check that rows and labels are shuffled together, and that the inputs can tell the labels at all."
    )
    code = f"{_shuffle_code(case)}  # one order for both"
    return Remedy("labels that do not follow from the inputs", "MSG0", Fix(advice, code))


def noisy_labels(case: Case) -> Remedy:
    """Show the rows whose labels fit worst."""
    fault = "wrong labels among the training rows"
    advice = (
        "Correct or drop the training rows with wrong labels, and shuffle inputs and labels by one order: "
        "the validation data show that such labels can be told far better."
    )
    output = output_of(case.run.facts, None)
    if output is None:
        return Remedy(fault, "MSG0", Fix(advice, "print(y_train[:100])"))
    loss = output.loss
    logits = ", from_logits=True" if loss.from_logits else ""
    code = (
        "import numpy as np\n"
        "predictions = model.predict(x_train, verbose=0)\n"
        f'losses = keras.losses.get("{loss.kind}")(y_train, predictions{logits})\n'
        "losses = keras.ops.convert_to_numpy(losses).reshape(len(y_train), -1).mean(axis=1)\n"
        "worst = np.argsort(-losses)[:100]  # rows whose labels fit worst: look at these first\n"
        "print(worst)"
    )
    return Remedy(fault, "MSG0", Fix(advice, code))


def _shuffle_code(case: Case) -> str:
    first = "y_train" if _is_plain(case) else "keras.tree.flatten(y_train)[0]"
    order = f"import numpy as np\norder = np.random.default_rng(0).permutation(len({first}))"
    return f"{order}\n{rows_code(case, 'order')}"


def duplicates(case: Case) -> Remedy:
    """Drop repeated rows."""
    before, rows = _tables(case, "x_train")
    code = (
        "import numpy as np\n"
        f"{before}_, first = np.unique({rows[0]}, axis=0, return_index=True)\n"
        f"keep = np.sort(first)\n{rows_code(case, 'keep')}"
    )
    return Remedy("repeated rows", "MSG0", Fix("Drop repeated rows before the data are split.", code))


def overlap(case: Case) -> Remedy:
    """Split after repeated rows are dropped."""
    before, rows = _tables(case, "x_train", "x_val")
    code = (
        "import numpy as np\n"
        f"{before}known = {{row.tobytes() for row in {rows[0]}}}\n"
        f"fresh = np.array([row.tobytes() not in known for row in {rows[1]}])\n"
        f"{rows_code(case, 'fresh', 'x_val', 'y_val')}"
    )
    advice = "Drop validation rows that also stand in the training data; the validation score is too good with them."
    return Remedy("training rows in the validation data", "MSG0", Fix(advice, code))


def split(case: Case) -> Remedy:
    """Shuffle the rows before they are split."""
    code = f"{_shuffle_code(case)}  # before `validation_split` takes the last rows"
    advice = "Shuffle the rows before they are split, so that training and validation hold the same classes."
    return Remedy("rows split in the order of their labels", "MSG0", Fix(advice, code))


REMEDIES: Mapping[str, Callable[[Case], Remedy]] = {
    "non_finite_data": non_finite_data,
    "labels_unrelated": labels_unrelated,
    "noisy_labels": noisy_labels,
    "duplicates": duplicates,
    "overlap": overlap,
    "split": split,
}
