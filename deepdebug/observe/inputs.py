"""The values of one model input as numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from deepdebug.facts import InputFacts
from deepdebug.observe.rows import (
    MAX_ELEMENTS,
    Extent,
    Table,
    as_table,
    chunks,
    drawn,
    finite_rows,
    holds_integers,
    is_numeric,
    sample,
    scan,
    to_array,
)

QUANTILE_ELEMENTS = 1_000_000
MAX_EXTREMES = 5
MAX_SPAN = 2**24  # distinct values are counted in a table with one place for each number between the ends


def describe_input(name: str, array: object, *, max_elements: int = MAX_ELEMENTS) -> InputFacts:
    """Describe the values of one model input.

    Every value is looked at for NaN, infinity, minimum and maximum; the quantiles come from a fixed random sample.

    Args:
        name: Name of the input.
        array: Array of shape (rows, ...). What is not made of numbers gets a record without numbers.
        max_elements: Largest number of values examined for whole numbers and rows of 0. Defaults to `20_000_000`.

    Example:

    >>> import numpy as np
    >>> describe_input("x", np.array([[1.0, 50.0], [2.0, np.nan]])).first_non_finite
    'row 1, column 1'
    """
    values = to_array(array)
    features = int(values.shape[-1]) if values.ndim > 1 else 1
    empty = InputFacts(name, values.shape[1:], str(values.dtype), numeric=is_numeric(values.dtype), features=features)
    table = as_table(values)
    if table is None:
        return empty
    extent = scan(table)
    integer = holds_integers(table, max_elements)
    described = replace(
        empty,
        integer=integer,
        distinct=_distinct(table, extent) if integer and table.size <= max_elements else None,
        zero_rows=_zero_rows(table, max_elements) if integer and table.shape[1] > 1 else None,
        minimum=extent.minimum,
        maximum=extent.maximum,
        non_finite=extent.non_finite,
        first_non_finite=f"row {extent.first[0]}, column {extent.first[1]}" if extent.first else None,
        constant_features=_constant_features(extent, features),
    )
    return _with_scales(described, finite_rows(sample(table, min(QUANTILE_ELEMENTS, max_elements))), features)


def _distinct(table: Table, extent: Extent) -> int | None:
    if extent.minimum is None or extent.maximum is None or extent.non_finite:
        return None
    low, span = int(extent.minimum), int(extent.maximum) - int(extent.minimum)
    if span >= MAX_SPAN:
        return None
    seen = np.zeros(span + 1, np.bool_)
    for _, block in chunks(table):
        seen[block.astype(np.int64) - low] = True
    return int(np.count_nonzero(seen))


def _zero_rows(table: Table, max_elements: int) -> float:
    rows = drawn(len(table), max_elements // table.shape[1])
    examined = len(table) if rows is None else len(rows)
    filled = sum(int(np.count_nonzero(block.any(axis=1))) for _, block in chunks(table, rows))
    return (examined - filled) / examined


def _constant_features(extent: Extent, features: int) -> int:
    lowest = extent.lowest.reshape(-1, features).min(axis=0)
    highest = extent.highest.reshape(-1, features).max(axis=0)
    return int(np.count_nonzero(lowest == highest))


def _with_scales(facts: InputFacts, rows: Table, features: int) -> InputFacts:
    if not rows.size:
        return facts
    values = rows.reshape(-1, features).astype(np.float64)
    sizes, ranges = np.abs(values), _interquartile_ranges(values)
    varying = ranges[ranges > 0]
    largest = np.argsort(-ranges, kind="stable")[:MAX_EXTREMES]
    return replace(
        facts,
        median_absolute=float(np.median(sizes)),
        largest_median=float(np.median(sizes, axis=0).max()),
        scale_ratio=float(varying.max() / varying.min()) if varying.size else None,
        extreme_features=tuple(f"{index}: {ranges[index]:.3g}" for index in largest),
    )


def _interquartile_ranges(values: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(over="ignore", invalid="ignore"):
        lower, upper = np.quantile(values, (0.25, 0.75), axis=0)
        ranges: NDArray[np.float64] = np.nan_to_num(upper - lower)
    return ranges
