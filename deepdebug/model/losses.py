"""Turns what was given to `compile` into `LossFacts`, one per output."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import keras

from deepdebug.facts import LossFacts

NO_LOSS = LossFacts("none")
ALIASES = {
    "mse": "mean_squared_error",
    "mae": "mean_absolute_error",
    "mape": "mean_absolute_percentage_error",
    "msle": "mean_squared_logarithmic_error",
    "bce": "binary_crossentropy",
    "kld": "kl_divergence",
    "logcosh": "log_cosh",
}


def losses_of(model: keras.Model, output_names: Sequence[str]) -> list[LossFacts]:
    """Return the loss of every output, in the order of `output_names`.

    Args:
        model: A compiled model.
        output_names: Names of the outputs.
    """
    given = getattr(model, "loss", None)
    if isinstance(given, dict):
        return [describe(given.get(name)) for name in output_names]
    if isinstance(given, list | tuple):
        described = [describe(one) for one in given]
        return [*described, *[NO_LOSS] * len(output_names)][: len(output_names)]
    return [describe(given)] * len(output_names)


def describe(loss: Any) -> LossFacts:
    """Return the facts of one loss: a name, a Keras object, a Keras function or anything else ("custom")."""
    if loss is None:
        return NO_LOSS
    name = loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)
    try:
        resolved = keras.losses.get(loss)
    except (ValueError, TypeError):
        return LossFacts("custom", name)
    if isinstance(resolved, type):
        resolved = resolved()
    if isinstance(resolved, keras.losses.Loss):
        return _of_object(resolved, name)
    return _of_function(resolved, name)


def _of_object(loss: keras.losses.Loss, name: str) -> LossFacts:
    if not type(loss).__module__.startswith("keras."):
        return LossFacts("custom", name)
    function = getattr(loss, "fn", None)
    kind = getattr(function, "__name__", "custom")
    is_wrapper_of_users = type(loss).__name__ == "LossFunctionWrapper" and not _is_keras(function)
    if is_wrapper_of_users:
        return LossFacts("custom", name, is_function=True)
    config = loss.get_config()
    return LossFacts(ALIASES.get(kind, kind), name, config.get("from_logits"), ignore_class=config.get("ignore_class"))


def _of_function(function: Any, name: str) -> LossFacts:
    if not _is_keras(function):
        return LossFacts("custom", name, is_function=True)
    kind = getattr(function, "__name__", name)
    has_flag = "from_logits" in inspect.signature(function).parameters
    return LossFacts(ALIASES.get(kind, kind), name, False if has_flag else None, is_function=True)


def _is_keras(function: Any) -> bool:
    return str(getattr(function, "__module__", "")).startswith("keras.")
