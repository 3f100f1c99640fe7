"""A `.npy` file that is written row by row."""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
import numpy.typing as npt

from deepdebug.files import temporary_path, unwritable


class ArrayFile:
    """Write an array to a `.npy` file batch by batch, without ever holding all of it.

    To be used in `with`: the file gets its name when the block ends well, and nothing stays of it otherwise. All
    batches have the shape of the first one but for the number of rows. Objects are refused, so no reader needs pickle.

    Args:
        target: The file; its folder is made where it is missing.

    Raises:
        UsageError: From `append` and the end of the block, when the file cannot be written.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._temporary = temporary_path(target)
        self._file: BinaryIO | None = None
        self._rows = 0
        self._row_shape: tuple[int, ...] = ()
        self._dtype = np.dtype("float32")

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of what was appended so far."""
        return (self._rows, *self._row_shape)

    def append(self, rows: npt.NDArray[Any]) -> None:
        """Add rows at the end.

        Args:
            rows: Array of shape (rows, ...) of numbers.

        Raises:
            ValueError: When they are no numbers, or have another shape or type than the rows before.
        """
        if rows.dtype.hasobject:
            raise ValueError(f"The rows for {str(self._target)!r} are objects; expected numbers.")
        if self._file is not None and (rows.shape[1:], rows.dtype) != (self._row_shape, self._dtype):
            raise ValueError(
                f"The rows for {str(self._target)!r} have shape {rows.shape[1:]} and type {rows.dtype}; expected "
                f"{self._row_shape} and {self._dtype} like those before."
            )
        try:
            file = self._file or self._begin(rows)
            file.write(np.ascontiguousarray(rows).tobytes())
        except OSError as error:
            raise unwritable(self._target, "array", error) from error
        self._rows += len(rows)

    def _begin(self, rows: npt.NDArray[Any]) -> BinaryIO:
        self._row_shape, self._dtype = rows.shape[1:], rows.dtype
        self._target.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._temporary.open("wb")
        self._write_header(self._file)
        return self._file

    def _write_header(self, file: BinaryIO) -> None:
        """Write the header; numpy leaves room in it for any number of rows, so it can be written again at the end."""
        description = np.lib.format.dtype_to_descr(self._dtype)
        header = {"descr": description, "fortran_order": False, "shape": self.shape}
        np.lib.format.write_array_header_1_0(file, header)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if self._file is None:
            return
        try:
            if kind is None:
                self._file.seek(0)
                self._write_header(self._file)
            self._file.close()
            if kind is None:
                self._temporary.replace(self._target)
        except OSError as failure:
            if kind is None:
                raise unwritable(self._target, "array", failure) from failure
        finally:
            with contextlib.suppress(OSError):
                self._file.close()
            with contextlib.suppress(OSError):
                self._temporary.unlink(missing_ok=True)
