"""Euclidean distances between all pairs of vectors, with matrix products and without the whole matrix in memory.

HUDD's distance is the Euclidean one over all values of a layer's heatmap (Fahmy et al., "HUDD: a tool to debug DNNs for
safety analysis", ICSE 2022). Here |a - b|^2 = |a|^2 + |b|^2 - 2 a.b in float32, which loses digits where a distance is
small beside the vectors. So the vectors are centred first, what falls below 0 is cut, and small distances are computed
again in float64.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from deepdebug.files import write_file
from deepdebug.hudd.condensed import num_pairs, num_rows, offsets
from deepdebug.hudd.normalise import normalise
from deepdebug.hudd.rows import MEMORY, Floats, Rows, block_rows

# A squared distance below this share of |a|^2 + |b|^2 is computed again. The product of float32 vectors is off by some
# 1e-7 of that sum, so that what is kept is good to 1e-5 of the distance (measured: 2e-6 over 9,216 values).
SMALL = {np.dtype(np.float32): 1e-2, np.dtype(np.float64): 1e-9}
# Below this share, even the product of float64 vectors is too coarse and the difference itself is squared.
TINY = 1e-9
GRAM_ROWS = 1024
READ_ROWS = 256


@dataclass(frozen=True, slots=True)
class Frame:
    """What all vectors are moved and scaled by before they are multiplied.

    Args:
        centre: Array of shape (values,): the mean vector.
        scale: A power of two near the largest absolute value of the vectors; keeps squares in range.
    """

    centre: Floats
    scale: float


def distances(
    rows: Rows,
    how: str = "sqrt",
    *,
    dtype: npt.DTypeLike = np.float32,
    memory: int = MEMORY,
    out: Path | None = None,
) -> npt.NDArray[Any]:
    """Return the condensed Euclidean distances between all rows.

    Args:
        rows: N vectors.
        how: How each is normalised first; see `normalise`. Defaults to "sqrt".
        dtype: float32 or float64, of the computation and the result. Defaults to float32.
        memory: Bytes for vectors; where all fit they are read once, else once per block of half as many
            bytes. The result, 2 N (N - 1) bytes in float32, and some 50 MB for products come on top. Defaults to 1 GiB.
        out: A `.npy` file for the result, which is then a read-only memory map. Defaults to a result in memory.

    Returns:
        Array of shape (N (N - 1) / 2,) and type `dtype`; exactly 0 for equal rows.

    Raises:
        UsageError: When a value is not finite, or the file cannot be written.
    """
    kind = np.dtype(dtype)
    if out is None or not num_pairs(len(rows)):
        result = np.zeros(num_pairs(len(rows)), kind)
        _fill(result, rows, how, memory)
        if out is not None:
            write_file(out, lambda path: _save(path, result), "distances")
        return result
    write_file(out, lambda path: _fill_file(path, rows, how, kind, memory), "distances")
    stored: npt.NDArray[Any] = np.load(out, mmap_mode="r", allow_pickle=False)
    return stored


def _save(path: Path, array: npt.NDArray[Any]) -> None:
    with path.open("wb") as file:
        np.save(file, array, allow_pickle=False)


def _fill_file(path: Path, rows: Rows, how: str, kind: np.dtype[Any], memory: int) -> None:
    result = np.lib.format.open_memmap(path, mode="w+", dtype=kind, shape=(num_pairs(len(rows)),))
    _fill(result, rows, how, memory)
    result.flush()


def _fill(result: npt.NDArray[Any], rows: Rows, how: str, memory: int) -> None:
    kind = result.dtype
    if len(rows) * rows.width * kind.itemsize <= memory:
        held, frame = _held(rows, how, kind)
        _compare(result, _Block.of(held, 0), frame.scale)
        return
    frame = _frame(rows, how, kind, memory)
    # Half of the memory for rows that stay while all later ones pass by, so that few rows are read twice.
    size = max(1, memory // (2 * rows.width * kind.itemsize))
    step = min(size, GRAM_ROWS, block_rows(rows.width, memory // 2, kind.itemsize))
    for start in range(0, len(rows), size):
        kept = np.empty((min(size, len(rows) - start), rows.width), kind)
        for first in range(0, len(kept), step):
            kept[first : first + step] = _read(rows, how, frame, start + first, min(step, len(kept) - first))
        block = _Block.of(kept, start)
        _compare(result, block, frame.scale)
        for other in range(start + len(kept), len(rows), step):
            passing = _Block.of(_read(rows, how, frame, other, min(step, len(rows) - other)), other)
            for one in block.pieces():
                _store(result, _block_distances(one, passing, frame.scale), one.start, other)


def _compare(result: npt.NDArray[Any], block: _Block, scale: float) -> None:
    """Store the distances among the rows of one block, which may be large, piece by piece."""
    pieces = block.pieces()
    for place, one in enumerate(pieces):
        for two in pieces[place:]:
            _store(result, _block_distances(one, two, scale), one.start, two.start)


def _read(rows: Rows, how: str, frame: Frame, start: int, count: int) -> Floats:
    return _framed(normalise(rows.block(start, start + count, frame.centre.dtype), how), frame)


def _frame(rows: Rows, how: str, kind: np.dtype[Any], memory: int) -> Frame:
    """Return the mean of the normalised rows and their size."""
    total, largest = np.zeros(rows.width), 0.0
    for _, raw in rows.blocks(block_rows(rows.width, memory), kind):
        block = normalise(raw, how)
        largest = max(largest, float(block.max(initial=0.0)), -float(block.min(initial=0.0)))
        total += block.sum(axis=0, dtype=np.float64)
    return Frame((total / max(len(rows), 1)).astype(kind), _scale(largest))


def _held(rows: Rows, how: str, kind: np.dtype[Any]) -> tuple[Floats, Frame]:
    """Return all normalised rows, moved and scaled, and by what they were."""
    held = np.empty((len(rows), rows.width), kind)
    for start, raw in rows.blocks(READ_ROWS, kind):
        held[start : start + len(raw)] = normalise(raw, how)
    centre = held.mean(axis=0, dtype=np.float64).astype(kind) if len(rows) else np.zeros(rows.width, kind)
    frame = Frame(centre, _scale(max(float(held.max(initial=0.0)), -float(held.min(initial=0.0)))))
    return _framed(held, frame), frame


def _scale(largest: float) -> float:
    return float(2.0 ** np.round(np.log2(largest))) if largest > 0 else 1.0


def _framed(block: Floats, frame: Frame) -> Floats:
    block -= frame.centre
    if frame.scale != 1.0:
        block /= block.dtype.type(frame.scale)
    return block


@dataclass(frozen=True, slots=True)
class _Block:
    """Some prepared rows with their squared norms (float64), fingerprints and the number of the first one."""

    rows: Floats
    norms: npt.NDArray[np.float64]
    prints: npt.NDArray[np.uint64]
    start: int

    @classmethod
    def of(cls, rows: Floats, start: int) -> _Block:
        norms = np.array([np.dot(row, row) for row in (one.astype(np.float64) for one in rows)])
        prints = [hashlib.blake2b(row, digest_size=8).digest() for row in rows]
        return cls(rows, norms, np.frombuffer(b"".join(prints), np.uint64), start)

    def pieces(self) -> list[_Block]:
        parts = [slice(start, start + GRAM_ROWS) for start in range(0, len(self.rows), GRAM_ROWS)]
        return [_Block(self.rows[part], self.norms[part], self.prints[part], self.start + part.start) for part in parts]


def _block_distances(first: _Block, second: _Block, scale: float) -> npt.NDArray[np.float64]:
    """Return the distances between two blocks, of shape (rows of the first, rows of the second)."""
    sizes = first.norms[:, None] + second.norms
    squared = sizes - 2.0 * (first.rows @ second.rows.T)
    small = squared < SMALL[first.rows.dtype] * sizes
    if first.start == second.start:
        small &= np.arange(len(first.rows))[:, None] < np.arange(len(second.rows))
    if small.any():
        _refine(squared, small, sizes, first, second)
    return np.sqrt(np.maximum(squared, 0.0, out=squared), out=squared) * scale


def _refine(
    squared: npt.NDArray[np.float64],
    small: npt.NDArray[np.bool_],
    sizes: npt.NDArray[np.float64],
    first: _Block,
    second: _Block,
) -> None:
    """Compute marked squared distances again: in float64, and the tiniest of them from the difference."""
    columns = np.flatnonzero(small.any(axis=0))
    others = second.rows[columns].astype(np.float64)
    chosen = np.flatnonzero(small.any(axis=1))
    for start in range(0, len(chosen), 256):
        some = chosen[start : start + 256]
        grid = np.ix_(some, columns)
        again = sizes[grid] - 2.0 * (first.rows[some].astype(np.float64) @ others.T)
        tiny = small[grid] & (again < TINY * sizes[grid])
        again[tiny & (first.prints[some][:, None] == second.prints[columns])] = 0.0
        tiny &= again != 0.0
        for row, column in zip(*np.nonzero(tiny), strict=True):
            difference = first.rows[some[row]].astype(np.float64) - others[column]
            again[row, column] = difference @ difference
        squared[grid] = np.where(small[grid], again, squared[grid])


def _store(result: npt.NDArray[Any], block: Floats, start: int, other: int) -> None:
    base = offsets(num_rows(result))
    for row in range(len(block)):
        image = start + row
        skipped = max(image + 1 - other, 0)
        first = base[image] + other
        result[first + skipped : first + block.shape[1]] = block[row, skipped:]
