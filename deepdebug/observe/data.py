"""The training and validation data as numbers."""

from __future__ import annotations

from collections.abc import Sequence

from deepdebug.facts import DataFacts
from deepdebug.observe.duplicates import find_repeats
from deepdebug.observe.inputs import describe_input
from deepdebug.observe.labels import describe_labels, stratified_rows
from deepdebug.observe.rows import MAX_CLASSES, MAX_ELEMENTS, to_array

__all__ = ["describe_data", "describe_input", "describe_labels", "stratified_rows"]

Named = Sequence[tuple[str, object]]


def describe_data(
    inputs: Named,
    labels: Named,
    *,
    complete: bool,
    validation_inputs: Named = (),
    validation_labels: Named = (),
    max_elements: int = MAX_ELEMENTS,
) -> DataFacts:
    """Describe the training data, their labels and how they meet the validation data.

    NaN, infinity, minimum and maximum come from all values. The rest comes from all values up to `max_elements`, and
    from fixed random samples beyond. No other random state is touched.

    Args:
        inputs: Name and array, of shape (rows, ...), of every model input.
        labels: Name and array of every output; `None` in place of the array where an output has no labels.
        complete: Whether the arrays are all training rows, not a sample.
        validation_inputs: The same of the validation data. Defaults to `()`.
        validation_labels: The same of the validation data. Defaults to `()`.
        max_elements: About the number of values to examine closely. Defaults to `20_000_000`, which takes less than
            0.3 seconds.

    Example:

    >>> import numpy as np
    >>> rows = np.array([[0.5, 1.5], [0.5, 1.5], [2.5, 0.5]])
    >>> describe_data([("x", rows)], [("y", np.array([0, 1, 1]))], complete=True).conflict_fraction
    0.6666666666666666
    """
    known = [(name, array) for name, array in labels if array is not None]
    described = [describe_labels(name, array, max_elements=max_elements) for name, array in known]
    classes = [
        array
        for (_, array), facts in zip(known, described, strict=True)
        if facts.integer and facts.distinct is not None and facts.distinct <= MAX_CLASSES
    ]
    repeats = find_repeats(
        [array for _, array in inputs], classes, [array for _, array in validation_inputs], max_elements=max_elements
    )
    return DataFacts(
        rows=next((len(to_array(array)) for _, array in (*inputs, *known)), 0),
        complete=complete,
        inputs=tuple(describe_input(name, array, max_elements=max_elements) for name, array in inputs),
        labels=tuple(described),
        validation_inputs=tuple(
            describe_input(name, array, max_elements=max_elements) for name, array in validation_inputs
        ),
        validation_labels=tuple(
            describe_labels(name, array, max_elements=max_elements)
            for name, array in validation_labels
            if array is not None
        ),
        duplicate_fraction=repeats.duplicate_fraction,
        conflict_fraction=repeats.conflict_fraction,
        overlap_fraction=repeats.overlap_fraction,
        overlap_expected=repeats.overlap_expected,
    )
