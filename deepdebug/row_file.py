"""A `.npy` file of known length that is filled in order and, after a kill, from where it stopped."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
import numpy.typing as npt

from deepdebug.files import unwritable

UNFINISHED = ".part"


class RowFile:
    """Fill an array on disk with rows; the file gets its name when the last one is in.

    To be used in `with`. What an earlier run has written of the same file is kept, whole rows only, so that the same
    rows give the same bytes however often the filling was interrupted. Whether it is the same is the caller's to know:
    `discard` removes what is there.

    Args:
        target: The `.npy` file; its folder is made where it is missing.
        rows: Number of rows it will have.
        row_shape: Shape of a row.
        dtype: Type of the numbers. Defaults to `"float32"`.

    Raises:
        UsageError: From all methods, when the file cannot be written.
    """

    def __init__(self, target: Path, rows: int, row_shape: Sequence[int], dtype: str = "float32") -> None:
        self._target = target
        self._unfinished = target.with_name(f"{target.name}{UNFINISHED}")
        self._shape = (rows, *row_shape)
        self._dtype = np.dtype(dtype)
        self._row_bytes = math.prod(row_shape) * self._dtype.itemsize
        self._header = _header(self._shape, self._dtype)
        self._file: BinaryIO | None = None
        self.done = 0  # rows that are there

    def __enter__(self) -> Self:
        try:
            if self._target.is_file():
                self.done = self._shape[0]
                return self
            self._target.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._unfinished.open("r+b" if self._unfinished.is_file() else "w+b")
            self.done = self._whole_rows(self._file)
            self._file.truncate(len(self._header) + self.done * self._row_bytes)
            self._file.seek(0, os.SEEK_END)
        except OSError as error:
            raise unwritable(self._target, "array", error) from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._file is None:
            return
        try:
            self._file.close()
            if self.done == self._shape[0]:
                self._unfinished.replace(self._target)
        except OSError as problem:
            raise unwritable(self._target, "array", problem) from problem

    def append(self, rows: npt.NDArray[Any]) -> None:
        """Add rows behind those that are there.

        Args:
            rows: Array of shape (any, *row_shape).

        Raises:
            ValueError: When they have another shape, or are more than fit.
        """
        if rows.shape[1:] != self._shape[1:] or self.done + len(rows) > self._shape[0] or self._file is None:
            raise ValueError(
                f"{len(rows)} rows of shape {rows.shape[1:]} do not fit behind {self.done} of {self._shape} in "
                f"{str(self._target)!r}."
            )
        try:
            self._file.write(np.ascontiguousarray(rows, self._dtype).tobytes())
            self._file.flush()
        except OSError as error:
            raise unwritable(self._target, "array", error) from error
        self.done += len(rows)

    def keep(self, rows: int) -> None:
        """Forget all rows behind the first `rows`; a finished file becomes an unfinished one.

        Args:
            rows: At most `done`.
        """
        if not 0 <= rows <= self.done:
            raise ValueError(f"{rows} rows cannot be kept of the {self.done} in {str(self._target)!r}.")
        if rows == self.done:
            return
        try:
            if self._file is None:
                self._target.replace(self._unfinished)
                self._file = self._unfinished.open("r+b")
            self._file.truncate(len(self._header) + rows * self._row_bytes)
            self._file.seek(0, os.SEEK_END)
        except OSError as error:
            raise unwritable(self._target, "array", error) from error
        self.done = rows

    def discard(self) -> None:
        """Remove what an earlier run has written; not while the file is open."""
        try:
            for path in (self._target, self._unfinished):
                path.unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(self._target, "array", error) from error

    def _whole_rows(self, file: BinaryIO) -> int:
        """Return how many rows the file holds; one with another header is begun anew."""
        if file.read(len(self._header)) != self._header:
            file.seek(0)
            file.truncate()
            file.write(self._header)
            return 0
        size = file.seek(0, os.SEEK_END) - len(self._header)
        return min(size // self._row_bytes if self._row_bytes else 0, self._shape[0])


def _header(shape: Sequence[int], dtype: np.dtype[Any]) -> bytes:
    buffer = io.BytesIO()
    description = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": tuple(shape)}
    np.lib.format.write_array_header_1_0(buffer, description)
    return buffer.getvalue()
