"""Relevance is computed in single precision at least: it is a quotient, and small ones vanish in 16 bits."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from deepdebug.errors import UsageError
from deepdebug.model import private

REDUCED = ("float16", "bfloat16")


def precise(tensor: Any) -> Any:
    """Return a tensor in at least single precision."""
    return ops.cast(tensor, "float32") if _dtype(tensor) in REDUCED else tensor


def is_reduced(tensor: Any) -> bool:
    """Tell whether a tensor or variable has 16 bits."""
    return _dtype(tensor) in REDUCED


def with_precise_weights(model: keras.Model) -> keras.Model:
    """Return the model, or, where its weights have 16 bits, one like it in single precision, whose weights are not set.

    Args:
        model: A built model.

    Raises:
        UsageError: When such a model is a program of its own, which nothing can rebuild.
    """
    if not any(map(is_reduced, model.variables)):
        return model
    if not private.is_graph(model):
        raise UsageError(
            f"The weights of model '{model.name}' have 16 bits, and a model with a `call` of its own cannot be rebuilt "
            'in single precision. Give it the policy "mixed_float16" or "float32".'
        )
    return keras.models.clone_model(model, clone_function=_in_single_precision, recursive=True)


def _in_single_precision(layer: keras.layers.Layer) -> keras.layers.Layer:
    return type(layer).from_config({**layer.get_config(), "dtype": "float32"})


def _dtype(tensor: Any) -> str:
    return str(keras.backend.standardize_dtype(tensor.dtype))
