"""Layers that normalise, as the affine maps that they are around the present input.

The statistics that a layer takes of its own input are held fixed, so that what it does to each element is a product and
a shift (Ali et al. 2022, section 3.2, for layer norm).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from deepdebug.lrp.affine import Affine

layers = keras.layers


def scaling_part(layer: keras.Operation, x: Any, compat: str | None = None) -> Affine | None:
    """Return a normalising layer as an affine map, or `None` for any other.

    Args:
        layer: A built layer.
        x: Its input, of shape (rows, ...).
        compat: "innvestigate" repeats the error of its batch norm. Defaults to `None`.
    """
    if isinstance(layer, layers.BatchNormalization):
        return _batch_normalization(layer, compat)
    if isinstance(layer, layers.LayerNormalization):
        return _layer_normalization(layer, x)
    if isinstance(layer, layers.GroupNormalization):
        return _group_normalization(layer, x)
    if isinstance(layer, layers.UnitNormalization | layers.RMSNormalization):
        return Affine(lambda one, kernel, _bias: one * kernel, ops.stop_gradient(_ratio(layer.call(x), x)))
    return None


def _batch_normalization(layer: keras.layers.BatchNormalization, compat: str | None) -> Affine:
    variance = layer.moving_variance.value
    # iNNvestigate 2.1.2 squares the variance and leaves gamma out of the bias.
    spread = ops.sqrt((ops.square(variance) if compat else variance) + layer.epsilon)
    scale = 1.0 / spread if layer.gamma is None else layer.gamma.value / spread
    bias = -layer.moving_mean.value * (1.0 / spread if compat else scale)
    bias = bias if layer.beta is None else bias + layer.beta.value

    def apply(x: Any, kernel: Any, offset: Any) -> Any:
        y = x * _along(kernel, x, [layer.axis])
        return y if offset is None else y + _along(offset, x, [layer.axis])

    return Affine(apply, scale, bias)


def _layer_normalization(layer: keras.layers.LayerNormalization, x: Any) -> Affine:
    axes = [layer.axis] if isinstance(layer.axis, int) else list(layer.axis)
    variance = ops.var(x, axis=tuple(axes), keepdims=True)
    spread = ops.stop_gradient(ops.sqrt(variance + layer.epsilon))
    scale = ops.ones(()) if layer.gamma is None else _along(layer.gamma.value, x, axes)
    bias = None if layer.beta is None else _along(layer.beta.value, x, axes)

    def apply(one: Any, kernel: Any, offset: Any) -> Any:
        y = (one - ops.mean(one, axis=tuple(axes), keepdims=True)) / spread * kernel
        return y if offset is None else y + offset

    return Affine(apply, scale, bias)


def _group_normalization(layer: keras.layers.GroupNormalization, x: Any) -> Affine:
    axis, channels = layer.axis % len(x.shape), x.shape[layer.axis]
    groups = channels if layer.groups == -1 else layer.groups
    shape = (-1, math.prod(x.shape[1:]) // channels, groups, channels // groups)

    def grouped(one: Any) -> Any:
        return ops.reshape(ops.moveaxis(one, axis, -1), shape)

    spread = ops.stop_gradient(ops.sqrt(ops.var(grouped(x), axis=(1, 3), keepdims=True) + layer.epsilon))
    moved = [-1, *(size for place, size in enumerate(x.shape) if place not in (0, axis)), channels]
    scale = ops.ones(()) if layer.gamma is None else _along(layer.gamma.value, x, [axis])
    bias = None if layer.beta is None else _along(layer.beta.value, x, [axis])

    def apply(one: Any, kernel: Any, offset: Any) -> Any:
        parts = grouped(one)
        y = (parts - ops.mean(parts, axis=(1, 3), keepdims=True)) / spread
        y = ops.moveaxis(ops.reshape(y, moved), -1, axis) * kernel
        return y if offset is None else y + offset

    return Affine(apply, scale, bias)


def _along(values: Any, x: Any, axes: Sequence[int]) -> Any:
    """Return values of the given axes in a shape that goes with `x`."""
    rank = len(x.shape)
    wanted = [1] * rank
    for axis, size in zip(sorted(one % rank for one in axes), values.shape, strict=True):
        wanted[axis] = size
    return ops.reshape(values, wanted)


def _ratio(y: Any, x: Any) -> Any:
    is_zero = ops.equal(x, 0.0)
    return ops.where(is_zero, 0.0, y / ops.where(is_zero, 1.0, x))
