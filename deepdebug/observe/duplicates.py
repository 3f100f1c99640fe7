"""Rows that occur more than once, in the training data and between training and validation data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepdebug.observe.rows import MAX_ELEMENTS, Rows, Table, as_table, chunks, drawn, to_array

WORDS_PER_ELEMENT = 2
MAX_TRAINING_ROWS = 1_000_000
MAX_VALIDATION_ROWS = 200_000
KEY_SEED = 20_081
MIXER = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio, the odd constant of Fibonacci hashing

Keys = NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Repeats:
    """How often rows repeat; each field as in `DataFacts`."""

    duplicate_fraction: float | None = None
    conflict_fraction: float | None = None
    overlap_fraction: float | None = None
    overlap_expected: float | None = None


def find_repeats(
    inputs: Sequence[object],
    classes: Sequence[object] = (),
    validation: Sequence[object] = (),
    *,
    max_elements: int = MAX_ELEMENTS,
) -> Repeats:
    """Compare the rows of the inputs with each other and with those of the validation data.

    Rows are equal when all their values are equal in float32, in which Keras computes; rows with NaN take no part. When
    the data exceed the budget a random sample of training rows is compared, and the shares are divided by the sampled
    share: exact for rows that occur twice, and never more than 1.

    Args:
        inputs: One array of shape (rows, ...) per model input.
        classes: Labels that are classes, of the same rows. Defaults to `()`.
        validation: The inputs of the validation rows. Defaults to `()`.
        max_elements: Half the number of 8-byte words to hash. Defaults to `20_000_000`.

    Returns:
        The shares; `None` where the inputs are not numbers or differ in their number of rows.
    """
    tables, others = _tables(inputs), _tables(validation)
    if tables is None:
        return Repeats()
    if others is not None and [other.shape[1] for other in others] != [table.shape[1] for table in tables]:
        others = None
    types = [_key_type(*same_input) for same_input in zip(tables, *([others] if others else []), strict=True)]
    budget = max_elements * WORDS_PER_ELEMENT // sum(map(_words, tables, types))
    rows = drawn(len(tables[0]), min(budget, MAX_TRAINING_ROWS))
    keys, usable = _keys(tables, types, rows)
    if not usable.any():
        return Repeats()
    share = 1.0 if rows is None else len(rows) / len(tables[0])
    known, counts = np.unique(keys[usable], return_counts=True)
    overlap = _overlap(known, others, types, budget) if others else None
    once = np.count_nonzero(counts == 1)
    matching = [labels for labels in map(to_array, classes) if len(labels) == len(tables[0])]
    return Repeats(
        duplicate_fraction=_scaled(1 - known.size / counts.sum(), share),
        conflict_fraction=_scaled(_conflicts(keys, usable, matching, rows), share),
        overlap_fraction=_scaled(overlap, share),
        overlap_expected=None if overlap is None else _scaled(1 - once / counts.sum(), share),
    )


def _tables(arrays: Sequence[object]) -> list[Table] | None:
    tables = [as_table(to_array(array)) for array in arrays]
    known = [table for table in tables if table is not None]
    same_rows = len({len(table) for table in known}) == 1
    return known if same_rows and len(known) == len(tables) else None


def _key_type(*tables: Table) -> np.dtype[Any]:
    if any(table.dtype.kind not in "biu" for table in tables):
        return np.dtype(np.float32)
    types = {table.dtype for table in tables}
    return types.pop() if len(types) == 1 else np.dtype(np.int64)


def _words(table: Table, dtype: np.dtype[Any]) -> int:
    return math.ceil(int(table.shape[1]) * dtype.itemsize / 8)


def _keys(tables: Sequence[Table], types: Sequence[np.dtype[Any]], rows: Rows | None) -> tuple[Keys, NDArray[np.bool_]]:
    """Return a 64-bit key of every (drawn) row over all inputs, and which rows hold no NaN."""
    random = np.random.default_rng(KEY_SEED)
    count = len(tables[0]) if rows is None else len(rows)
    keys, usable = np.zeros(count, np.uint64), np.ones(count, np.bool_)
    for table, dtype in zip(tables, types, strict=True):
        words = _words(table, dtype)
        multipliers = random.integers(0, 2**64, words, dtype=np.uint64) | np.uint64(1)
        for start, block in chunks(table, rows):
            keys[start : start + len(block)] += _block_keys(block, dtype, multipliers)
            if block.dtype.kind == "f":
                usable[start : start + len(block)] &= ~np.isnan(block).any(axis=1)
    return keys, usable


def _block_keys(block: Table, dtype: np.dtype[Any], multipliers: Keys) -> Keys:
    words = np.zeros((len(block), multipliers.size), np.uint64)
    with np.errstate(over="ignore", invalid="ignore"):
        values = words.view(dtype)[:, : block.shape[1]]
        np.add(block, 0, out=values, casting="unsafe")  # adding 0 turns -0.0 into 0.0
    words ^= words >> np.uint64(32)
    words *= multipliers
    words ^= words >> np.uint64(29)
    words *= MIXER
    keys: Keys = words.sum(axis=1, dtype=np.uint64)
    return keys


def _scaled(fraction: float | None, share: float) -> float | None:
    return None if fraction is None else min(1.0, float(fraction) / share)


def _overlap(known: Keys, others: Sequence[Table], types: Sequence[np.dtype[Any]], budget: int) -> float | None:
    rows = drawn(len(others[0]), min(budget, MAX_VALIDATION_ROWS))
    keys, usable = _keys(others, types, rows)
    return float(np.isin(keys[usable], known).mean()) if usable.any() else None


def _conflicts(keys: Keys, usable: NDArray[np.bool_], classes: Sequence[Table], rows: Rows | None) -> float | None:
    tables = _tables(classes)
    if tables is None:
        return None
    label_keys, _ = _keys(tables, [_key_type(table) for table in tables], rows)
    keys, label_keys = keys[usable], label_keys[usable]
    order = np.argsort(keys)
    label_keys = label_keys[order]
    starts = np.flatnonzero(np.diff(keys[order], prepend=~keys[order[0]]))
    differs = np.minimum.reduceat(label_keys, starts) != np.maximum.reduceat(label_keys, starts)
    sizes = np.diff(starts, append=keys.size)
    return float(sizes[differs].sum() / keys.size)
