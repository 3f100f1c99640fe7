"""Single faults put into a healthy training, after the operators of DeepCrime (Humbatova et al., ISSTA 2021)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
from keras import layers

from benchmarks.healthy.family import Training
from benchmarks.zoo.changing import (
    WEIGHTED,
    NotApplicable,
    array,
    check_single,
    compiled,
    frozen,
    hidden,
    output,
    rebuilt,
    some,
    with_activation,
    with_inputs,
    with_kernels,
    with_output,
    with_rate,
)

Random = np.random.Generator
Change = Callable[[Training, Random], Training]


@dataclass(frozen=True, slots=True)
class Operator:
    """A kind of fault.

    Args:
        name: Its name.
        fault: The fault in words.
        causes: The root causes of `Diagnose` that are this fault, or would make a user mend it.
        change: Returns the training with the fault; raises `NotApplicable`.
    """

    name: str
    fault: str
    causes: tuple[str, ...]
    change: Change


OPERATORS: dict[str, Operator] = {}


def operator(*causes: str) -> Callable[[Change], Change]:
    """Register the decorated function, whose docstring says the fault, under its name."""

    def register(change: Change) -> Change:
        name = change.__name__
        OPERATORS[name] = Operator(name, (change.__doc__ or "").strip(), causes, change)
        return change

    return register


@operator("learning_rate_low")
def rate_10000th(given: Training, _random: Random) -> Training:
    """A learning rate 10,000 times too small."""
    return with_rate(given, 1e-4)


@operator("learning_rate_high", "oscillation")
def rate_100_times(given: Training, _random: Random) -> Training:
    """A learning rate 100 times too large."""
    return with_rate(given, 1e2)


@operator("learning_rate_high", "oscillation")
def rate_1000_times(given: Training, _random: Random) -> Training:
    """A learning rate 1,000 times too large."""
    return with_rate(given, 1e3)


@operator("learning_rate_low")
def other_optimizer(given: Training, _random: Random) -> Training:
    """Plain gradient descent with Keras's own rate divided by 100, in place of what the program has."""
    return compiled(given, optimizer=keras.optimizers.serialize(keras.optimizers.SGD(1e-4)))


@operator("learning_rate_low")
def gradient_clipped(given: Training, _random: Random) -> Training:
    """Gradient descent whose gradient is cut off at a norm of a millionth."""
    return compiled(given, optimizer=keras.optimizers.serialize(keras.optimizers.SGD(0.01, clipnorm=1e-6)))


@operator("initialization")
def start_at_zero(given: Training, _random: Random) -> Training:
    """Kernels that start at 0."""
    return with_kernels(given, np.zeros_like)


@operator("initialization")
def start_constant(given: Training, _random: Random) -> Training:
    """Kernels whose weights start equal."""
    return with_kernels(given, lambda kernel: np.full_like(kernel, np.abs(kernel).mean()))


@operator("initialization", "initial_loss")
def start_huge(given: Training, _random: Random) -> Training:
    """Kernels that start 50 times too large."""
    return with_kernels(given, lambda kernel: 50 * kernel)


@operator("initialization")
def start_tiny(given: Training, _random: Random) -> Training:
    """Kernels that start 1,000 times too small."""
    return with_kernels(given, lambda kernel: 1e-3 * kernel)


@operator("initialization", "hidden_activation")
def start_dead(given: Training, _random: Random) -> Training:
    """Biases that start so low that no rectifier ever fires."""
    found = [layer for layer in hidden(given.model) if layer.activation is keras.activations.relu and layer.use_bias]
    for layer in some(found):
        layer.bias.assign(np.full(layer.bias.shape, -30.0, np.float32))
    return given


@operator("loss_activation", "labels", "output_range", "shape_mismatch")
def other_loss(given: Training, _random: Random) -> Training:
    """A loss for another kind of task."""
    others = {
        "sparse_categorical_crossentropy": "mean_squared_error",
        "categorical_crossentropy": "mean_absolute_percentage_error",
        "binary_crossentropy": "categorical_crossentropy",
        "mse": "binary_crossentropy",
        "mean_squared_error": "binary_crossentropy",
    }
    loss = given.model.get_compile_config()["loss"]
    if not isinstance(loss, str) or loss not in others:
        raise NotApplicable
    return compiled(given, loss=others[loss])


@operator("missing_nonlinearity")
def no_activation(given: Training, _random: Random) -> Training:
    """Hidden layers without activation."""
    return with_activation(given, "linear")


@operator("hidden_activation", "depth")
def sigmoids(given: Training, _random: Random) -> Training:
    """Sigmoids in all hidden layers."""
    return with_activation(given, "sigmoid")


@operator("loss_activation", "output_range")
def rectified_output(given: Training, _random: Random) -> Training:
    """A rectifier at the output."""
    return with_output(given, "relu")


@operator("loss_activation", "output_range")
def tanh_output(given: Training, _random: Random) -> Training:
    """A tanh at the output."""
    return with_output(given, "tanh")


@operator("constant_softmax")
def softmax_of_one(given: Training, _random: Random) -> Training:
    """A softmax over a single unit."""
    if output(given.model).units != 1:
        raise NotApplicable
    return with_output(given, "softmax")


@operator("labels_unrelated")
def labels_shuffled(given: Training, random: Random) -> Training:
    """Labels that stand at other rows."""
    return replace(given, y=random.permutation(array(given.y)))


@operator("noisy_labels", "labels_unrelated", "overfitting")
def labels_half_shuffled(given: Training, random: Random) -> Training:
    """Half of the labels stand at other rows."""
    y = array(given.y).copy()
    rows = random.permutation(len(y))[: len(y) // 2]
    y[rows] = y[random.permutation(rows)]
    return replace(given, y=y)


@operator("data_scale")
def inputs_unscaled(given: Training, _random: Random) -> Training:
    """Inputs that are 255 times too large."""
    return with_inputs(given, lambda x: 255 * x)


@operator("data_scale")
def columns_unscaled(given: Training, random: Random) -> Training:
    """Columns of very different size."""
    x = array(given.x)
    if x.ndim != 2 or x.shape[1] < 4:
        raise NotApplicable
    scales = 10.0 ** random.uniform(-1, 4, x.shape[1])
    return with_inputs(given, lambda x: x * scales.astype(x.dtype))


@operator("labels_unrelated", "data_scale", "overfitting")
def inputs_drowned(given: Training, random: Random) -> Training:
    """Inputs under noise five times as large as they are."""
    return with_inputs(given, lambda x: x + 5 * x.std() * random.normal(size=x.shape).astype(x.dtype))


@operator("frozen")
def body_frozen(given: Training, _random: Random) -> Training:
    """All layers but the last are frozen, at random weights."""
    check_single(given.model)
    return frozen(given, given.model.layers[:-1])


@operator("frozen")
def all_frozen(given: Training, _random: Random) -> Training:
    """The whole model is frozen."""
    return frozen(given, given.model.layers)


@operator("capacity")
def no_bias(given: Training, _random: Random) -> Training:
    """Layers without bias."""
    return rebuilt(given, lambda layer, _is_last: {"use_bias": False} if isinstance(layer, WEIGHTED) else {})


@operator("dropout")
def dropout_strong(given: Training, _random: Random) -> Training:
    """Dropout of 95 % behind every hidden layer."""
    return rebuilt(given, lambda _layer, _is_last: {}, lambda: [layers.Dropout(0.95)])


@operator("penalty")
def penalty_strong(given: Training, _random: Random) -> Training:
    """An L2 penalty of 1 on every kernel."""
    penalty = {"kernel_regularizer": keras.regularizers.L2(1.0)}
    return rebuilt(given, lambda layer, _is_last: penalty if isinstance(layer, WEIGHTED) else {})


@operator("bottleneck", "capacity", "depth")
def one_unit(given: Training, _random: Random) -> Training:
    """Hidden layers of one unit."""

    def narrow(layer: Any, is_last: bool) -> Mapping[str, Any]:
        if is_last or not isinstance(layer, WEIGHTED):
            return {}
        return {"units": 1} if isinstance(layer, layers.Dense) else {"filters": 1}

    return rebuilt(given, narrow)


@operator("batch_size", "too_few_epochs", "learning_rate_low")
def one_batch(given: Training, _random: Random) -> Training:
    """One update per epoch, from all rows."""
    return replace(given, fit={**given.fit, "batch_size": len(array(given.x))})


@operator("too_few_epochs")
def one_epoch(given: Training, _random: Random) -> Training:
    """A training that ends after one epoch."""
    return replace(given, fit={**given.fit, "epochs": 1})


@operator("overfitting", "batch_size", "too_few_epochs")
def few_rows(given: Training, random: Random) -> Training:
    """One training row in fifty."""
    x, y = array(given.x), array(given.y)
    rows = random.permutation(len(x))[: max(8, len(x) // 50)]
    return replace(given, x=x[rows], y=y[rows])
