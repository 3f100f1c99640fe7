"""The values of one model input as numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from deepdebug.facts import InputFacts
from deepdebug.observe.rows import (
    Extent,
    Table,
    as_table,
    finite_rows,
    holds_integers,
    is_numeric,
    sample,
    scan,
    to_array,
)

MAX_ELEMENTS = 20_000_000
QUANTILE_ELEMENTS = 1_000_000
MAX_EXTREMES = 5


def describe_input(name: str, array: object, *, max_elements: int = MAX_ELEMENTS) -> InputFacts:
    """Describe the values of one model input.

    Every value is looked at for NaN, infinity, minimum and maximum; the quantiles come from a fixed random sample.

    Args:
        name: Name of the input.
        array: Array of shape (rows, ...). What is not made of numbers gets a record without numbers.
        max_elements: Largest number of values examined for being whole numbers. Defaults to `20_000_000`.

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
    described = replace(
        empty,
        integer=holds_integers(table, max_elements),
        minimum=extent.minimum,
        maximum=extent.maximum,
        non_finite=extent.non_finite,
        first_non_finite=f"row {extent.first[0]}, column {extent.first[1]}" if extent.first else None,
        constant_features=_constant_features(extent, features),
    )
    return _with_scales(described, finite_rows(sample(table, min(QUANTILE_ELEMENTS, max_elements))), features)


def _constant_features(extent: Extent, features: int) -> int:
    lowest = extent.lowest.reshape(-1, features).min(axis=0)
    highest = extent.highest.reshape(-1, features).max(axis=0)
    return int(np.count_nonzero(lowest == highest))


def _with_scales(facts: InputFacts, rows: Table, features: int) -> InputFacts:
    if not rows.size:
        return facts
    values = rows.reshape(-1, features).astype(np.float64)
    ranges = _interquartile_ranges(values)
    varying = ranges[ranges > 0]
    largest = np.argsort(-ranges, kind="stable")[:MAX_EXTREMES]
    return replace(
        facts,
        median_absolute=float(np.median(np.abs(values))),
        scale_ratio=float(varying.max() / varying.min()) if varying.size else None,
        extreme_features=tuple(f"{index}: {ranges[index]:.3g}" for index in largest),
    )


def _interquartile_ranges(values: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(over="ignore", invalid="ignore"):
        lower, upper = np.quantile(values, (0.25, 0.75), axis=0)
        ranges: NDArray[np.float64] = np.nan_to_num(upper - lower)
    return ranges
