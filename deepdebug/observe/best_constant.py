"""The prediction that is the same for every row and has the smallest loss: the yardstick of skill."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from scipy.special import entr

from deepdebug.observe.losses import EPSILON, FOCAL_GAMMA, HUBER_DELTA, Array, loss_of, signed

MAX_SEARCHED = 200_000  # above this many labels no search for the constant is made, for the time it would take
MAX_BIAS = 0.05  # largest accepted share of the entropy's bias, (classes seen - 1) / (2 rows) (Miller 1955)
MAX_MENDED_BIAS = 0.09  # up to here the bias is added instead; our first setting, not yet calibrated
CLASS_LOSSES = ("categorical_crossentropy", "sparse_categorical_crossentropy")
HALVINGS = 40


def constant_loss_of(kind: str, labels: Array, num_classes: int | None = None) -> float | None:
    """Return the loss of the best constant prediction, or `None` where there is none to measure skill by.

    Losses over a class axis get one distribution for all rows and positions; the others get one number per position.
    `None` stands for: a loss without a known best constant, labels outside its domain, labels that do not vary, more
    classes than the rows can tell apart, and a loss that is not above 0 (only such a loss is a scale for skill).

    Args:
        kind: Name of the Keras function.
        labels: Labels, float64, of shape (rows, ...) as for `loss_of`: with the axis of the classes, except for the
            sparse cross-entropy.
        num_classes: Number of classes, for the sparse cross-entropy. Defaults to `None`.

    Returns:
        The loss, above 0, or `None`.
    """
    if kind == "sparse_categorical_crossentropy":
        frequencies = np.bincount(labels.astype(np.int64).ravel(), minlength=num_classes or 0) / labels.size
        return _positive(float(entr(frequencies).sum())) if _tells_apart(frequencies, labels.size) else None
    if kind not in CONSTANTS or bool((labels == labels[:1]).all()):
        return None
    constant = CONSTANTS[kind](labels)
    return None if constant is None else _positive(loss_of(kind, labels, np.broadcast_to(constant, labels.shape)))


def yardstick_of(kind: str, labels: Array, num_classes: int | None = None) -> float | None:
    """Return the loss of the best constant on rows like these.

    On the rows themselves the best constant does better than on others, the more so the fewer rows there are per class.
    Where that matters for a cross-entropy the bias is added to its loss.

    Args:
        kind: Name of the Keras function.
        labels: Labels, float64, of shape (rows, ...) as for `constant_loss_of`.
        num_classes: Number of classes, for the sparse cross-entropy. Defaults to `None`.

    Returns:
        The loss, above 0, or `None` where there is none or the rows are too few for its bias to be known.
    """
    best = constant_loss_of(kind, labels, num_classes)
    if best is not None or kind not in CLASS_LOSSES:
        return best
    if kind == "sparse_categorical_crossentropy":
        counts = np.bincount(labels.astype(np.int64).ravel()).astype(np.float64)
    else:
        counts = labels.reshape(-1, labels.shape[-1]).sum(axis=0)
    if counts.min() < 0 or not counts.sum() > 0:
        return None
    entropy = float(entr(counts / counts.sum()).sum())
    bias = (int((counts > 0).sum()) - 1) / (2 * float(counts.sum()))
    return entropy + bias if bias <= MAX_MENDED_BIAS * entropy else None


def _positive(loss: float | None) -> float | None:
    return loss if loss is not None and np.isfinite(loss) and loss > 0 else None


def _tells_apart(frequencies: Array, rows: int) -> bool:
    seen = int((frequencies > 0).sum())
    return (seen - 1) / (2 * rows) <= MAX_BIAS * float(entr(frequencies).sum())


def _distribution(labels: Array) -> Array | None:
    """Mean label over rows and positions, made to sum to 1."""
    mean = labels.reshape(-1, labels.shape[-1]).mean(axis=0)
    if labels.min() < 0 or not mean.sum() > 0:
        return None
    frequencies = mean / mean.sum()
    return frequencies if _tells_apart(frequencies, labels.size // labels.shape[-1]) else None


def _kl_constant(labels: Array) -> Array | None:
    sums = labels.sum(axis=-1)
    return _distribution(np.clip(labels, EPSILON, 1)) if np.allclose(sums, 1, atol=1e-3) else None


def _mean(labels: Array) -> Array:
    return np.asarray(labels.mean(axis=0))


def _share(labels: Array) -> Array | None:
    return _mean(labels) if labels.min() >= 0 and labels.max() <= 1 else None


def _median(labels: Array) -> Array:
    return np.asarray(np.median(labels, axis=0))


def _logarithmic_mean(labels: Array) -> Array:
    return np.asarray(np.expm1(np.log1p(np.maximum(labels, EPSILON)).mean(axis=0)))


def _poisson_constant(labels: Array) -> Array | None:
    return np.maximum(_mean(labels) - EPSILON, 0) if labels.min() >= 0 else None


def _huber_constant(labels: Array) -> Array | None:
    return _root(lambda constant: np.clip(constant - labels, -HUBER_DELTA, HUBER_DELTA).mean(axis=0), labels)


def _log_cosh_constant(labels: Array) -> Array | None:
    return _root(lambda constant: np.tanh(constant - labels).mean(axis=0), labels)


def _focal_constant(labels: Array) -> Array | None:
    if not np.isin(labels, (0, 1)).all():
        return None
    positives = _mean(labels)

    def derivative(share: Array) -> Array:
        share = np.clip(share, EPSILON, 1 - EPSILON)
        return positives * _focal_slope(share) - (1 - positives) * _focal_slope(1 - share)

    return _root(derivative, labels)


def _focal_slope(share: Array) -> Array:
    missing = 1 - share
    return FOCAL_GAMMA * missing ** (FOCAL_GAMMA - 1) * np.log(share) - missing**FOCAL_GAMMA / share


def _root(derivative: Callable[[Array], Array], labels: Array) -> Array | None:
    """Find the zero of a rising derivative, per position, between the smallest and the largest label."""
    if labels.size > MAX_SEARCHED:
        return None
    low, high = labels.min(axis=0), labels.max(axis=0)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        rises = derivative(middle) > 0
        low, high = np.where(rises, low, middle), np.where(rises, middle, high)
    return np.asarray((low + high) / 2)


def _signed_mean(labels: Array) -> Array | None:
    sides = signed(labels)
    return _mean(sides) if np.isin(sides, (-1, 1)).all() else None


def _hinge_constant(labels: Array) -> Array | None:
    mean = _signed_mean(labels)
    return None if mean is None else np.sign(mean)


def _categorical_hinge_constant(labels: Array) -> Array | None:
    """The majority class at 1, or all 0 when no class holds half of the rows."""
    if not (np.isin(labels, (0, 1)).all() and (labels.sum(axis=-1) == 1).all()):
        return None
    frequencies = labels.reshape(-1, labels.shape[-1]).mean(axis=0)
    return np.asarray(frequencies == frequencies.max(), dtype=np.float64) * float(frequencies.max() > 0.5)


CONSTANTS: Mapping[str, Callable[[Array], Array | None]] = {
    "categorical_crossentropy": _distribution,
    "binary_crossentropy": _share,
    "binary_focal_crossentropy": _focal_constant,
    "mean_squared_error": _mean,
    "mean_absolute_error": _median,
    "mean_squared_logarithmic_error": _logarithmic_mean,
    "huber": _huber_constant,
    "log_cosh": _log_cosh_constant,
    "poisson": _poisson_constant,
    "kl_divergence": _kl_constant,
    "hinge": _hinge_constant,
    "squared_hinge": _signed_mean,
    "categorical_hinge": _categorical_hinge_constant,
}
