"""What a model says about a set of images, which answers are failures, and the table that keeps it.

    image,result,expected,predicted,loss,<one score per class>       classification
    image,result,loss,<one error per output>                         regression

`result` is Correct or Wrong, as in HUDD's tables; numbers have as many digits as it takes to read them back the same.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import special

from deepdebug.errors import UsageError
from deepdebug.files import write_text

Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.integer]
CORRECT, WRONG = "Correct", "Wrong"


@dataclass(frozen=True, slots=True)
class FailureRule:
    """When an answer counts as a failure.

    Args:
        kind: "label" for a wrong class, "loss" for a loss above `value`, "quantile" for a loss above that quantile of
            the set.
        value: The threshold, or the quantile between 0 and 1. Defaults to `0.0`.
    """

    kind: str
    value: float = 0.0

    def failures(self, loss: Floats, wrong_label: npt.NDArray[np.bool_] | None) -> npt.NDArray[np.bool_]:
        """Return which answers are failures.

        Args:
            loss: Array of shape (images,).
            wrong_label: Array of shape (images,), or `None` for a regression.

        Raises:
            UsageError: When labels are to be compared and there are none.
        """
        if self.kind == "label":
            if wrong_label is None:
                raise UsageError(
                    "A regression has no wrong labels; say when an answer counts as a failure, with `failures` in "
                    "case.toml or with `deepdebug hudd run --failures 'loss>2'` or `--failures quantile=0.9`."
                )
            return wrong_label
        threshold = self.value if self.kind == "loss" else float(np.quantile(loss, self.value))
        return np.asarray(loss > threshold)


WRONG_LABEL = FailureRule("label")


def parse_rule(text: str) -> FailureRule:
    """Return the rule that a text means.

    Args:
        text: "label", "loss>NUMBER" or "quantile=NUMBER".

    Raises:
        UsageError: When it is none of them.

    >>> parse_rule("loss>2.5")
    FailureRule(kind='loss', value=2.5)
    """
    if text == "label":
        return WRONG_LABEL
    found = re.fullmatch(r"\s*(loss\s*>|quantile\s*=)\s*([0-9.eE+-]+)\s*", text)
    try:
        value = float(found[2]) if found else None
    except ValueError:
        value = None
    kind = "loss" if found and found[1].startswith("loss") else "quantile"
    if value is None or (kind == "quantile" and not 0 < value < 1):
        raise UsageError(f"`--failures` got {text!r}; expected label, loss>NUMBER, or quantile=NUMBER between 0 and 1.")
    return FailureRule(kind, value)


@dataclass(frozen=True, slots=True)
class Tested:
    """What a model says about a set.

    Args:
        images: Name of every image.
        columns: Names of the classes or outputs.
        scores: Array of shape (images, columns), float32: scores before the last activation, or errors per output.
        loss: Array of shape (images,), float32: cross-entropy, or mean error.
        failed: Array of shape (images,): whether the answer is a failure.
        expected: Right classes, shape (images,); `None` for a regression.
        predicted: Classes that the model says, likewise.
    """

    images: tuple[str, ...]
    columns: tuple[str, ...]
    scores: Floats
    loss: Floats
    failed: npt.NDArray[np.bool_]
    expected: Ints | None = None
    predicted: Ints | None = None


def judged_classes(
    images: Sequence[str], classes: Sequence[str], scores: Floats, expected: Ints, rule: FailureRule
) -> Tested:
    """Return the answers of a classifier.

    Args:
        images: Names of the images.
        classes: Names of the classes; two for a model with one score.
        scores: Array of shape (images, classes), or (images, 1) for two classes.
        expected: Right classes, shape (images,).
        rule: When an answer is a failure.

    Raises:
        UsageError: When the model has another number of outputs than there are classes.
    """
    if scores.shape[1] == 1 and len(classes) == 2:  # one score for the second class
        scores = np.concatenate([np.zeros_like(scores), scores], axis=1)
    if scores.shape[1] != len(classes):
        raise UsageError(
            f"The model has {scores.shape[1]} outputs, but the set has {len(classes)} classes ({', '.join(classes)}). "
            "Name the classes in the order of the outputs as `classes` in the table [case] of case.toml."
        )
    predicted = scores.argmax(axis=1)
    rows = np.arange(len(scores))
    loss = (special.logsumexp(scores, axis=1) - scores[rows, expected]).astype("float32")
    failed = rule.failures(loss, predicted != expected)
    return Tested(tuple(images), tuple(classes), scores, loss, failed, expected, predicted)


def judged_values(
    images: Sequence[str], names: Sequence[str], outputs: Floats, expected: Floats, rule: FailureRule
) -> Tested:
    """Return the answers of a regression.

    Args:
        images: Names of the images.
        names: Names of what is predicted: one per output, or one per two outputs, which are the coordinates of a point.
        outputs: Array of shape (images, outputs).
        expected: Likewise.
        rule: When an answer is a failure.

    Raises:
        UsageError: When the shapes or the names do not fit.
    """
    if outputs.shape != expected.shape:
        raise UsageError(f"The model has {outputs.shape[1]} outputs, but the set has {expected.shape[1]} values.")
    error = np.abs(outputs - expected)
    if outputs.shape[1] == 2 * len(names):
        error = np.linalg.norm((outputs - expected).reshape(len(outputs), -1, 2), axis=2)
    columns = tuple(names) if len(names) == error.shape[1] else tuple(f"output{one}" for one in range(error.shape[1]))
    loss = error.mean(axis=1).astype("float32")
    return Tested(tuple(images), columns, error.astype("float32"), loss, rule.failures(loss, None))


def write_tested(path: Path, tested: Tested) -> Path:
    """Write the table, whole or not at all.

    Args:
        path: The CSV file.
        tested: What it is to hold.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    classes = ("expected", "predicted") if tested.expected is not None else ()
    table.writerow(["image", "result", *classes, "loss", *tested.columns])
    for row, image in enumerate(tested.images):
        said = [tested.columns[one[row]] for one in (tested.expected, tested.predicted) if one is not None]
        result = WRONG if tested.failed[row] else CORRECT
        table.writerow([image, result, *said, str(tested.loss[row]), *map(str, tested.scores[row])])
    return write_text(path, text.getvalue(), "table")


def read_tested(path: Path) -> Tested:
    """Read a table back.

    Args:
        path: A file of `write_tested`.

    Raises:
        UsageError: When it is no such file.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file, strict=True)
        is_class = header[2:4] == ["expected", "predicted"]
        first = 4 if is_class else 2
        columns = tuple(header[first + 1 :])
        numbers = np.array([[float(one) for one in row[first:]] for row in rows], dtype="float32")
        numbers = numbers.reshape(len(rows), len(columns) + 1)
        known = {name: index for index, name in enumerate(columns)}
        said = [np.array([known[row[place]] for row in rows], dtype="int64") for place in (2, 3)] if is_class else []
        failed = np.array([{WRONG: True, CORRECT: False}[row[1]] for row in rows], dtype=bool)
    except (OSError, ValueError, KeyError, IndexError, csv.Error) as error:
        raise UsageError(
            f"The table {str(path)!r} cannot be read back: {error}. Remove it, and it is made anew."
        ) from error
    return Tested(tuple(row[0] for row in rows), columns, numbers[:, 1:], numbers[:, 0], failed, *said)
