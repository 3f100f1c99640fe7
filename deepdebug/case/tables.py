"""Tables of numbers about images: CSV files whose first column names the image."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from deepdebug.errors import UsageError

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers about images.

    Args:
        path: The file.
        images: What the first column says, one entry per row.
        columns: Arrays of shape (rows,) by name; NaN where a field is empty.
    """

    path: Path
    images: tuple[str, ...]
    columns: Mapping[str, FloatArray]

    def in_order_of(self, names: Sequence[str]) -> dict[str, FloatArray]:
        """Return the columns with one row per name, NaN for a name that the table does not have.

        Args:
            names: Names of images.

        Raises:
            UsageError: When the table has none of the names.
        """
        places = {image: row for row, image in enumerate(self.images)}
        rows = np.array([places.get(name, -1) for name in names], dtype=int)
        if len(names) and (rows < 0).all():
            raise UsageError(
                f"None of the {len(names)} images stands in {str(self.path)!r}, whose first row is for "
                f"{self.images[0] if self.images else 'nothing'!r}. The first column must name images as their path in "
                f"the set, such as {names[0]!r}."
            )
        return {name: np.where(rows < 0, np.nan, column[rows]) for name, column in self.columns.items()}


def read_table(path: Path) -> Table:
    """Read a table.

    Args:
        path: A CSV file with a header; the first column names images, all others hold numbers or nothing.

    Raises:
        UsageError: When it cannot be read, names an image twice, or a field is no number.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = list(csv.reader(file, strict=True))
    except OSError as error:
        raise UsageError(f"The table {str(path)!r} cannot be read: {error.strerror or error}.") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise UsageError(f"The table {str(path)!r} is no CSV file in UTF-8: {error}. Save it again as one.") from error
    if not lines or len(lines[0]) < 2:
        raise UsageError(
            f"The table {str(path)!r} has no header with two columns or more; expected `image` and names of numbers."
        )
    header, rows = lines[0], [(number, line) for number, line in enumerate(lines[1:], 2) if line]
    if len(set(header)) < len(header):
        raise UsageError(f"The header of {str(path)!r} names a column twice: {', '.join(header)}. Rename one of them.")
    numbers = np.array([_numbers(row, header, path, number) for number, row in rows], dtype=float)
    images = tuple(row[0] for _, row in rows)
    if len(set(images)) < len(images):
        twice = next(one for one in images if images.count(one) > 1)
        raise UsageError(f"The table {str(path)!r} names the image {twice!r} twice. Leave one of them out.")
    columns = numbers.reshape(len(rows), len(header) - 1).T
    return Table(path, images, dict(zip(header[1:], columns, strict=True)))


def _numbers(row: Sequence[str], header: Sequence[str], path: Path, line: int) -> list[float]:
    if len(row) != len(header):
        raise UsageError(
            f"Line {line} of {str(path)!r} has {len(row)} fields; expected {len(header)}, as in the header."
        )
    found = []
    for name, text in zip(header[1:], row[1:], strict=True):
        try:
            found.append(float(text) if text.strip() else math.nan)
        except ValueError as error:
            raise UsageError(
                f"`{name}` in line {line} of {str(path)!r} is {text!r}; expected a number, or nothing."
            ) from error
    return found
