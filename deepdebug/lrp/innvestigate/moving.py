"""Rebuilds a Keras 3 model in tf_keras: class name, a whitelisted configuration, the data flow and the weights.

No file format goes from one to the other: `.keras`, `.h5` and JSON of Keras 3 all fail to load in tf_keras.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from deepdebug.errors import UsageError
from deepdebug.model import private
from deepdebug.model.families import family_of
from deepdebug.model.record import Call, leaves, recorded_calls, recorded_casts

# Settings that mean the same in both.
SETTINGS = (
    "activation", "alpha", "axis", "center", "cropping", "data_format", "depth_multiplier", "dilation_rate", "dims",
    "epsilon", "filters", "groups", "interpolation", "keepdims", "kernel_size", "max_value", "n", "negative_slope",
    "output_padding", "padding", "pool_size", "rate", "scale", "size", "stddev", "strides", "target_shape",
    "threshold", "units", "use_bias",
)  # fmt: skip
RENAMED = {"LeakyReLU": {"negative_slope": "alpha"}}
# Layers that iNNvestigate takes relevance through by a rule, or whose gradient moves it without changing its sum.
MOVED = (
    "Activation", "Add", "AveragePooling1D", "AveragePooling2D", "AveragePooling3D", "BatchNormalization",
    "Concatenate", "Conv1D", "Conv2D", "Conv2DTranspose", "Conv3D", "Conv3DTranspose", "Cropping1D", "Cropping2D",
    "Cropping3D", "Dense", "DepthwiseConv2D", "Dropout", "ELU", "Flatten", "GaussianDropout", "GaussianNoise",
    "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D", "GlobalMaxPooling1D",
    "GlobalMaxPooling2D", "GlobalMaxPooling3D", "LeakyReLU", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D",
    "Permute", "ReLU", "Reshape", "Softmax", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D",
    "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One layer of the data flow.

    Args:
        name: Name of the layer in the Keras 3 model; the second call of a shared layer has the same one.
        layer: Its class in Keras 3.
        family: Which rule of a composite it gets: "dense", "convolution", or any other.
        settings: Its configuration in the words of tf_keras.
        weights: Its weights.
        inputs: Places of its inputs among the outputs of the steps before; -1 is the model's input.
    """

    name: str
    layer: type
    family: str
    settings: Mapping[str, Any]
    weights: tuple[npt.NDArray[Any], ...]
    inputs: tuple[int, ...]

    @property
    def kind(self) -> str:
        """Name of its class."""
        return self.layer.__name__

    @property
    def reads_input(self) -> bool:
        """Whether it reads the model's input."""
        return -1 in self.inputs


def described(model: keras.Model) -> tuple[Step, ...]:
    """Return the model's layers in the order in which data flow, its last activation taken off.

    Args:
        model: A built model with one input and one output.

    Raises:
        UsageError: When a layer cannot be moved, or the model has several inputs.
    """
    shape = model.input_shape
    if not isinstance(shape, tuple):
        raise UsageError(f"`engine=\"innvestigate\"` takes models with one input; '{model.name}' has {len(shape)}.")
    x = keras.ops.zeros((1, *(size or 1 for size in shape[1:])))
    with recorded_calls(leaves(model)) as calls, recorded_casts() as casts:
        private.call_model(model, x, training=False)
    places = {id(x): -1}
    steps = []
    for call in calls:
        if isinstance(call.operation, keras.layers.InputLayer):
            places[id(call.outputs[0])] = -1
            continue
        for before, after in casts:
            if id(before) in places:
                places[id(after)] = places[id(before)]
        steps.append(_step(call, places))
        places[id(call.outputs[0])] = len(steps) - 1
    return _without_head(steps)


def _step(call: Call, places: Mapping[int, int]) -> Step:
    kind = type(call.operation).__name__
    inputs = tuple(places.get(id(one), -2) for one in call.inputs)
    if kind not in MOVED or -2 in inputs or not isinstance(call.operation, keras.layers.Layer):
        raise UsageError(
            f"`engine=\"innvestigate\"` cannot take the layer '{call.name}' ({kind}): iNNvestigate has no rule for it. "
            'Use `engine="native"`.'
        )
    config, renamed = call.operation.get_config(), RENAMED.get(kind, {})
    settings = {renamed.get(key, key): value for key, value in config.items() if key in SETTINGS or key in renamed}
    weights = tuple(map(np.asarray, call.operation.get_weights()))
    return Step(call.name, type(call.operation), family_of(call.operation), settings, weights, inputs)


def _without_head(steps: Sequence[Step]) -> tuple[Step, ...]:
    last = steps[-1]
    if last.family == "activation":
        return tuple(steps[:-1])
    linear = {**last.settings, "activation": "linear"} if "activation" in last.settings else last.settings
    return (*steps[:-1], replace(last, settings=linear))


def rebuilt(steps: Sequence[Step], input_shape: Sequence[int | None], tf_keras: Any) -> tuple[Any, list[Any]]:
    """Return the tf_keras model, without weights, and the layer of each step; must run inside the graph to build in.

    Args:
        steps: From `described`.
        input_shape: Shape of one batch, rows first.
        tf_keras: The module.
    """
    given = tf_keras.Input(tuple(input_shape[1:]))
    made: dict[str, Any] = {}
    outputs: list[Any] = []
    layers = []
    for number, step in enumerate(steps):
        if step.name not in made:
            kind = getattr(tf_keras.layers, step.kind)
            made[step.name] = kind(**step.settings, name=f"step_{number}", trainable=False)
        tensors = [given if place == -1 else outputs[place] for place in step.inputs]
        outputs.append(made[step.name](tensors[0] if len(tensors) == 1 else tensors))
        layers.append(made[step.name])
    return tf_keras.Model(given, outputs[-1]), layers


def set_weights(steps: Sequence[Step], layers: Sequence[Any]) -> None:
    """Give the rebuilt layers their weights; must run inside the session."""
    for step, layer in zip(steps, layers, strict=True):
        if step.weights:
            layer.set_weights(list(step.weights))
