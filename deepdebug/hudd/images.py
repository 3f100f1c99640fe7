"""The images of a set as the model reads them: from files, or an array in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from deepdebug.case.preprocessing import Preprocessing, model_input
from deepdebug.case.sources import Batch, Source, read_batches
from deepdebug.errors import ImageError, UsageError

Array = npt.NDArray[np.floating[Any]]
Unreadable = Callable[[int, ImageError], None]


class Images(Protocol):
    """Images, read in batches."""

    @property
    def names(self) -> Sequence[str]:
        """A name per image that no other has."""

    @property
    def batch_size(self) -> int:
        """Images that go through the model together."""

    @property
    def reading(self) -> Mapping[str, Any]:
        """Everything but the images that the model's input depends on."""

    def batches(self, rows: Sequence[int], unreadable: Unreadable) -> Iterator[Batch]:
        """Read some images in order.

        Args:
            rows: Their positions in `names`. The numbers of a batch are positions in `rows`.
            unreadable: Is told the position in `rows`, and the error, of one that cannot be read, which is left out.
        """

    def inputs(self, batch: Batch) -> Array:
        """Return a batch as the model gets it."""

    def hashes(self, rows: Sequence[int]) -> Iterator[str]:
        """Yield a hash of the content of some images."""

    def file(self, row: int) -> Path | None:
        """Return the file of an image, or `None` where it has none of its own."""


@dataclass(frozen=True, slots=True)
class FileImages:
    """Images from files.

    Args:
        names: A name per image.
        sources: Where each is.
        preprocessing: How they become the model's input; a fitted one.
        channels: Channels of the model's input, or `None` for an input without a channel axis.
        batch_size: Images that go through the model together.
    """

    names: tuple[str, ...]
    sources: tuple[Source, ...]
    preprocessing: Preprocessing
    channels: int | None
    batch_size: int

    @property
    def reading(self) -> Mapping[str, Any]:
        """See `Images`."""
        return {**asdict(self.preprocessing), "channels": self.channels, "batch_size": self.batch_size}

    def batches(self, rows: Sequence[int], unreadable: Unreadable) -> Iterator[Batch]:
        """See `Images`."""
        sources = [self.sources[row] for row in rows]
        return read_batches(sources, self.preprocessing, self.channels or 1, self.batch_size, unreadable)

    def inputs(self, batch: Batch) -> Array:
        """See `Images`."""
        x = model_input(batch.pixels, self.preprocessing)
        return x[..., 0] if self.channels is None else x

    def hashes(self, rows: Sequence[int]) -> Iterator[str]:
        """See `Images`; that of a row of an array is the hash of its file and its number."""
        known: dict[Path, str] = {}
        for source in (self.sources[row] for row in rows):
            if source.path not in known:
                known[source.path] = file_hash(source.path)
            yield known[source.path] if source.row is None else f"{known[source.path]}:{source.row}"

    def file(self, row: int) -> Path | None:
        """See `Images`."""
        source = self.sources[row]
        return source.path if source.row is None else None


class ArrayImages:
    """Images in memory, as the model takes them.

    Args:
        x: Array of shape (N, ...) of numbers.
        names: A name per image. Defaults to none: their numbers.
        batch_size: Images that go through the model together. Defaults to 64.

    Raises:
        UsageError: When `x` is no such array, or names are missing or equal.
    """

    def __init__(self, x: npt.ArrayLike, names: Sequence[str] = (), batch_size: int = 64) -> None:
        self._x = np.asarray(x)
        if self._x.ndim < 2 or self._x.dtype.kind not in "biuf" or not len(self._x):
            raise UsageError(
                f"`x` has shape {self._x.shape} and type {self._x.dtype}; expected numbers, one row or more, as the "
                "model takes them."
            )
        self.names = tuple(names) or tuple(f"{row:06d}" for row in range(len(self._x)))
        self.batch_size = batch_size
        if len(self.names) != len(self._x) or len(set(self.names)) != len(self._x):
            raise UsageError(
                f"There are {len(set(self.names))} different names for {len(self._x)} images; expected one each."
            )

    @property
    def reading(self) -> Mapping[str, Any]:
        """See `Images`."""
        return {"dtype": str(self._x.dtype), "batch_size": self.batch_size}

    def batches(self, rows: Sequence[int], unreadable: Unreadable) -> Iterator[Batch]:
        """See `Images`; an image with a value that is not finite cannot be read."""
        waiting: list[int] = []
        for number, row in enumerate(rows):
            if np.isfinite(self._x[row]).all():
                waiting.append(number)
            else:
                unreadable(number, ImageError(f"Row {row} of `x` holds NaN or infinite values."))
            if len(waiting) == self.batch_size:
                yield self._batch(rows, waiting)
                waiting = []
        if waiting:
            yield self._batch(rows, waiting)

    def inputs(self, batch: Batch) -> Array:
        """See `Images`."""
        return batch.pixels

    def hashes(self, rows: Sequence[int]) -> Iterator[str]:
        """See `Images`."""
        for row in rows:
            yield array_hash(self._x[row])

    def file(self, row: int) -> Path | None:
        """See `Images`; there is none."""
        return None

    def _batch(self, rows: Sequence[int], numbers: Sequence[int]) -> Batch:
        chosen = [rows[number] for number in numbers]
        return Batch(tuple(numbers), self._x[chosen].astype(np.float32))


def array_hash(array: npt.NDArray[Any]) -> str:
    """Return the SHA-256 of an array's numbers."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def arrays_hash(arrays: Iterable[npt.NDArray[Any]]) -> str:
    """Return the SHA-256 of several arrays in order, such as the weights of a model."""
    found = hashlib.sha256()
    for array in arrays:
        found.update(array_hash(array).encode())
    return found.hexdigest()


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file.

    Args:
        path: The file.

    Raises:
        UsageError: When it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(f"The file {str(path)!r} cannot be read: {error.strerror or error}.") from error
