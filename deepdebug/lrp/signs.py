"""What is known of signs before anything is computed, which spares the rules work.

That a tensor can hold no negative element, whatever the input is; and that relevance lies only where a tensor is
positive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras

from deepdebug.model.activations import recognise
from deepdebug.model.families import family_of
from deepdebug.model.record import Call

layers = keras.layers
NONNEGATIVE_ACTIVATIONS = ("relu", "relu6", "sigmoid", "hard_sigmoid", "softmax", "softplus", "exponential")
KEEPING_FAMILIES = ("dropout", "pooling", "reshape")
KEEPING_MERGES = (layers.Add, layers.Average, layers.Concatenate, layers.Maximum, layers.Minimum, layers.Multiply)
NONNEGATIVE_OPERATIONS = ("Relu", "Relu6", "Sigmoid", "HardSigmoid", "Softmax", "Softplus", "Exp", "Square", "Absolute")


def nonnegative_tensors(calls: Sequence[Call], origins: Mapping[int, int]) -> frozenset[int]:
    """Return the identities of the tensors that can hold no negative element.

    Args:
        calls: The calls of the model, in the order of the data flow.
        origins: The tensor that each cast tensor was made of, by identity.
    """
    found: set[int] = set()
    for call in calls:
        sources = {origins.get(id(one), id(one)) for one in call.inputs}
        if _makes_nonnegative(call.operation) or (_keeps_nonnegative(call.operation) and sources <= found):
            found |= {id(one) for one in call.outputs}
    return frozenset(found)


def own_activation(operation: keras.Operation) -> str:
    """Return the name of the activation inside a layer, "linear" where it has none."""
    inner = operation.layer if isinstance(operation, layers.TimeDistributed) else operation
    return recognise(getattr(inner, "activation", None))


def hands_zeros_on(operation: keras.Operation) -> bool:
    """Tell whether a layer hands relevance on unchanged, and its output is positive only where its input is."""
    if isinstance(operation, layers.ReLU):
        return not operation.threshold and not operation.negative_slope
    if isinstance(operation, layers.Activation):
        return own_activation(operation) in ("relu", "relu6")
    return family_of(operation) in ("dropout", "reshape") or isinstance(operation, layers.Concatenate)


def _makes_nonnegative(operation: keras.Operation) -> bool:
    if isinstance(operation, layers.ReLU):
        return not operation.negative_slope and not operation.threshold
    if isinstance(operation, layers.Softmax):
        return True
    if not isinstance(operation, keras.layers.Layer):
        return type(operation).__name__ in NONNEGATIVE_OPERATIONS
    has_activation = family_of(operation) in ("dense", "convolution", "activation")
    return has_activation and own_activation(operation) in NONNEGATIVE_ACTIVATIONS


def _keeps_nonnegative(operation: keras.Operation) -> bool:
    if isinstance(operation, layers.UpSampling2D) and operation.interpolation not in ("nearest", "bilinear"):
        return False  # the others overshoot
    return family_of(operation) in KEEPING_FAMILIES or isinstance(operation, KEEPING_MERGES)
