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
MOST_WORDS = 20  # different ones in a column; more of them are names or remarks, which describe no group


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers about images.

    Args:
        path: The file.
        images: What the first column says, one entry per row.
        columns: Arrays of shape (rows,) by name; NaN where a field is empty.
        left_out: What was left out, in words.
    """

    path: Path
    images: tuple[str, ...]
    columns: Mapping[str, FloatArray]
    left_out: tuple[str, ...] = ()

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


def read_table(path: Path, words: bool = False) -> Table:
    """Read a table.

    Args:
        path: A CSV file with a header; the first column names images, all others hold numbers or nothing.
        words: Whether columns may hold words instead. A column `camera` with the words `left`, `right` and `top`
            becomes three, `camera=left` and so on, of zeros and ones; of two words the first is enough. One with more
            than 20 different words is left out. Defaults to `False`.

    Raises:
        UsageError: When it cannot be read, names an image or a column twice, or a field is no number.
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
    for number, row in rows:
        if len(row) != len(header):
            raise UsageError(
                f"Line {number} of {str(path)!r} has {len(row)} fields; expected {len(header)}, as in the header."
            )
    columns: dict[str, FloatArray] = {}
    left_out: list[str] = []
    for place, name in enumerate(header[1:], 1):
        fields = [(number, row[place].strip()) for number, row in rows]
        if not words or _mostly_numbers(fields):
            found = _numbers(name, fields, path)
        else:
            found = _words(name, [text for _, text in fields], path, left_out)
        both = sorted(found.keys() & columns.keys())
        if both:
            raise UsageError(f"The columns of {str(path)!r} give the name {both[0]!r} twice. Rename one of them.")
        columns |= found
    images = tuple(row[0] for _, row in rows)
    if len(set(images)) < len(images):
        twice = next(one for one in images if images.count(one) > 1)
        raise UsageError(f"The table {str(path)!r} names the image {twice!r} twice. Leave one of them out.")
    return Table(path, images, columns, tuple(left_out))


def _numbers(name: str, fields: Sequence[tuple[int, str]], path: Path) -> dict[str, FloatArray]:
    found = np.full(len(fields), math.nan)
    for place, (line, text) in enumerate(fields):
        try:
            found[place] = float(text) if text else math.nan
        except ValueError as error:
            raise UsageError(
                f"`{name}` in line {line} of {str(path)!r} is {text!r}; expected a number, or nothing."
            ) from error
    return {name: found}


def _words(name: str, words: Sequence[str], path: Path, left_out: list[str]) -> dict[str, FloatArray]:
    """Return a column of zeros and ones for every word, NaN where there is none; nothing for too many words."""
    texts = np.array(words)
    known = sorted(set(words) - {""})
    if len(known) > MOST_WORDS:
        left_out.append(
            f"The column {name!r} of {path.name} holds {len(known)} different words, such as {known[0]!r}, and was "
            f"left out; expected numbers, or at most {MOST_WORDS} different words."
        )
        return {}
    told = known[:1] if len(known) == 2 else known
    return {f"{name}={word}": np.where(texts == "", math.nan, (texts == word).astype(float)) for word in told}


def _mostly_numbers(fields: Sequence[tuple[int, str]]) -> bool:
    """Tell whether a column is one of numbers, of which single fields may be wrong."""
    return 2 * sum(_is_number(text) for _, text in fields) > len(fields)


def _is_number(text: str) -> bool:
    try:
        float(text or 0)
    except ValueError:
        return False
    return True
