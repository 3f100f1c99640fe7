"""Reads labels and predictions as classes, where they are classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepdebug.facts import OutputFacts
from deepdebug.observe.losses import Array, signed

EXCLUSIVE = ("categorical_crossentropy", "categorical_focal_crossentropy", "kl_divergence")
BINARY = ("binary_crossentropy", "binary_focal_crossentropy")
HINGES = ("hinge", "squared_hinge")


@dataclass(frozen=True, slots=True)
class ClassLabels:
    """True and predicted classes, rows and positions in one line.

    Args:
        truth: True class numbers, of shape (rows and positions,).
        guess: Predicted class numbers, of the same shape.
        count: Number of classes.
    """

    truth: NDArray[np.int64]
    guess: NDArray[np.int64]
    count: int


@dataclass(frozen=True, slots=True)
class Marks:
    """True and predicted yes-or-no labels that do not exclude one another, one column each.

    Args:
        truth: Shape (rows and positions, labels).
        guess: The same shape.
    """

    truth: NDArray[np.bool_]
    guess: NDArray[np.bool_]


def read_classes(facts: OutputFacts, labels: Array, predictions: Array) -> ClassLabels | Marks | None:
    """Return the classes of labels and predictions, or `None` when the labels are not classes.

    Args:
        facts: The output; its loss and activation say how labels and predictions are to be read.
        labels: Labels, float64, of shape (rows, ...), ranks aligned by `align`.
        predictions: What the model said, float64, of shape (rows, ...); the last axis is that of the classes or labels.

    Returns:
        `ClassLabels` where one class excludes the others, `Marks` where several labels may hold at once, else `None`.
    """
    width = predictions.shape[-1] if predictions.ndim > 1 else 1
    if width > 1 and facts.loss.kind in ("sparse_categorical_crossentropy", "custom"):
        numbered = class_numbers(labels, predictions)
        if numbered is not None and (facts.loss.kind != "custom" or facts.activation == "softmax"):
            return ClassLabels(numbered.ravel(), _flat(predictions).argmax(axis=1), width)
    if facts.loss.kind == "none" or labels.shape != predictions.shape:
        return None
    if width > 1 and _excludes(facts, _flat(labels)):
        return ClassLabels(_flat(labels).argmax(axis=1), _flat(predictions).argmax(axis=1), width)
    return _read_yes_or_no(facts, labels, predictions, width)


def _read_yes_or_no(facts: OutputFacts, labels: Array, predictions: Array, width: int) -> ClassLabels | Marks | None:
    """Read labels of two values; under a loss for measured quantities only where there is one per row."""
    kind = facts.loss.kind
    sides = 2 * labels - 1 if kind in BINARY else signed(labels)
    is_asked_for = kind in (*BINARY, *HINGES) or (kind == "custom" and facts.activation == "sigmoid")
    is_one_per_row = width == 1 and predictions.ndim <= 2 and kind != "custom"
    if not (is_asked_for or is_one_per_row) or not np.isin(sides, (-1, 1)).all():
        return None
    truth, guess = sides > 0, predictions > threshold(facts, labels)
    if width > 1:
        return Marks(truth.reshape(-1, width), guess.reshape(-1, width))
    return ClassLabels(truth.ravel().astype(np.int64), guess.ravel().astype(np.int64), 2)


def class_numbers(labels: Array, predictions: Array) -> NDArray[np.int64] | None:
    """Return sparse labels as class numbers, or `None` where they are not that.

    Args:
        labels: Labels, float64, of shape (rows, ...) or (rows, ..., 1).
        predictions: What the model said, float64, of shape (rows, ..., classes).

    Returns:
        Whole numbers, int64, of shape (rows, ...), each below the number of classes; or `None`.
    """
    if labels.ndim == predictions.ndim and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if labels.shape != predictions.shape[:-1]:
        return None
    classes = labels.astype(np.int64)
    in_range = classes.min() >= 0 and classes.max() < predictions.shape[-1]
    return classes if in_range and (classes == labels).all() else None


def threshold(facts: OutputFacts, labels: Array) -> float:
    """Return the prediction above which the answer is yes: 0 for logits, margins and labels -1 and 1, else 0.5."""
    return 0.0 if facts.loss.kind in HINGES or labels.min() < 0 or reads_logits(facts) else 0.5


def reads_logits(facts: OutputFacts) -> bool:
    """Tell whether the predictions are logits; those of a softmax or sigmoid never are, whatever the loss was told."""
    return bool(facts.loss.from_logits) and facts.activation not in ("softmax", "sigmoid")


def align(labels: Array, predictions: Array) -> Array:
    """Return the labels with a last axis of size 1 added or taken away where Keras would do so.

    Args:
        labels: Labels, float64, of shape (rows, ...).
        predictions: What the model said, float64, of shape (rows, ...).

    Returns:
        The labels, of the rank of `predictions` where such an axis makes the difference, else as they came.
    """
    if labels.ndim + 1 == predictions.ndim and predictions.shape[-1] == 1:
        return labels[..., np.newaxis]
    if labels.ndim == predictions.ndim + 1 and labels.shape[-1] == 1:
        return labels[..., 0]
    return labels


def _flat(values: Array) -> Array:
    return values.reshape(-1, values.shape[-1])


def _excludes(facts: OutputFacts, labels: Array) -> bool:
    """Tell whether the label rows are classes that exclude one another."""
    if facts.loss.kind in EXCLUSIVE:
        return bool(labels.min() >= 0 and np.allclose(labels.sum(axis=1), 1, atol=1e-3))
    return bool(np.isin(labels, (0, 1)).all() and (labels.sum(axis=1) == 1).all())
