"""The table that a person fills in, as spreadsheets save it."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deepdebug.errors import UsageError
from deepdebug.files import write_text

IMAGE = "image"
DELIMITERS = (",", ";", "\t")  # the second one where numbers have a comma


@dataclass(frozen=True, slots=True)
class LabelTable:
    """A table of texts.

    Args:
        header: Names of the columns.
        rows: As many texts for each image.
        delimiter: What stands between them. Defaults to ",".
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    delimiter: str = ","

    def by_image(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Yield every image and its texts by column, without blanks around them."""
        for row in self.rows:
            said = dict(zip(self.header, row, strict=True))
            yield said[IMAGE], {name: text.strip() for name, text in said.items()}


def read_label_table(path: Path, columns: Sequence[str]) -> LabelTable:
    """Read a table.

    Args:
        path: The file.
        columns: Columns that it must have beside the image.

    Raises:
        UsageError: When it cannot be read, lacks a column, has a row that is too long, or names an image twice.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
        delimiter = _delimiter(text)
        lines = [line for line in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if line]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"The labels {str(path)!r} cannot be read: {error}.") from error
    header, *rows = lines or [[]]
    wanted = (IMAGE, *columns)
    if not rows or not set(wanted) <= set(header):
        found = ", ".join(header) if rows else "no rows"
        raise UsageError(f"The labels {str(path)!r} have {found}; expected the columns {', '.join(wanted)}.")
    for number, row in enumerate(rows, 1):
        if len(row) > len(header):
            raise UsageError(
                f"The labels {str(path)!r} have row {number} with {len(row)} cells, more than the {len(header)} "
                f'columns of the header. Put a text that holds {delimiter!r} between "quotes".'
            )
    filled = tuple((*row, *("",) * (len(header) - len(row))) for row in rows)
    (name, times), *_ = Counter(row[header.index(IMAGE)] for row in filled).most_common(1)
    if times > 1:
        raise UsageError(f"{str(path)!r} names {name!r} twice. Remove one of the rows.")
    return LabelTable(tuple(header), filled, delimiter)


def write_label_table(path: Path, table: LabelTable) -> Path:
    """Write a table, whole or not at all.

    Args:
        path: The file.
        table: Its content.

    Raises:
        UsageError: When it cannot be written.
    """
    text = io.StringIO()
    lines = csv.writer(text, delimiter=table.delimiter, lineterminator="\n")
    lines.writerow(table.header)
    lines.writerows(table.rows)
    return write_text(path, text.getvalue(), "table")


def _delimiter(text: str) -> str:
    """Return what stands between the columns: what makes the image one of them."""
    first = text.partition("\n")[0].rstrip("\r")
    fitting = [one for one in DELIMITERS if IMAGE in next(csv.reader([first], delimiter=one), [])]
    return fitting[0] if fitting else DELIMITERS[0]
