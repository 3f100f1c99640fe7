"""Turns the weights of a Keras model into `VariableFacts`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import keras

from deepdebug.facts import VariableFacts
from deepdebug.model.record import unused_name


def float_variables(model: keras.Model) -> list[keras.Variable]:
    """Return the weights that hold floating-point numbers, in `model.weights` order, without seeds and counters."""
    return [one for one in model.weights if keras.backend.is_float_dtype(one.dtype)]


def describe_variables(
    variables: Sequence[keras.Variable], operations: Mapping[str, keras.Operation], frozen: set[int]
) -> tuple[VariableFacts, ...]:
    """Return one record per variable, in the given order.

    Args:
        variables: The weights.
        operations: Layers by name; a variable belongs to the first that holds it.
        frozen: `id` of the variables that the optimizer does not train.
    """
    owners: dict[int, str] = {}
    for name, layer in operations.items():
        for variable in getattr(layer, "variables", ()):
            owners.setdefault(id(variable), name)
    taken: set[str] = set()
    described = []
    for variable in variables:
        owner = owners.get(id(variable))
        path = unused_name(variable.path, taken)
        taken.add(path)
        described.append(_describe(variable, path, owner, operations.get(owner or ""), id(variable) not in frozen))
    return tuple(described)


def _describe(
    variable: keras.Variable, path: str, owner: str | None, layer: keras.Operation | None, trainable: bool
) -> VariableFacts:
    shape = tuple(int(size) for size in variable.shape)
    role = variable.path.rsplit("/", 1)[-1]
    fan_in, fan_out = fans(shape, role, variable.path, layer)
    return VariableFacts(
        path=path,
        layer=owner,
        role=role,
        shape=shape,
        dtype=str(keras.backend.standardize_dtype(variable.dtype)),
        trainable=trainable,
        initializer=_initializer(layer, role),
        fan_in=fan_in,
        fan_out=fan_out,
    )


def _initializer(layer: keras.Operation | None, role: str) -> str | None:
    attribute = "embeddings_initializer" if role == "embeddings" else f"{role}_initializer"
    initializer = getattr(layer, attribute, None)
    return None if initializer is None else type(initializer).__name__


def fans(shape: Sequence[int], role: str, path: str, layer: keras.Operation | None) -> tuple[int | None, int | None]:
    """Return (fan_in, fan_out) of a kernel; `(None, None)` for other variables.

    Differs from `keras.initializers` where that counts by position alone: depthwise kernels sum over one channel only,
    and the kernels of attention layers have several output axes.

    Args:
        shape: Shape of the variable.
        role: Last part of its path.
        path: Its path.
        layer: The layer that owns it.
    """
    if not role.endswith("kernel") or len(shape) < 2:
        return None, None
    if role == "depthwise_kernel" or isinstance(layer, keras.layers.DepthwiseConv1D | keras.layers.DepthwiseConv2D):
        receptive = math.prod(shape[:-2])
        return receptive, receptive * shape[-1]
    if isinstance(layer, keras.layers.EinsumDense):
        return _einsum_fans(shape, layer.equation)
    if isinstance(layer, keras.layers.MultiHeadAttention | keras.layers.GroupQueryAttention):
        inputs = len(shape) - 1 if "output" in path.split("/")[-2] else 1
        return math.prod(shape[:inputs]), math.prod(shape[inputs:])
    receptive = math.prod(shape[:-2])
    is_transposed = "Transpose" in type(layer).__name__
    fan_in, fan_out = (shape[-1], shape[-2]) if is_transposed else (shape[-2], shape[-1])
    return receptive * fan_in, receptive * fan_out


def _einsum_fans(shape: Sequence[int], equation: str) -> tuple[int, int]:
    operands, result = equation.replace(" ", "").split("->")
    letters = operands.split(",")[1]
    summed = math.prod(size for size, letter in zip(shape, letters, strict=True) if letter not in result)
    return summed, math.prod(shape) // max(summed, 1)
