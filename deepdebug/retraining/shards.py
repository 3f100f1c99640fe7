"""Several arrays in one file, whole or not at all."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from deepdebug.errors import UsageError
from deepdebug.files import write_file


def write_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> Path:
    """Write arrays of numbers or texts into an `.npz` file; the same arrays give the same bytes.

    Args:
        path: The file.
        arrays: By name.

    Raises:
        UsageError: When it cannot be written.
    """

    def write(to: Path) -> None:
        with to.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)

    return write_file(path, write, "arrays")


def read_arrays(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Read arrays back.

    Args:
        path: A file of `write_arrays`.

    Raises:
        UsageError: When it is no such file.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            return dict(stored)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise UsageError(
            f"The arrays {str(path)!r} cannot be read: {error}. Remove the file, and it is made anew."
        ) from error
