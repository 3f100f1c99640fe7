"""A set of labelled images on disk, in one of three forms.

- One folder per class, with image files inside.
- Image files, and `targets.csv` with a row of numbers per image.
- One `.npz` file with an array of images, and `labels` (whole numbers, one per image) or `targets` (a row of numbers).

`parameters.csv` may stand beside, with anything that is known of each image.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from deepdebug.case.arrays import read_npz
from deepdebug.case.sources import Source, find_sources
from deepdebug.case.tables import FloatArray, Table, read_table
from deepdebug.errors import UsageError
from deepdebug.files import readable

TARGETS, PARAMETERS = "targets.csv", "parameters.csv"
LABEL_NAMES, TARGET_NAMES = ("labels", "y"), ("targets",)


@dataclass(frozen=True, slots=True)
class DataSet:
    """Labelled images.

    Args:
        folder: Where they lie.
        sources: The images.
        names: A name per image that no other has: its path in the folder, with "/".
        expected: What a model should say: class numbers of shape (images,), int64, or values of shape
            (images, outputs), float32.
        classes: Names of the classes in the order of the model's outputs; empty where values are expected.
        parameters: What is known of the images: arrays of shape (images,) by name, NaN where nothing is.
        notes: What was left out of that.
        outputs: Names of the expected values, as far as the set says them.
    """

    folder: Path
    sources: tuple[Source, ...]
    names: tuple[str, ...]
    expected: npt.NDArray[Any]
    classes: tuple[str, ...]
    parameters: Mapping[str, FloatArray]
    notes: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.sources)


def read_dataset(folder: Path, classes: Sequence[str] = ()) -> DataSet:
    """Find the images of a set and what is known of them; no image is opened.

    Args:
        folder: The folder of the set.
        classes: Names of the classes, in the order of the model's outputs. Defaults to none: the names of the folders
            in the set, sorted, or, for an `.npz` file, the numbers that occur.

    Raises:
        UsageError: When the folder holds no set in one of the three forms.
    """
    if not folder.is_dir():
        raise UsageError(f"There is no folder {str(folder)!r}; expected a set of images.")
    stored = sorted(folder.glob("*.npz"))
    if stored:
        return _from_array(folder, stored, classes)
    if (folder / TARGETS).is_file():
        return _with_targets(folder)
    return _by_class(folder, classes)


def _by_class(folder: Path, classes: Sequence[str]) -> DataSet:
    inside = sorted(one.name for one in folder.iterdir() if one.is_dir() and not one.name.startswith("."))
    if not inside:
        raise UsageError(
            f"The set {str(folder)!r} holds neither folders of images, one per class, nor {TARGETS}, nor an .npz file. "
            "Put the images of each class into a folder with its name."
        )
    known = tuple(classes) or tuple(inside)
    strange = sorted(set(inside) - set(known))
    if strange:
        raise UsageError(
            f"The set {str(folder)!r} has folders for {', '.join(strange)}, which are no classes; expected some of "
            f"{', '.join(known)}. Rename them, or add them to `classes` in case.toml."
        )
    sources: list[Source] = []
    expected: list[int] = []
    for name in inside:
        found = find_sources([folder / name]) if any((folder / name).iterdir()) else ()
        sources += found
        expected += [known.index(name)] * len(found)
    if not sources:
        raise UsageError(f"The set {str(folder)!r} holds no image. Put images into the folders of its classes.")
    names = _paths(sources, folder)
    return DataSet(folder, tuple(sources), names, np.array(expected), known, *_parameters(folder, names))


def _with_targets(folder: Path) -> DataSet:
    sources = find_sources([folder])
    names = _paths(sources, folder)
    targets = read_table(folder / TARGETS).in_order_of(names)
    expected = np.stack(list(targets.values()), axis=1).astype("float32")
    missing = [name for name, row in zip(names, expected, strict=True) if np.isnan(row).any()]
    if missing:
        raise UsageError(
            f"{TARGETS} in {str(folder)!r} lacks numbers for {len(missing)} images, such as {missing[0]!r}. Add them, "
            "or move these images elsewhere."
        )
    return DataSet(folder, sources, names, expected, (), *_parameters(folder, names), tuple(targets))


def _from_array(folder: Path, stored: Sequence[Path], classes: Sequence[str]) -> DataSet:
    if len(stored) > 1:
        raise UsageError(f"The set {str(folder)!r} holds {len(stored)} .npz files; expected one.")
    sources = find_sources(stored)
    labels, is_class = _labels(stored[0])
    if len(labels) != len(sources):
        raise UsageError(
            f"The file {str(stored[0])!r} holds {len(sources)} images and {len(labels)} labels; expected one per image."
        )
    table = _table(folder)
    names = tuple(f"{row:06d}" for row in range(len(sources)))
    if table is not None and len(table.images) == len(sources) and not set(names) & set(table.images):
        names = table.images  # row by row, it says what the rows are called
    parameters = {} if table is None else table.in_order_of(names)
    notes = () if table is None else (*table.left_out, *_without_row(table, names))
    if not is_class:
        values = labels.reshape(len(labels), -1).astype("float32")
        return DataSet(folder, sources, names, values, (), parameters, notes)
    known = tuple(classes) or tuple(str(one) for one in range(int(labels.max()) + 1))
    if labels.min() < 0 or labels.max() >= len(known):
        raise UsageError(
            f"The labels in {str(stored[0])!r} go from {labels.min()} to {labels.max()}, but there are {len(known)} "
            "classes. Mend the labels, or `classes` in case.toml."
        )
    return DataSet(folder, sources, names, labels.astype("int64"), known, parameters, notes)


def _labels(path: Path) -> tuple[npt.NDArray[Any], bool]:
    """Return the labels in a file, and whether they are classes."""
    try:
        stored = read_npz(path)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise UsageError(f"The file {str(path)!r} cannot be read: {error}.") from error
    for name in (*LABEL_NAMES, *TARGET_NAMES):
        if name in stored:
            return _checked_labels(path, name, stored[name]), name in LABEL_NAMES
    present = ", ".join(stored)
    raise UsageError(
        f"The file {str(path)!r} holds {present or 'nothing'}; expected `labels` (whole numbers, one per image) or "
        "`targets` (numbers) beside the images."
    )


def _checked_labels(path: Path, name: str, found: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if name in LABEL_NAMES and found.shape == (len(found), 1):
        found = found[:, 0]
    is_right = (found.ndim == 1 and found.dtype.kind in "iu") if name in LABEL_NAMES else found.dtype.kind in "iuf"
    if not is_right:
        wanted = "whole numbers, one per image" if name in LABEL_NAMES else "numbers, one row per image"
        raise UsageError(
            f"`{name}` in {str(path)!r} has the shape {found.shape} and the type {found.dtype}; expected {wanted}."
        )
    return found


def _paths(sources: Sequence[Source], folder: Path) -> tuple[str, ...]:
    return tuple(readable(Path(source.path.relative_to(folder).as_posix())) for source in sources)


def _parameters(folder: Path, names: Sequence[str]) -> tuple[dict[str, FloatArray], tuple[str, ...]]:
    """Return the parameters, and what was left out of them."""
    table = _table(folder)
    return ({}, ()) if table is None else (table.in_order_of(names), (*table.left_out, *_without_row(table, names)))


def _without_row(table: Table, names: Sequence[str]) -> tuple[str, ...]:
    missing = len(set(names) - set(table.images))
    return (f"{missing} of {len(names)} images have no row in {table.path.name}.",) if missing else ()


def _table(folder: Path) -> Table | None:
    path = folder / PARAMETERS
    return read_table(path, words=True) if path.is_file() else None
