"""The losses of Keras in numpy, for measuring skill on the probe rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_expit, log_softmax

Array = NDArray[np.float64]

EPSILON = 1e-7  # keras.config.epsilon()
HUBER_DELTA = 1.0  # default of keras.losses.Huber
FOCAL_GAMMA = 2.0  # default of keras.losses.BinaryFocalCrossentropy


def loss_of(kind: str, labels: Array, predictions: Array, from_logits: bool = False) -> float | None:
    """Return the mean loss by the definition of Keras, or `None` for a loss that is not known here.

    Parameters that are not recorded are taken at their defaults: no label smoothing, Huber's delta 1, focal gamma 2.

    Args:
        kind: Name of the Keras function, such as "mean_squared_error".
        labels: Labels, float64, of the shape of `predictions`; for the sparse cross-entropy class numbers, of that
            shape without its last axis.
        predictions: What the model said, float64, of shape (rows, ...); the last axis is that of the classes, where
            the loss has one.
        from_logits: Whether a cross-entropy is given logits. Defaults to `False`.

    Returns:
        The mean over rows and positions, or `None`.
    """
    if kind in CROSSENTROPIES:
        return float(CROSSENTROPIES[kind](labels, predictions, from_logits).mean())
    if kind in PLAIN_LOSSES:
        return float(PLAIN_LOSSES[kind](labels, predictions).mean())
    return None


def signed(labels: Array) -> Array:
    """Return hinge labels as -1 and 1, recoded from 0 and 1 where they are those."""
    return 2 * labels - 1 if np.isin(labels, (0, 1)).all() else labels


def _log_probabilities(predictions: Array, from_logits: bool) -> Array:
    if from_logits:
        return np.asarray(log_softmax(predictions, axis=-1))
    shares = predictions / predictions.sum(axis=-1, keepdims=True)
    return np.asarray(np.log(np.clip(shares, EPSILON, 1 - EPSILON)))


def _categorical_crossentropy(labels: Array, predictions: Array, from_logits: bool) -> Array:
    return np.asarray(-(labels * _log_probabilities(predictions, from_logits)).sum(axis=-1))


def _sparse_categorical_crossentropy(labels: Array, predictions: Array, from_logits: bool) -> Array:
    classes = labels.astype(np.int64)[..., np.newaxis]
    return -np.take_along_axis(_log_probabilities(predictions, from_logits), classes, axis=-1)


def _binary_crossentropy(labels: Array, predictions: Array, from_logits: bool) -> Array:
    if from_logits:
        return np.asarray(-labels * log_expit(predictions) - (1 - labels) * log_expit(-predictions))
    shares = np.clip(predictions, EPSILON, 1 - EPSILON)
    return -labels * np.log(shares) - (1 - labels) * np.log(1 - shares)


def _binary_focal_crossentropy(labels: Array, predictions: Array, from_logits: bool) -> Array:
    shares = np.exp(log_expit(predictions)) if from_logits else predictions
    right = labels * shares + (1 - labels) * (1 - shares)
    return (1 - right) ** FOCAL_GAMMA * _binary_crossentropy(labels, shares, from_logits=False)


def _mean_squared_error(labels: Array, predictions: Array) -> Array:
    return np.square(predictions - labels)


def _mean_absolute_error(labels: Array, predictions: Array) -> Array:
    return np.abs(predictions - labels)


def _mean_absolute_percentage_error(labels: Array, predictions: Array) -> Array:
    return 100 * np.abs(predictions - labels) / np.maximum(np.abs(labels), EPSILON)


def _mean_squared_logarithmic_error(labels: Array, predictions: Array) -> Array:
    got, wanted = np.maximum(predictions, EPSILON), np.maximum(labels, EPSILON)
    return np.asarray(np.square(np.log1p(got) - np.log1p(wanted)))


def _huber(labels: Array, predictions: Array) -> Array:
    error = np.abs(predictions - labels)
    inside = np.minimum(error, HUBER_DELTA)
    return inside * (error - 0.5 * inside)


def _log_cosh(labels: Array, predictions: Array) -> Array:
    error = predictions - labels
    return np.asarray(np.logaddexp(error, -error) - np.log(2.0))


def _poisson(labels: Array, predictions: Array) -> Array:
    return predictions - labels * np.log(predictions + EPSILON)


def _kl_divergence(labels: Array, predictions: Array) -> Array:
    wanted, got = np.clip(labels, EPSILON, 1), np.clip(predictions, EPSILON, 1)
    return np.asarray((wanted * np.log(wanted / got)).sum(axis=-1))


def _hinge(labels: Array, predictions: Array) -> Array:
    return np.maximum(1 - signed(labels) * predictions, 0)


def _squared_hinge(labels: Array, predictions: Array) -> Array:
    return np.square(_hinge(labels, predictions))


def _categorical_hinge(labels: Array, predictions: Array) -> Array:
    right = (labels * predictions).sum(axis=-1)
    wrong = ((1 - labels) * predictions).max(axis=-1)
    return np.asarray(np.maximum(wrong - right + 1, 0))


CROSSENTROPIES: Mapping[str, Callable[[Array, Array, bool], Array]] = {
    "categorical_crossentropy": _categorical_crossentropy,
    "sparse_categorical_crossentropy": _sparse_categorical_crossentropy,
    "binary_crossentropy": _binary_crossentropy,
    "binary_focal_crossentropy": _binary_focal_crossentropy,
}
PLAIN_LOSSES: Mapping[str, Callable[[Array, Array], Array]] = {
    "mean_squared_error": _mean_squared_error,
    "mean_absolute_error": _mean_absolute_error,
    "mean_absolute_percentage_error": _mean_absolute_percentage_error,
    "mean_squared_logarithmic_error": _mean_squared_logarithmic_error,
    "huber": _huber,
    "log_cosh": _log_cosh,
    "poisson": _poisson,
    "kl_divergence": _kl_divergence,
    "hinge": _hinge,
    "squared_hinge": _squared_hinge,
    "categorical_hinge": _categorical_hinge,
}
