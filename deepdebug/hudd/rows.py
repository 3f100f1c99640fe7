"""Vectors of images, read block by block: from memory, from a memory map or from a `.npy` file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from deepdebug.errors import UsageError

Source = npt.NDArray[Any] | str | os.PathLike[str]
Floats = npt.NDArray[np.floating[Any]]

MEMORY = 2**30  # bytes that an argument `memory` stands for when it is not given


@dataclass(frozen=True, slots=True)
class Rows:
    """One vector per image, of which only the blocks that are asked for are in memory.

    Args:
        name: What errors call it.
        source: Array of shape (N, ...) of any real type, or the path of a `.npy` file with such an array. Every row is
            flattened. A file is opened anew for each block, so that pages of the last block are given back.
        shape: The shape of the source.
    """

    name: str
    source: Source
    shape: tuple[int, ...]

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def width(self) -> int:
        """Number of values of one flattened row."""
        return int(np.prod(self.shape[1:], dtype=np.int64))

    def block(self, start: int, stop: int, dtype: npt.DTypeLike = np.float32) -> Floats:
        """Return a copy of some rows as an array of shape (stop - start, width).

        Args:
            start: First row.
            stop: Row after the last one.
            dtype: Type of the copy. Defaults to `float32`.

        Raises:
            UsageError: When a value is NaN or infinite, or the file cannot be read.
        """
        array = _opened(self.name, self.source)
        with np.errstate(over="ignore", invalid="ignore"):
            values = np.array(array[start:stop], dtype=dtype, order="C").reshape(-1, self.width)
        finite = np.isfinite(values).all(axis=1)
        if not finite.all():
            raise _not_finite(self.name, start + int(np.argmin(finite)), values[np.argmin(finite)])
        return values

    def take(self, chosen: npt.NDArray[np.integer[Any]]) -> Floats:
        """Return chosen rows, in their order, as an array of shape (len(chosen), width) and type float32."""
        if not len(chosen):
            return np.zeros((0, self.width), np.float32)
        return np.concatenate([self.block(int(row), int(row) + 1) for row in chosen])

    def blocks(self, size: int, dtype: npt.DTypeLike = np.float32) -> Iterator[tuple[int, Floats]]:
        """Yield (first row, block) for all blocks of at most `size` rows."""
        for start in range(0, len(self), size):
            yield start, self.block(start, min(start + size, len(self)), dtype)


def rows_of(source: Source, name: str = "vectors") -> Rows:
    """Return the rows of an array or a `.npy` file.

    Args:
        source: Array of shape (N, ...) or path.
        name: What errors call it. Defaults to "vectors".

    Raises:
        UsageError: When there is no such array, or it holds no real numbers.
    """
    array = _opened(name, source)
    if array.ndim < 1 or array.dtype.kind not in "fiub":
        raise UsageError(
            f"The vectors of {name!r} have shape {array.shape} and type {array.dtype}; expected real numbers with one "
            "row per image. Pass an array of shape (N, ...)."
        )
    return Rows(name, source, array.shape)


def block_rows(width: int, memory: int, itemsize: int = 4, copies: int = 4) -> int:
    """Return how many rows a block may have so that `copies` of it fit into a budget.

    Args:
        width: Values of one row.
        memory: The budget, in bytes.
        itemsize: Bytes of a value. Defaults to 4.
        copies: How many blocks live at once. Defaults to 4: two blocks and what computing with them takes.
    """
    return int(np.clip(memory // (copies * itemsize * max(width, 1)), 1, 4096))


def _opened(name: str, source: Source) -> npt.NDArray[Any]:
    if isinstance(source, np.ndarray):
        return source
    if not isinstance(source, str | os.PathLike):
        raise UsageError(
            f"The vectors of {name!r} are a {type(source).__name__}; expected an array or the path of a `.npy` file."
        )
    try:
        array: npt.NDArray[Any] = np.load(Path(source), mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UsageError(
            f"The vectors of {name!r} cannot be read from {str(source)!r}: {error}. Expected a `.npy` file of numbers, "
            "as `numpy.save` writes it."
        ) from error
    if not isinstance(array, np.ndarray):
        raise UsageError(f"{str(source)!r} holds several arrays; expected a `.npy` file with the vectors of {name!r}.")
    return array


def _not_finite(name: str, row: int, values: Floats) -> UsageError:
    bad = values[~np.isfinite(values)]
    return UsageError(
        f"Row {row} of the vectors of {name!r} holds {len(bad)} values that are not finite, the first is {bad[0]}; "
        "expected finite numbers. Look at the image of that row and at the model's outputs for it, or leave it out."
    )
