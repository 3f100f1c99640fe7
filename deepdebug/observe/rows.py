"""Arrays as tables with one row per example: read in chunks that stay in the processor's cache, or in samples."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Table = NDArray[Any]
Rows = NDArray[np.intp]
CHUNK_ELEMENTS = 1 << 18
MIN_ROWS = 32
MAX_ELEMENTS = 20_000_000  # values that are examined closely
MAX_CLASSES = 1000  # more distinct labels are not taken for classes
NARROW = 16
SAMPLE_SEED = 0


def to_array(value: object) -> Table:
    """Return `value` as an array with at least one axis; what has no regular shape becomes an array of objects."""
    try:
        array = np.asarray(value)
    except (ValueError, TypeError):
        array = np.empty(len(value) if isinstance(value, Sized) else 1, dtype=object)
    return array if array.ndim else array[np.newaxis]


def is_numeric(dtype: np.dtype[Any]) -> bool:
    """Tell whether values of this type are real numbers, those of `ml_dtypes` (bfloat16, ...) included."""
    is_extension = dtype.kind == "V" and dtype.name.startswith(("bfloat", "float", "int", "uint"))
    return dtype.kind in "biuf" or is_extension


def as_table(array: Table) -> Table | None:
    """Return a view of shape (rows, values per row), or `None` where the values are not numbers."""
    return array.reshape(len(array), array[:1].size or 1) if is_numeric(array.dtype) and array.size else None


def plain(block: Table) -> Table:
    """Return the block in a type that numpy computes with at full speed; float16 and the like become float32."""
    if block.dtype.kind == "b":
        return block.view(np.uint8) if block.flags.c_contiguous else block.astype(np.uint8)
    if block.dtype.kind in "iu" or block.dtype in (np.float32, np.float64):
        return block
    return block.astype(np.float64 if block.dtype.kind == "f" and block.dtype.itemsize > 4 else np.float32)


def chunks(table: Table, rows: Rows | None = None) -> Iterator[tuple[int, Table]]:
    """Yield all rows, or those drawn, in blocks of about `CHUNK_ELEMENTS` values, each with its position."""
    step = max(1, CHUNK_ELEMENTS // table.shape[1])
    for start in range(0, len(table) if rows is None else len(rows), step):
        stop = start + step
        yield start, plain(table[start:stop] if rows is None else table[rows[start:stop]])


def sample(table: Table, max_elements: int) -> Table:
    """Return rows drawn at random (always the same ones), in their order, of about `max_elements` values.

    Up to 32 rows are kept when that takes no more than eight times as many values.
    """
    least = min(MIN_ROWS, 8 * max_elements // table.shape[1])
    rows = drawn(len(table), max_elements // table.shape[1], least)
    return plain(table if rows is None else table[rows])


def drawn(rows: int, count: int, least: int = MIN_ROWS) -> Rows | None:
    """Return the sorted indices of `count` random rows (`least` at least), or `None` where there are not more."""
    count = max(count, least, 1)
    if count >= rows:
        return None
    return np.sort(np.random.default_rng(SAMPLE_SEED).choice(rows, count, replace=False, shuffle=False))


def finite_rows(table: Table) -> Table:
    """Return the rows without NaN and infinite values."""
    return table[np.isfinite(table).all(axis=1)] if table.dtype.kind == "f" else table


def holds_integers(table: Table, max_elements: int) -> bool:
    """Tell whether all values are whole numbers, looking at no more than about `max_elements` of them."""
    if table.dtype.kind in "biu":
        return True
    return all(_all_whole(block) for _, block in chunks(table, drawn(len(table), max_elements // table.shape[1])))


def _all_whole(block: Table) -> bool:
    whole = np.floor(block) == block
    return bool(whole.all()) or bool((whole | ~np.isfinite(block)).all())


@dataclass(frozen=True, slots=True)
class Extent:
    """What a look at every single value found.

    Args:
        lowest: Smallest finite value per column; infinite where a column has none.
        highest: Largest finite value per column.
        non_finite: Number of NaN and infinite values.
        first: Row and column of the first one, or `None`.
    """

    lowest: NDArray[np.float64]
    highest: NDArray[np.float64]
    non_finite: int
    first: tuple[int, int] | None

    @property
    def minimum(self) -> float | None:
        """Smallest finite value of the table."""
        return _known(self.lowest.min())

    @property
    def maximum(self) -> float | None:
        """Largest finite value of the table."""
        return _known(self.highest.max())


def _known(value: np.float64) -> float | None:
    return float(value) if np.isfinite(value) else None


def scan(table: Table) -> Extent:
    """Look at every value once."""
    lowest = np.full(table.shape[1], np.inf)
    highest = np.full(table.shape[1], -np.inf)
    non_finite, first = 0, None
    for start, block in chunks(table):
        low, high = _column_extent(block, block)
        if not (np.isfinite(low).all() and np.isfinite(high).all()):
            finite = np.isfinite(block)
            non_finite += finite.size - int(np.count_nonzero(finite))
            row, column = divmod(int(finite.argmin()), table.shape[1])
            first = first or (start + row, column)
            low, high = _column_extent(np.where(finite, block, np.inf), np.where(finite, block, -np.inf))
        np.minimum(lowest, low, out=lowest)
        np.maximum(highest, high, out=highest)
    return Extent(lowest, highest, non_finite, first)


def _column_extent(for_minimum: Table, for_maximum: Table) -> tuple[Table, Table]:
    if for_minimum.shape[1] < NARROW:  # reducing many short rows is slow, a few long ones fast
        for_minimum, for_maximum = np.ascontiguousarray(for_minimum.T).T, np.ascontiguousarray(for_maximum.T).T
    with np.errstate(invalid="ignore"):
        return for_minimum.min(axis=0), for_maximum.max(axis=0)
