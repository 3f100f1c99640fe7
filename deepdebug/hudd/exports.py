"""Distances as tables, for those who go on elsewhere.

Distances/LAYER.npy               condensed, as scipy has them, float32
Distances/LAYER.parquet           a square matrix with the names of the images as columns
Distances/LayerLAYERHMDistance.xlsx    the same with row numbers, as HUDD's own program wrote it
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from deepdebug.errors import UsageError
from deepdebug.files import write_file
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


def export_distances(folder: Path, images: Sequence[str], formats: Collection[str]) -> None:
    """Write the distances of every layer in other formats.

    Args:
        folder: Holds condensed distances as `.npy` files; they are removed if "npy" is not wanted.
        images: Names of the images.
        formats: Some of "npy", "parquet" and "xlsx".

    Raises:
        UsageError: When something cannot be written.
    """
    for path in sorted(folder.glob("*.npy")):
        distances: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        if "parquet" in formats:
            target = path.with_suffix(".parquet")
            write_file(target, functools.partial(_write_parquet, distances, images), "table of distances")
        if "xlsx" in formats:
            target = path.with_name(f"Layer{path.stem}HMDistance.xlsx")
            write_file(target, functools.partial(_write_sheet, distances, images), "sheet of distances")
        if "npy" not in formats:
            del distances
            path.unlink()


def _write_parquet(distances: npt.NDArray[Any], images: Sequence[str], path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    columns = [pa.array(row(distances, image, len(images)).astype(np.float32)) for image in range(len(images))]
    parquet.write_table(pa.table(columns, names=list(images)), path)


def _write_sheet(distances: npt.NDArray[Any], images: Sequence[str], path: Path) -> None:
    import xlsxwriter

    # One row at a time, so that a large sheet is never held; names are text even where they look like formulas.
    with xlsxwriter.Workbook(path, {"constant_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 1, list(images))
        for image in range(len(images)):
            sheet.write_number(image + 1, 0, image)
            sheet.write_row(image + 1, 1, row(distances, image, len(images)).tolist())
