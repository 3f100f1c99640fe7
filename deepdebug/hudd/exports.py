"""Distances as tables, for those who go on elsewhere.

Distances/LAYER.npy               condensed, as scipy has them, float32
Distances/LAYER.parquet           a square matrix with the names of the images as columns
Distances/LayerLAYERHMDistance.xlsx    the same with row numbers, as HUDD's own program wrote it
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from deepdebug.errors import UsageError
from deepdebug.files import file_names, write_file
from deepdebug.hudd.condensed import row

FORMATS = ("npy", "parquet", "xlsx")
NEEDED = {"parquet": "pyarrow", "xlsx": "xlsxwriter"}
MOST_COLUMNS = 16_383  # a sheet has 16,384 columns, one of which holds the row numbers


def check_exports(formats: Collection[str], images: int) -> None:
    """Refuse formats that cannot be written, before any work is done.

    Args:
        formats: Some of "npy", "parquet" and "xlsx".
        images: Number of images.

    Raises:
        UsageError: When there is no such format, its library is missing, or a sheet cannot hold so many images.
    """
    for name in formats:
        if name not in FORMATS:
            raise UsageError(f"`--export` got {name!r}; expected one of {', '.join(FORMATS)}.")
        if name in NEEDED and importlib.util.find_spec(NEEDED[name]) is None:
            raise UsageError(
                f"To write {name} files the package {NEEDED[name]} is needed, which is not installed. Install it with "
                "`pip install 'deepdebug[export]'`, or take npy."
            )
    if "xlsx" in formats and images > MOST_COLUMNS:
        raise UsageError(
            f"A sheet of Excel has room for the distances of {MOST_COLUMNS:,} images; there are {images:,} failures. "
            "Export npy or parquet instead."
        )


def distance_stems(views: Sequence[str]) -> tuple[str, ...]:
    """Return the names, without ending, of the files in which the distances of views and their sum lie."""
    return (*file_names(views, taken=("combined",)), "combined")


def remove_distances(folder: Path, names: Iterable[str]) -> None:
    """Remove files that an earlier run has left, and the folder if that empties it.

    Args:
        folder: The folder.
        names: Names of the files.
    """
    for name in names:
        if (folder / name).parent == folder:
            (folder / name).unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # not empty, or not there
        folder.rmdir()


def export_distances(folder: Path, stems: Sequence[str], images: Sequence[str], formats: Collection[str]) -> list[str]:
    """Write condensed distances in other formats.

    Args:
        folder: Where they lie as `.npy` files, which are removed if "npy" is not wanted.
        stems: Names of the files without ending; those that are not there are passed over.
        images: Names of the images.
        formats: Some of "npy", "parquet" and "xlsx".

    Returns:
        The names of the files that stay.

    Raises:
        UsageError: When something cannot be written.
    """
    kept = []
    sources = [path for stem in stems if (path := folder / f"{stem}.npy").is_file()]
    for path in sources:
        distances: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        if "parquet" in formats:
            write = functools.partial(_write_parquet, distances, images)
            kept.append(write_file(path.with_suffix(".parquet"), write, "table of distances").name)
        if "xlsx" in formats:
            write = functools.partial(_write_sheet, distances, images)
            target = path.with_name(f"Layer{path.stem}HMDistance.xlsx")
            kept.append(write_file(target, write, "sheet of distances").name)
    if "npy" in formats:
        return [*kept, *(path.name for path in sources)]
    remove_distances(folder, [path.name for path in sources])
    return kept


def _write_parquet(distances: npt.NDArray[Any], images: Sequence[str], path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    columns = [pa.array(row(distances, image, len(images)).astype(np.float32)) for image in range(len(images))]
    parquet.write_table(pa.table(columns, names=list(images)), path)


def _write_sheet(distances: npt.NDArray[Any], images: Sequence[str], path: Path) -> None:
    import xlsxwriter

    # One row at a time, so that a large sheet is never held; names stay text where they look like formulas or links.
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(path, options) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 1, list(images))
        for image in range(len(images)):
            sheet.write_number(image + 1, 0, image)
            sheet.write_row(image + 1, 1, row(distances, image, len(images)).tolist())
