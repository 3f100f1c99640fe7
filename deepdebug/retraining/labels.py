"""Labels of the improvement set, which nobody may look at before images are chosen.

to_label.csv: image,cluster,rank,distance,label                 classification
to_label.csv: image,cluster,rank,distance,<one value per output>   regression
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from deepdebug.errors import UsageError
from deepdebug.retraining.assigning import Chosen, Ints
from deepdebug.retraining.label_table import IMAGE, LabelTable, read_label_table, write_label_table

COLUMNS = (IMAGE, "cluster", "rank", "distance")
LABEL = "label"
NOBODY = "-"  # can label the image
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
        path: The table, as `write_to_label` made it. Rows of other images, such as of those that have left the set, do
            not count.
        names: Name of every image of the improvement set.
        classes: Names of the classes; empty for a regression.
        outputs: Names of a regression's values; empty for a classifier.

    Raises:
        UsageError: When it cannot be read, names an image twice or none that is in the set, or has an unknown class.
    """

    def __init__(self, path: Path, names: Sequence[str], classes: Sequence[str], outputs: Sequence[str]) -> None:
        self.path, self.columns = path, (LABEL,) if classes else tuple(outputs)
        self.names = tuple(names)
        self._classes = tuple(classes)
        table = read_label_table(path, self.columns)
        self._has_decimal_commas = table.delimiter == ";"
        self._said = _said(table, self.columns)
        if not set(self._said) & set(names):
            raise UsageError(
                f"{str(path)!r} names {len(self._said)} images, such as {next(iter(self._said))!r}, none of which is "
                "in the improvement set. Choose the table that belongs to this case."
            )
        self._refuse_unknown()

    def of(self, rows: Ints) -> Array:
        """See `LabelSource`."""
        lacking = self.missing(rows)
        if lacking.any():
            names = [self.names[row] for row in rows[lacking]]
            raise UsageError(
                f"{str(self.path)!r} has no label for {len(names)} of {len(rows)} images, such as "
                f"{', '.join(names[:NAMED])}. Fill them in; an image nobody can label may be marked with a '-'."
            )
        found = [self._value(self.names[row]) for row in rows]
        return np.array(found, np.int64 if self._classes else np.float32)

    def _refuse_unknown(self) -> None:
        if not self._classes:
            return
        known = {*self._classes, NOBODY, ""}
        found = ((name, self._said[name][0]) for name in self.names if name in self._said)
        strange = [(name, label) for name, label in found if label not in known]
        if strange:
            name, label = strange[0]
            more = f", and {len(strange) - 1} more images as what is no class" if len(strange) > 1 else ""
            raise UsageError(
                f"{str(self.path)!r} labels {name!r} as {label!r}{more}; expected one of {', '.join(self._classes)}."
            )

    def missing(self, rows: Ints) -> npt.NDArray[np.bool_]:
        """Return which images still have to be filled in, shape (rows,)."""
        return np.array([not all(self._said.get(self.names[row], ("",))) for row in rows], np.bool_)

    def marked(self) -> npt.NDArray[np.bool_]:
        """Return which images of the set the person marked as impossible to label, shape (images,)."""
        return np.array([NOBODY in self._said.get(name, ()) for name in self.names], np.bool_)

    def _value(self, name: str) -> Any:
        said = self._said[name]
        if self._classes:
            return self._classes.index(said[0])
        try:
            values = [float(one.replace(",", ".") if self._has_decimal_commas else one) for one in said]
        except ValueError:
            values = [np.nan]
        if not np.isfinite(values).all():
            raise UsageError(
                f"{str(self.path)!r} labels {name!r} as {' and '.join(said)}; expected numbers, with a point, or a "
                "comma where semicolons part the columns."
            )
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
    return _said(read_label_table(path, columns), columns)


def _said(table: LabelTable, columns: Sequence[str]) -> dict[str, tuple[str, ...]]:
    return {image: tuple(texts[column] for column in columns) for image, texts in table.by_image()}


def write_to_label(path: Path, chosen: Chosen, names: Sequence[str], columns: Sequence[str]) -> int:
    """Write the table that a person fills in; what was written into it before is kept, in columns of any name.

    A table that would not change is left alone, as a spreadsheet has saved it.

    Args:
        path: The table.
        chosen: The images.
        names: Name of every image of the improvement set.
        columns: Names of the columns to be filled in.

    Returns:
        Number of chosen images that have labels already. Images that are not chosen any more, but about which the
        person wrote something, stand at the end.

    Raises:
        UsageError: When an earlier table cannot be read, or the new one not be written.
    """
    earlier = read_label_table(path, columns) if path.is_file() else LabelTable((), ())
    own = tuple(one for one in earlier.header if one not in (*COLUMNS, *columns))
    known = {image: tuple(texts[one] for one in (*columns, *own)) for image, texts in earlier.by_image()}
    empty = ("",) * len((*columns, *own))
    rows = [(*map(str, facts), *known.get(facts[0], empty)) for facts in chosen_rows(chosen, names)]
    listed = {row[0] for row in rows}
    labelled = sum(all(row[len(COLUMNS) : len(COLUMNS) + len(columns)]) for row in rows)
    rows += [(name, "", "", "", *said) for name, said in known.items() if name not in listed and any(said)]
    table = LabelTable((*COLUMNS, *columns, *own), tuple(rows), earlier.delimiter)
    if table != earlier:
        write_label_table(path, table)
    return labelled


def add_rows(path: Path, images: Sequence[str], columns: Sequence[str]) -> int:
    """Add images to a table that a person has begun to fill in; everything that stands there stays.

    Args:
        path: The table.
        images: Names of the images; those that stand there already are not added again.
        columns: Names of the columns to be filled in.

    Returns:
        Number of rows that were added.

    Raises:
        UsageError: When it cannot be read or written.
    """
    table = read_label_table(path, columns)
    known = {image for image, _ in table.by_image()}
    place = table.header.index(IMAGE)
    empty = [""] * len(table.header)
    added = tuple((*empty[:place], name, *empty[place + 1 :]) for name in images if name not in known)
    if added:
        write_label_table(path, replace(table, rows=table.rows + added))
    return len(added)


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
    return write_label_table(path, LabelTable(tuple(header), tuple(tuple(map(str, row)) for row in rows)))
