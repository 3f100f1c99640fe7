"""Several arrays in one file, whole or not at all.

A shard carries a fingerprint of everything that it depends on: a process whose parent was killed may write one after
the next run, with other inputs, has begun.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from deepdebug.errors import UsageError
from deepdebug.files import write_file

FINGERPRINT = "fingerprint"


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


def write_shard(path: Path, arrays: Mapping[str, npt.NDArray[Any]], fingerprint: str) -> Path:
    """Write arrays with a fingerprint of what they depend on.

    Args:
        path: The file.
        arrays: By name.
        fingerprint: The fingerprint.

    Raises:
        UsageError: When it cannot be written.
    """
    return write_arrays(path, {**arrays, FINGERPRINT: np.array(fingerprint)})


def is_shard(path: Path, fingerprint: str) -> bool:
    """Tell whether a file of `write_shard` is there and has a fingerprint; nothing else of it is read.

    Args:
        path: The file.
        fingerprint: The fingerprint.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            return str(stored[FINGERPRINT]) == fingerprint
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return False


def read_shard(path: Path, fingerprint: str) -> dict[str, npt.NDArray[Any]]:
    """Read arrays back, without their fingerprint.

    Args:
        path: A file of `write_shard`.
        fingerprint: The fingerprint that it must have.

    Raises:
        UsageError: When it cannot be read, or has another one.
    """
    found = read_arrays(path)
    if str(found.pop(FINGERPRINT, "")) != fingerprint:
        raise written_over(path)
    return found


def written_over(path: Path) -> UsageError:
    """Return the error for a result that a run with other inputs has replaced while this one was under way.

    Args:
        path: The file.
    """
    return UsageError(
        f"{str(path)!r} was written by another run with other inputs while this one was under way; expected one run at "
        "a time in a folder. Wait for the other one or end it, and run the command again: what is done is kept."
    )
