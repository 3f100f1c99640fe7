"""The labels of one output as numbers, and samples of rows that keep the shares of the classes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from deepdebug.facts import LabelFacts
from deepdebug.observe.rows import (
    MAX_CLASSES,
    MAX_ELEMENTS,
    Table,
    as_table,
    drawn,
    finite_rows,
    holds_integers,
    plain,
    sample,
    scan,
    to_array,
)

STATISTICS_ELEMENTS = 1_000_000
SUM_TOLERANCE = 1e-3
POOL_ROWS = 1_000_000


def describe_labels(name: str, array: object, *, max_elements: int = MAX_ELEMENTS) -> LabelFacts:
    """Describe the labels of one output.

    Every value is looked at for NaN, infinity, minimum and maximum. What concerns classes comes from all rows, or from
    as many as hold `max_elements` values; mean, variance and the like come from a fixed random sample.

    Args:
        name: Name of the output.
        array: Array of shape (rows, ...). What is not made of numbers gets a record without numbers.
        max_elements: Largest number of values examined for classes. Defaults to `20_000_000`.

    Example:

    >>> describe_labels("y", [0, 2, 2]).class_counts
    (1, 0, 2)
    """
    values = to_array(array)
    empty = LabelFacts(name, values.shape[1:], str(values.dtype), rows=len(values))
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
        first_non_finite=f"row {extent.first[0]}" if extent.first else None,
    )
    width = values.shape[-1] if values.ndim > 1 else 1
    described = _with_statistics(described, finite_rows(sample(table, min(STATISTICS_ELEMENTS, max_elements))), width)
    if values.ndim > 2:
        return described
    rows = drawn(len(values), max_elements // table.shape[1])
    return _with_classes(described, values if rows is None else values[rows])


def _with_statistics(facts: LabelFacts, rows: Table, width: int) -> LabelFacts:
    if not rows.size:
        return facts
    values = rows.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        deviation = np.abs(values - np.median(values, axis=0))
        mean, variance, median_deviation = (values.mean(), values.var(axis=0).mean(), deviation.mean())
    last_axis = values.reshape(-1, width)
    sums_to_one = width > 1 and last_axis.min() >= 0 and np.abs(last_axis.sum(axis=1) - 1).max() <= SUM_TOLERANCE
    return replace(
        facts,
        mean=_finite(mean),
        variance=_finite(variance),
        median_deviation=_finite(median_deviation),
        distinct=min(_distinct(values), MAX_CLASSES + 1),
        rows_sum_to_one=bool(sums_to_one),
        one_hot=bool(sums_to_one) and _is_one_hot(last_axis),
    )


def _distinct(values: NDArray[np.float64]) -> int:
    return int(np.count_nonzero(np.diff(np.sort(values, axis=None)))) + 1  # faster than numpy.unique, which hashes


def _finite(value: np.float64) -> float | None:
    return float(value) if np.isfinite(value) else None


def _with_classes(facts: LabelFacts, values: Table) -> LabelFacts:
    facts = replace(facts, rows=len(values))
    codes = class_codes(values)
    if codes is None:
        return replace(facts, one_hot=False)
    facts = replace(facts, sorted_fraction=_sorted_fraction(codes))
    if codes.min() < 0 or codes.max() >= MAX_CLASSES:
        return facts
    units = values.shape[1] if facts.one_hot else 0
    return replace(facts, class_counts=tuple(np.bincount(codes, minlength=units).tolist()))


def class_codes(labels: object) -> NDArray[np.int64] | None:
    """Return the class of every row, or `None` where the labels are not classes.

    Classes are whole numbers of shape (rows,) or (rows, 1), or one-hot rows of shape (rows, classes).
    """
    values = to_array(labels)
    table = as_table(values)
    if table is None or values.ndim > 2:
        return None
    table = plain(table)
    if table.shape[1] > 1:
        return table.argmax(axis=1).astype(np.int64) if _is_one_hot(table) else None
    column = table[:, 0]
    if column.dtype.kind == "f" and not (np.floor(column) == column).all():
        return None
    return column.astype(np.int64) if np.abs(column.astype(np.float64)).max() < 2**62 else None


def _is_one_hot(table: Table) -> bool:
    ones = table == 1
    return bool((ones.sum(axis=1) == 1).all() and (ones | (table == 0)).all())


def _sorted_fraction(codes: NDArray[np.int64]) -> float | None:
    counts = np.unique(codes, return_counts=True)[1].astype(np.float64)
    if counts.size < 2:
        return None
    rows = counts.sum()
    expected = (rows - 1) * (1 - (counts * (counts - 1)).sum() / (rows * (rows - 1)))
    changes = np.count_nonzero(np.diff(codes)) - (counts.size - 1)
    return float(np.clip(1 - changes / expected, 0.0, 1.0))


def stratified_rows(labels: object | None, rows: int, count: int, seed: int) -> NDArray[np.intp]:
    """Draw rows at random, without replacement and in random order, with the shares that the classes have.

    Labels that are not classes (see `class_codes`), or of which there are more than 1000, do not steer the draw. Two
    disjoint samples are the two parts of one draw.

    Args:
        labels: Labels of all rows, or `None`.
        rows: Number of rows.
        count: Rows to draw; all rows where there are not more.
        seed: Seed of the draw. No other random state is touched.

    Returns:
        Row indices, of shape (min(count, rows),).
    """
    random = np.random.default_rng(seed)
    pool = random.choice(rows, min(rows, max(POOL_ROWS, count)), replace=False)
    codes = None if labels is None or not rows else class_codes(to_array(labels)[pool])
    if codes is None:
        return pool[:count]
    classes, codes, sizes = np.unique(codes, return_inverse=True, return_counts=True)
    if classes.size > MAX_CLASSES:
        return pool[:count]
    by_class: NDArray[np.intp] = pool[np.argsort(codes, kind="stable")]
    starts = np.cumsum(sizes) - sizes
    shares = zip(starts, _quotas(sizes, min(count, rows)), strict=True)
    chosen: NDArray[np.intp] = np.concatenate([by_class[start : start + quota] for start, quota in shares])
    random.shuffle(chosen)
    return chosen


def _quotas(sizes: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    exact = sizes * (count / sizes.sum())
    quotas: NDArray[np.intp] = np.minimum(np.floor(exact).astype(np.intp), sizes)
    left = count - int(quotas.sum())
    quotas[np.argsort(quotas - exact, kind="stable")[:left]] += 1
    return quotas
