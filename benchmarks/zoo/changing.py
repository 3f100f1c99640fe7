"""Ways to change a training, of which operators are made; each says where there is nothing to change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np
from keras import layers

from benchmarks.healthy.family import Training

WEIGHTED = (layers.Dense, layers.Conv1D, layers.Conv2D)
PLAIN = (*WEIGHTED, layers.BatchNormalization, layers.Dropout, layers.Flatten, layers.MaxPooling2D, layers.ReLU,
         layers.GlobalAveragePooling2D, layers.GlobalMaxPooling1D, layers.LayerNormalization)  # fmt: skip


class NotApplicable(Exception):
    """The training has nothing that the operator could change."""


def with_rate(given: Training, factor: float) -> Training:
    """Return the training with a multiple of its learning rate."""
    optimizer = given.model.optimizer
    rate = optimizer.get_config().get("learning_rate")
    if not isinstance(rate, float):  # a schedule, or an optimizer around another one
        raise NotApplicable
    optimizer.learning_rate = factor * rate
    return given


def compiled(given: Training, model: keras.Model | None = None, **changed: Any) -> Training:
    """Return the training compiled anew, with some settings changed."""
    config = given.model.get_compile_config()
    if not config:
        raise NotApplicable
    model = model or given.model
    model.compile_from_config({**config, **changed})
    return replace(given, model=model)


def with_kernels(given: Training, change: Callable[[Any], Any]) -> Training:
    """Return the training with other weights to start from."""
    found = [one for one in given.model.trainable_variables if one.name == "kernel" and len(one.shape) > 1]
    for variable in some(found):
        variable.assign(change(keras.ops.convert_to_numpy(variable.value)))
    return given


def with_activation(given: Training, name: str) -> Training:
    """Return the training with another activation in its hidden layers that have any."""
    linear = keras.activations.linear
    for layer in some([layer for layer in hidden(given.model) if layer.activation is not linear]):
        layer.activation = keras.activations.get(name)
    return given


def with_output(given: Training, name: str) -> Training:
    """Return the training with another activation at its output."""
    output(given.model).activation = keras.activations.get(name)
    return given


def with_inputs(given: Training, change: Callable[[Any], Any]) -> Training:
    """Return the training with other inputs, in the rows held back as well: the same program prepares them."""
    x, (x_test, y_test) = array(given.x), given.test
    if x.dtype.kind != "f":  # word numbers, or pixels as bytes
        raise NotApplicable
    test = (change(array(x_test)), y_test)
    fit = {**given.fit, "validation_data": test} if "validation_data" in given.fit else given.fit
    return replace(given, x=change(x), test=test, fit=fit)


def frozen(given: Training, chosen: Sequence[Any]) -> Training:
    """Return the training with some layers frozen, compiled anew."""
    for layer in some([layer for layer in chosen if layer.trainable_variables]):
        layer.trainable = False
    return compiled(given)


def rebuilt(
    given: Training,
    change: Callable[[Any, bool], Mapping[str, Any]],
    behind: Callable[[], list[layers.Layer]] = list,
) -> Training:
    """Return the training of a sequential model whose layers have other settings, and others behind hidden ones."""
    model = given.model
    if not isinstance(model, keras.Sequential) or not all(isinstance(layer, PLAIN) for layer in model.layers):
        raise NotApplicable
    found: list[Any] = [keras.Input(model.input_shape[1:])]
    for layer in model.layers:
        is_last = layer is model.layers[-1]
        config, changed = layer.get_config(), change(layer, is_last)
        found.append(type(layer).from_config({**config, **changed}))
        if isinstance(layer, WEIGHTED) and not is_last:
            found += behind()
    rebuilt = keras.Sequential(found)
    if [layer.get_config() for layer in rebuilt.layers] == [layer.get_config() for layer in model.layers]:
        raise NotApplicable
    return compiled(given, rebuilt)


def hidden(model: keras.Model) -> Iterator[Any]:
    """Yield the layers with weights and an activation that give no output of the model."""
    check_single(model)
    return (layer for layer in model.layers[:-1] if isinstance(layer, WEIGHTED))


def output(model: keras.Model) -> Any:
    """Return the last layer of a model with one output."""
    check_single(model)
    if not isinstance(model.layers[-1], layers.Dense):
        raise NotApplicable
    return model.layers[-1]


def check_single(model: keras.Model) -> None:
    """Leave out models with several outputs, whose last layer is only one of them."""
    if len(keras.tree.flatten(getattr(model, "outputs", None) or [None])) > 1:
        raise NotApplicable


def some(found: Sequence[Any]) -> Sequence[Any]:
    """Return what was found, where anything was."""
    if not found:
        raise NotApplicable
    return found


def array(values: Any) -> Any:
    """Return rows that are there as an array, not in a pipeline or as several inputs."""
    if not isinstance(values, np.ndarray):
        raise NotApplicable
    return values
