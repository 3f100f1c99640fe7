"""The numbers that the probe takes of activations, weights and gradients, in operations that run on every backend."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from deepdebug.model.parts import Parts, Whole

# Our first settings, near the |z| >= 5 of the DeepDiagnosis program (ICSE 2022) for both functions.
SATURATED_SIGMOID = 0.99  # derivative at most 0.01, i.e. |z| >= 4.6
SATURATED_TANH = 0.99  # derivative at most 0.02, i.e. |z| >= 2.65
STUCK_SHARE_OF_ROWS = 0.9  # share of rows for which a unit lies at the same end; our first setting
# Level at which an activation counts as saturated, as (lower, upper) output.
FLAT_PARTS = {
    "sigmoid": (1 - SATURATED_SIGMOID, SATURATED_SIGMOID),
    "hard_sigmoid": (1e-6, 1 - 1e-6),
    "tanh": (-SATURATED_TANH, SATURATED_TANH),
    "hard_tanh": (-1 + 1e-6, 1 - 1e-6),
}
RECTIFIERS = ("relu", "relu6")
WHOLE = Whole()

Tensors = dict[str, Any]


def layer_statistics(output: Any, activation: str, unit_axis: int) -> Tensors:
    """Return the scalars of `LayerObservation` for one output.

    Args:
        output: Tensor of shape (rows, ...), of any number type.
        activation: Name of the activation that made it.
        unit_axis: Axis that counts units: -1, or 1 for channels-first layers.
    """
    raw = ops.cast(output, "float32")
    finite = ops.isfinite(raw)
    values = ops.where(finite, raw, 0.0)
    # Few passes over the activations: these are the only large tensors here.
    mean, mean_square = ops.mean(values, axis=0), ops.mean(ops.square(values), axis=0)
    unit_maximum = ops.max(values, axis=_all_but(values, unit_axis))
    numbers = {
        "non_finite": _mean(ops.logical_not(finite)),
        "mean": ops.mean(mean),
        "rms": ops.sqrt(ops.mean(mean_square)),
        "minimum": ops.min(values),
        "maximum": ops.max(unit_maximum),
        "row_spread": ops.sqrt(ops.mean(ops.maximum(mean_square - ops.square(mean), 0.0))),
    }
    if activation in RECTIFIERS:
        numbers["zero_fraction"] = _mean(ops.equal(values, 0.0))
        numbers["dead_fraction"] = _mean(ops.less_equal(unit_maximum, 0.0))
    if activation in FLAT_PARTS:
        numbers |= _saturation(values, FLAT_PARTS[activation], unit_axis)
    return numbers


def _saturation(values: Any, flat_parts: tuple[float, float], unit_axis: int) -> Tensors:
    low, high = ops.less_equal(values, flat_parts[0]), ops.greater_equal(values, flat_parts[1])
    axes = _all_but(values, unit_axis)
    share_low, share_high = (ops.mean(ops.cast(side, "float32"), axis=axes) for side in (low, high))
    stuck = ops.greater_equal(ops.maximum(share_low, share_high), STUCK_SHARE_OF_ROWS)
    return {"saturated_fraction": _mean(ops.logical_or(low, high)), "stuck_fraction": _mean(stuck)}


def _all_but(values: Any, unit_axis: int) -> tuple[int, ...]:
    rank = len(values.shape)
    return tuple(axis for axis in range(rank) if axis != unit_axis % rank) if rank > 1 else (0,)


def _mean(mask: Any) -> Any:
    return ops.mean(_as_number(mask))


def variable_statistics(value: Any, initial: Any, parts: Parts = WHOLE) -> Tensors:
    """Return the scalars of `VariableObservation` that concern the weights.

    Args:
        value: Present value.
        initial: Value at the start of `fit`.
        parts: The variables that it consists of, each of which gets its own numbers. Defaults to a single one.
    """
    raw = ops.cast(value, "float32")
    finite = ops.isfinite(raw)
    values, start = ops.where(finite, raw, 0.0), ops.cast(initial, "float32")
    scale = parts.max(ops.abs(start))
    return {
        "non_finite": parts.mean(_as_number(ops.logical_not(finite))),
        "rms": ops.sqrt(parts.mean(ops.square(values))),
        "std": ops.sqrt(parts.mean(ops.square(values - parts.back(parts.mean(values))))),
        "max_abs": parts.max(ops.abs(values)),
        "moved": parts.max(ops.abs(values - start)) / ops.where(ops.equal(scale, 0.0), 1.0, scale),
    }


def gradient_statistics(gradient: Any, parts: Parts = WHOLE) -> Tensors:
    """Return the scalars of `VariableObservation` that concern the gradient, and its sum of squares.

    Args:
        gradient: The gradient.
        parts: As in `variable_statistics`.
    """
    raw = ops.cast(gradient, "float32")
    finite = ops.isfinite(raw)
    values = ops.where(finite, raw, 0.0)
    squares = ops.square(values)
    return {
        "gradient_non_finite": parts.mean(_as_number(ops.logical_not(finite))),
        "gradient_rms": ops.sqrt(parts.mean(squares)),
        "gradient_max": parts.max(ops.abs(values)),
        "gradient_zero_fraction": parts.mean(_as_number(ops.equal(raw, 0.0))),
        "gradient_squares": parts.sum(squares),
    }


def update_statistics(before: Any, after: Any, parts: Parts = WHOLE) -> Tensors:
    """Return the root mean square of the change that one optimizer step would make.

    Args:
        before: Present value.
        after: Value after the step.
        parts: As in `variable_statistics`.
    """
    change = ops.cast(after, "float32") - ops.cast(before, "float32")
    return {"update_rms": ops.sqrt(parts.mean(ops.square(change)))}


def _as_number(mask: Any) -> Any:
    return ops.cast(mask, "float32")


def unit_axis(operation: keras.Operation) -> int:
    """Return the axis that counts units in a layer's output."""
    return 1 if getattr(operation, "data_format", None) == "channels_first" else -1
