"""Labels of the improvement set, which nobody may look at before images are chosen.

to_label.csv: image,cluster,rank,distance,label                 classification
to_label.csv: image,cluster,rank,distance,<one value per output>   regression
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from deepdebug.errors import UsageError
from deepdebug.files import write_text
from deepdebug.retraining.assigning import Chosen, Ints

COLUMNS = ("image", "cluster", "rank", "distance")
LABEL = "label"
NAMED = 3  # images that a message names
Array = npt.NDArray[Any]


class LabelSource(Protocol):
    """Says what is right about images, when asked."""

    def of(self, rows: Ints) -> Array:
        """Return the labels of some images.

        Args:
            rows: Their rows in the improvement set.

        Returns:
            Classes of shape (rows,), int64, or values of shape (rows, outputs), float32.

        Raises:
            UsageError: When one is missing or unknown.
        """


class OwnLabels:
    """Labels that came with the set.

    Args:
        expected: Classes of shape (images,), or values of shape (images, outputs).
    """

    def __init__(self, expected: Array) -> None:
        self._expected = expected

    def of(self, rows: Ints) -> Array:
        """See `LabelSource`."""
        return self._expected[rows]


class Part:
    """Labels of some images of a set.

    Args:
        labels: Those of the set.
        rows: The rows of the images in the set.
    """

    def __init__(self, labels: LabelSource, rows: Ints) -> None:
        self._labels, self._rows = labels, rows

    def of(self, rows: Ints) -> Array:
        """See `LabelSource`."""
        return self._labels.of(self._rows[rows])


class FiledLabels:
    """Labels that a person has filled in.

    Args:
        path: The table, as `write_to_label` made it.
        names: Name of every image of the improvement set.
        classes: Names of the classes; empty for a regression.
        outputs: Names of a regression's values; empty for a classifier.

    Raises:
        UsageError: When it cannot be read, or names an image twice or one that is not in the set.
    """

    def __init__(self, path: Path, names: Sequence[str], classes: Sequence[str], outputs: Sequence[str]) -> None:
        self._path, self._names = path, tuple(names)
        self._classes, self._columns = tuple(classes), (LABEL,) if classes else tuple(outputs)
        self._said = read_labels(path, self._columns)
        strange = sorted(set(self._said) - set(names))
        if strange:
            raise UsageError(
                f"{str(path)!r} names {len(strange)} images that are not in the improvement set, such as "
                f"{strange[0]!r}. Remove these rows, or choose the table that belongs to this case."
            )

    def of(self, rows: Ints) -> Array:
        """See `LabelSource`."""
        wanted = [self._names[row] for row in rows]
        missing = [name for name in wanted if not all(self._said.get(name, ("",)))]
        if missing:
            raise UsageError(
                f"{str(self._path)!r} has no label for {len(missing)} of {len(wanted)} images, such as "
                f"{', '.join(missing[:NAMED])}. Fill them in; an image nobody can label may be marked with a '-'."
            )
        found = [self._value(name) for name in wanted]
        return np.array(found, np.int64 if self._classes else np.float32)

    def left_out(self, rows: Ints) -> npt.NDArray[np.bool_]:
        """Return which images the person marked as impossible to label, shape (rows,)."""
        return np.array([self._said.get(self._names[row], ("",))[0] == "-" for row in rows], np.bool_)

    def _value(self, name: str) -> Any:
        said = self._said[name]
        if self._classes:
            if said[0] not in self._classes:
                raise UsageError(
                    f"{str(self._path)!r} labels {name!r} as {said[0]!r}; expected one of {', '.join(self._classes)}."
                )
            return self._classes.index(said[0])
        try:
            values = [float(one) for one in said]
        except ValueError:
            values = [np.nan]
        if not np.isfinite(values).all():
            raise UsageError(f"{str(self._path)!r} labels {name!r} as {', '.join(said)}; expected numbers.")
        return values


def read_labels(path: Path, columns: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Read what a person has filled in.

    Args:
        path: The table.
        columns: Names of the columns to be filled in.

    Returns:
        The texts by image, without blanks around them.

    Raises:
        UsageError: When it cannot be read, lacks a column, or names an image twice.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"The labels {str(path)!r} cannot be read: {error}.") from error
    wanted = ("image", *columns)
    lacking = [one for one in wanted if rows and one not in rows[0]]
    if lacking or not rows:
        found = ", ".join(rows[0]) if rows else "no rows"
        raise UsageError(f"The labels {str(path)!r} have {found}; expected the columns {', '.join(wanted)}.")
    said: dict[str, tuple[str, ...]] = {}
    for row in rows:
        if row["image"] in said:
            raise UsageError(f"{str(path)!r} names {row['image']!r} twice. Remove one of the rows.")
        said[row["image"]] = tuple((row[column] or "").strip() for column in columns)
    return said


def write_to_label(path: Path, chosen: Chosen, names: Sequence[str], columns: Sequence[str]) -> int:
    """Write the table that a person fills in; what was filled in before is kept.

    Args:
        path: The table.
        chosen: The images.
        names: Name of every image of the improvement set.
        columns: Names of the columns to be filled in.

    Returns:
        Number of images that have labels already. Those that are not chosen any more stand at the end.

    Raises:
        UsageError: When an earlier table cannot be read, or the new one not be written.
    """
    earlier: Mapping[str, tuple[str, ...]] = read_labels(path, columns) if path.is_file() else {}
    empty = ("",) * len(columns)
    rows: list[tuple[Any, ...]] = [
        (name, *facts, *earlier.get(name, empty)) for name, *facts in chosen_rows(chosen, names)
    ]
    listed = {row[0] for row in rows}
    rows += [(name, "", "", "", *said) for name, said in earlier.items() if name not in listed and any(said)]
    write_table(path, (*COLUMNS, *columns), rows)
    return sum(any(row[len(COLUMNS) :]) for row in rows)


def chosen_rows(chosen: Chosen, names: Sequence[str]) -> list[tuple[Any, ...]]:
    """Return image, cluster (from 1, as the page counts; empty where there is none), rank and distance of each.

    Args:
        chosen: The images.
        names: Name of every image of the improvement set.
    """
    return [
        (names[image], int(cluster) + 1 if cluster >= 0 else "", int(rank), str(distance))
        for image, cluster, rank, distance in zip(
            chosen.images, chosen.clusters, chosen.ranks, chosen.distances, strict=True
        )
    ]


def write_table(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> Path:
    """Write a CSV file, whole or not at all.

    Args:
        path: The file.
        header: Names of the columns.
        rows: The rows.

    Raises:
        UsageError: When it cannot be written.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(header)
    table.writerows(rows)
    return write_text(path, text.getvalue(), "table")
