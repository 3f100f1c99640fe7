"""Predictions of one output against its labels, as numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from deepdebug.facts import OutputFacts
from deepdebug.observation import OutputObservation
from deepdebug.observe.best_constant import yardstick_of
from deepdebug.observe.class_labels import ClassLabels, Marks, align, class_numbers, read_classes, reads_logits
from deepdebug.observe.losses import Array, loss_of
from deepdebug.observe.rows import MAX_CLASSES


def observe_output(facts: OutputFacts, labels: Any, predictions: Any) -> OutputObservation:
    """Return what the predictions of an output look like against its labels.

    What cannot be measured (text, missing values, shapes that do not fit each other) stays `None`; nothing is raised.
    The predictions of a softmax or sigmoid are read as probabilities even when the loss was told `from_logits=True`.

    Args:
        facts: The output.
        labels: Labels of the probe rows, rows first.
        predictions: Predictions for the same rows.

    Example:

    >>> from deepdebug.facts import LossFacts
    >>> facts = OutputFacts("y", "y", "linear", "y", (1,), LossFacts("mean_squared_error"))
    >>> observe_output(facts, [0.0, 2.0], [[0.0], [1.0]]).skill
    0.5
    """
    seen = OutputObservation(facts.name)
    wanted, got = _numbers(labels), _numbers(predictions)
    with np.errstate(all="ignore"):
        if got is not None:
            seen = replace(seen, row_spread=_spread(got), mean_abs=_finite(np.abs(got).mean()))
        if wanted is not None:
            seen = replace(seen, label_spread=_spread(wanted))
        if wanted is None or got is None or len(wanted) != len(got):
            return seen
        return _compare(seen, facts, align(wanted, got), got)


def _compare(seen: OutputObservation, facts: OutputFacts, labels: Array, predictions: Array) -> OutputObservation:
    classes = read_classes(facts, labels, predictions)
    if isinstance(classes, ClassLabels):
        seen = _with_classes(seen, classes)
    if isinstance(classes, Marks):
        shares = classes.truth.mean(axis=0)
        majority = float(np.maximum(shares, 1 - shares).mean())
        seen = replace(seen, accuracy=float((classes.truth == classes.guess).mean()), majority=majority)
    if facts.loss.kind == "sparse_categorical_crossentropy":
        numbers = class_numbers(labels, predictions) if predictions.ndim > 1 else None
        return seen if numbers is None else _with_sparse_loss(seen, facts, numbers.astype(np.float64), predictions)
    if labels.shape != predictions.shape:
        return seen
    loss = loss_of(facts.loss.kind, labels, predictions, reads_logits(facts))
    return replace(seen, loss=_finite(loss), constant_loss=yardstick_of(facts.loss.kind, labels))


def _with_sparse_loss(
    seen: OutputObservation, facts: OutputFacts, classes: Array, predictions: Array
) -> OutputObservation:
    width = predictions.shape[-1]
    shares = np.bincount(classes.astype(np.int64).ravel(), minlength=width) / classes.size
    return replace(
        seen,
        label_spread=float(np.sqrt((shares * (1 - shares)).mean())),
        loss=_finite(loss_of(facts.loss.kind, classes, predictions, reads_logits(facts))),
        constant_loss=yardstick_of(facts.loss.kind, classes, width),
    )


def _with_classes(seen: OutputObservation, classes: ClassLabels) -> OutputObservation:
    counts = np.bincount(classes.truth, minlength=classes.count)
    right = classes.truth == classes.guess
    seen = replace(
        seen,
        accuracy=float(right.mean()),
        majority=float(counts.max() / counts.sum()),
        predicted_share=float(np.bincount(classes.guess).max() / counts.sum()),
    )
    if classes.count > MAX_CLASSES:
        return seen
    found = np.bincount(classes.truth[right], minlength=classes.count)
    recalls = tuple(float(hit / count) if count else None for hit, count in zip(found, counts, strict=True))
    return replace(seen, class_counts=tuple(int(count) for count in counts), recalls=recalls)


def _numbers(values: Any) -> Array | None:
    """Return the values as finite numbers with at least one row, or `None`."""
    try:
        raw = np.asarray(values)
        if raw.dtype.kind in "cSUmM":
            return None
        array = raw.astype(np.float64)
    except (TypeError, ValueError, OverflowError):
        return None
    return array if array.ndim and array.size and np.isfinite(array).all() else None


def _spread(values: Array) -> float | None:
    return _finite(np.sqrt(values.var(axis=0).mean()))


def _finite(value: float | np.floating[Any] | None) -> float | None:
    return float(value) if value is not None and np.isfinite(value) else None
