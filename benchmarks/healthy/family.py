"""What a healthy model is: how to build and train it, and how to tell that it learned its task."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from sklearn import metrics

from benchmarks.healthy.data import Split

Score = Callable[[Any, Any], float]


@dataclass(frozen=True, slots=True)
class Training:
    """A compiled model and the arguments of its `fit`.

    Args:
        model: The model.
        x: Training inputs, or a data source of any kind that `fit` takes.
        y: Training labels, or `None` where the source holds them.
        test: Inputs and labels of the rows held back, for the score.
        fit: Further arguments of `fit`.
    """

    model: keras.Model
    x: Any
    y: Any
    test: tuple[Any, Any]
    fit: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of model that people train every day.

    Args:
        name: Name.
        build: Returns the training for a seed.
        score: Returns the score of predictions against labels.
        usual: Score that a healthy training of it reaches on rows held back, whatever the seed.
    """

    name: str
    build: Callable[[int], Training]
    score: Score
    usual: float


FAMILIES: dict[str, Family] = {}


def family(score: Score, usual: float) -> Callable[[Callable[[int], Training]], Callable[[int], Training]]:
    """Register the decorated function as the family of its name."""

    def register(build: Callable[[int], Training]) -> Callable[[int], Training]:
        FAMILIES[build.__name__] = Family(build.__name__, build, score, usual)
        return build

    return register


def training(model: keras.Model, split: Split, epochs: int, **fit: Any) -> Training:
    """Return the training of a compiled model on arrays, with the rows held back as validation data."""
    test = (split.x_test, split.y_test)
    return Training(
        model, split.x, split.y, test, {"epochs": epochs, "validation_data": test, "validation_batch_size": 512, **fit}
    )


def sequential(*layers: keras.layers.Layer | tuple[int, ...]) -> keras.Model:
    """Return a sequential model; the first argument is the shape of one row."""
    shape, *rest = layers
    return keras.Sequential([keras.Input(shape), *rest])


def accuracy(predictions: Any, labels: Any) -> float:
    """Return the share of right classes: of one unit by the threshold 0.5, of several by the largest."""
    predictions, labels = np.asarray(predictions), np.asarray(labels)
    if predictions.shape[-1] == 1:
        return float(np.mean((predictions.ravel() > 0.5) == (labels.ravel() > 0.5)))
    classes = labels.argmax(-1) if labels.shape == predictions.shape else labels
    return float(np.mean(predictions.argmax(-1) == classes))


def balanced_accuracy(predictions: Any, labels: Any) -> float:
    """Return the mean over the two classes of the share of rows found."""
    return float(metrics.balanced_accuracy_score(np.ravel(labels) > 0.5, np.ravel(predictions) > 0.5))


def f1(predictions: Any, labels: Any) -> float:
    """Return the F1 score over all labels of all rows."""
    return float(metrics.f1_score(np.ravel(labels) > 0.5, np.ravel(predictions) > 0.5))


def explained(predictions: Any, targets: Any) -> float:
    """Return the share of the variance of the targets that the predictions explain, R squared."""
    predictions, targets = np.asarray(predictions), np.asarray(targets)
    rest = np.square(predictions.reshape(targets.shape) - targets).mean()
    return float(1 - rest / np.square(targets - targets.mean(axis=0)).mean())


def first_accuracy(predictions: Any, labels: Any) -> float:
    """Return the accuracy of the first of several outputs."""
    return accuracy(predictions[0], labels[0])
