"""Layers as affine maps `z = kernel * x + bias`, whose kernel and bias a rule may exchange."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from deepdebug.errors import UsageError
from deepdebug.model import backend, private

Apply = Callable[[Any, Any, Any], Any]
BIAS_ROLES = ("bias",)


@dataclass(frozen=True, slots=True)
class Affine:
    """One affine map of a layer.

    Args:
        apply: `apply(x, kernel, bias)` returns z; `bias` may be `None`.
        kernel: The kernel.
        bias: The bias, or `None`.
        known: What the forward pass has computed with this kernel and bias, as (x, z). Defaults to `None`.
        nonnegative: Whether the input that relevance goes back to is known to have no negative element, which spares
            rules that treat signs differently half of their work. Defaults to `False`.
        only_positive: Whether relevance is known to come only from outputs with a positive z. Defaults to `False`.
    """

    apply: Apply
    kernel: Any
    bias: Any = None
    known: tuple[Any, Any] | None = None
    nonnegative: bool = False
    only_positive: bool = False

    def terms(self, x: Any, kernel: Any, bias: Any = None) -> tuple[Any, Callable[[Any], Any]]:
        """Return z for this kernel and bias, and the function that multiplies with the transposed kernel.

        Args:
            x: Inputs, of shape (rows, ...).
            kernel: The kernel to use.
            bias: The bias to use. Defaults to `None`: none.
        """
        z, back = backend.current().linearized(lambda one: self.apply(one, kernel, bias), x)
        if self.known is not None and x is self.known[0] and kernel is self.kernel and bias is self.bias:
            z = self.known[1]  # compilers leave out the other one, which nothing uses then
        return z, back


def positive(value: Any) -> Any:
    """Return the positive part of a tensor; `None` stays."""
    return None if value is None else ops.maximum(value, 0.0)


def negative(value: Any) -> Any:
    """Return the negative part of a tensor; `None` stays."""
    return None if value is None else ops.minimum(value, 0.0)


def stabilised(z: Any, epsilon: float) -> Any:
    """Return z, moved away from 0 by `epsilon` in the direction of its sign; exact zeros stay."""
    return z + epsilon * ops.sign(z)


def divided(relevance: Any, z: Any) -> Any:
    """Return relevance / z, and 0 where z is 0: there nothing can be attributed."""
    return ops.divide_no_nan(relevance, z)


def affine_parts(layer: keras.layers.Layer) -> tuple[Affine, ...]:
    """Return the affine maps of a layer with a kernel, in the order in which they are applied.

    Args:
        layer: A built Dense, EinsumDense, convolution, depthwise, separable or transposed convolution.
    """
    if hasattr(layer, "pointwise_kernel"):
        return _separable_parts(layer)
    kernels: list[keras.Variable] = []
    biases: list[keras.Variable] = []
    for variable in layer.trainable_variables + layer.non_trainable_variables:
        (biases if variable.path.rsplit("/", 1)[-1] in BIAS_ROLES else kernels).append(variable)
    if len(kernels) != 1 or len(biases) > 1:
        found = ", ".join(one.path.rsplit("/", 1)[-1] for one in kernels + biases)
        raise UsageError(
            f"Layer '{layer.name}' ({type(layer).__name__}) has the weights {found}; expected one kernel and at most "
            "one bias. Register a rule for it with `deepdebug.lrp.register_rule`."
        )
    return (
        Affine(
            _call_with(layer, kernels[0], biases[0] if biases else None),
            kernels[0].value,
            biases[0].value if biases else None,
        ),
    )


def _call_with(layer: keras.layers.Layer, kernel: keras.Variable, bias: keras.Variable | None) -> Apply:
    def apply(x: Any, kernel_value: Any, bias_value: Any) -> Any:
        mapping = [(kernel, kernel_value)]
        if bias is not None:
            mapping.append((bias, ops.zeros_like(bias.value) if bias_value is None else bias_value))
        with keras.StatelessScope(state_mapping=mapping), _without_activation(layer):
            return layer.call(x)

    return apply


@contextlib.contextmanager
def _without_activation(layer: keras.layers.Layer) -> Iterator[None]:
    layer = layer.layer if isinstance(layer, keras.layers.TimeDistributed) else layer
    if getattr(layer, "activation", None) is None:
        yield
        return
    before = layer.activation
    private.replace_attribute(layer, "activation", keras.activations.linear)
    try:
        yield
    finally:
        private.replace_attribute(layer, "activation", before)


def _separable_parts(layer: keras.layers.Layer) -> tuple[Affine, Affine]:
    def spatial(x: Any, kernel: Any, _bias: Any) -> Any:
        return ops.depthwise_conv(
            x, kernel, layer.strides, layer.padding, dilation_rate=layer.dilation_rate, data_format=layer.data_format
        )

    def pointwise(x: Any, kernel: Any, bias: Any) -> Any:
        z = ops.conv(x, kernel, 1, "valid", data_format=layer.data_format)
        return z if bias is None else z + _per_channel(bias, z, layer.data_format)

    bias = None if layer.bias is None else layer.bias.value
    return Affine(spatial, layer.depthwise_kernel.value), Affine(pointwise, layer.pointwise_kernel.value, bias)


def _per_channel(values: Any, z: Any, data_format: str) -> Any:
    shape: Sequence[int] = [-1] + [1] * (len(z.shape) - 2) if data_format == "channels_first" else [-1]
    return ops.reshape(values, shape)
