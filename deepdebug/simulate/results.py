"""The table of a set's ground truth: what the model says about each picture, and why it fails."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from deepdebug.errors import UsageError
from deepdebug.simulate.cases import Array, failures, landmark_errors
from deepdebug.simulate.causes import CAUSES
from deepdebug.simulate.order import Order
from deepdebug.simulate.pictures import Block, Tell, draw_set, picture_names
from deepdebug.simulate.truth import Model, causes_of_failures
from deepdebug.simulate.writing import write_table

Flags = npt.NDArray[np.bool_]

CORRECT, WRONG = "Correct", "Wrong"
CODES = ("planted", "causes", "repaired_by")  # columns that hold codes of causes with spaces between


@dataclass(frozen=True, slots=True)
class Result:
    """One picture.

    Args:
        failed: Whether the model is wrong about it.
        planted: Codes of the causes in whose regions it lies.
        causes: Codes of those that make it fail; empty for a picture that does not fail, and for a natural error.
    """

    failed: bool
    planted: tuple[str, ...]
    causes: tuple[str, ...]


def write_truth(order: Order, part: str, model: Model, target: Path, tell: Tell = lambda _: None) -> Path:
    """Judge every picture of a set and write the table.

    Args:
        order: What is simulated.
        part: "TrainingSet", "TestSet" or "ImprovementSet".
        model: Maps pictures as they are stored to outputs.
        target: The CSV file.
        tell: Is told of progress. Defaults to nothing.
    """
    said = ("expected", "predicted") if order.case.classes else ("mean_error",)
    rows = [row for block in draw_set(order, part, tell) for row in _rows(order, block, model)]
    return write_table(target, ("image", "result", *said, *CODES), rows)


def read_truth(path: Path) -> list[Result]:
    """Read the table back.

    Raises:
        UsageError: When it cannot be read.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [
                Result(row["result"] == WRONG, tuple(row["planted"].split()), tuple(row["causes"].split()))
                for row in csv.DictReader(file)
            ]
    except (OSError, KeyError, AttributeError, ValueError) as error:
        raise UsageError(
            f"The ground truth {str(path)!r} cannot be read: {error}. Expected the columns image, result and "
            f"{', '.join(CODES)}. Remove the file and run the same command again, which writes it anew."
        ) from error


def read_truth_by_image(path: Path) -> dict[str, tuple[str, ...]]:
    """Return the codes of the causes of every picture that fails, by its name.

    Args:
        path: A file of `write_truth`.

    Raises:
        UsageError: When it cannot be read.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return {
                row["image"]: tuple(row["causes"].split()) for row in csv.DictReader(file) if row["result"] == WRONG
            }
    except (OSError, KeyError, AttributeError, ValueError) as error:
        raise UsageError(f"The ground truth {str(path)!r} cannot be read: {error}.") from error


def _rows(order: Order, block: Block, model: Model) -> Iterator[Sequence[object]]:
    case, parameters, targets = order.case, block.sample.parameters, block.sample.targets
    outputs = model(block.pictures)
    failed = failures(case, outputs, targets)
    truth = causes_of_failures(model, case, parameters.take(failed), order.colour)
    planted = np.stack([CAUSES[code].region(parameters) for code in case.causes], axis=1)
    causes, repaired = (_spread(flags, failed) for flags in (truth.causes, truth.repaired))
    said = _said(order, outputs, targets)
    for row, name in enumerate(picture_names(order, block)):
        codes = (_codes(case.causes, flags[row]) for flags in (planted, causes, repaired))
        yield name, WRONG if failed[row] else CORRECT, *said[row], *codes


def _said(order: Order, outputs: npt.NDArray[np.floating], targets: Array) -> list[Sequence[object]]:
    classes = order.case.classes
    if not classes:
        return [(f"{error:.4f}",) for error in landmark_errors(outputs, targets)]
    return [(classes[int(label)], classes[chosen]) for label, chosen in zip(targets, outputs.argmax(1), strict=True)]


def _spread(flags: Flags, rows: Flags) -> Flags:
    """Return the rows at their places among all pictures."""
    spread = np.zeros((len(rows), flags.shape[1]), np.bool_)
    spread[rows] = flags
    return spread


def _codes(codes: Sequence[str], flags: Flags) -> str:
    return " ".join(code for code, flag in zip(codes, flags, strict=True) if flag)
