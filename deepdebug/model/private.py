"""Every private Keras name that deepdebug relies on; `tests/contract/` fails when Keras changes one."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import FrameType
from typing import Any

import keras
from keras.src.backend.common.stateless_scope import get_stateless_scope
from keras.src.layers.preprocessing.data_layer import DataLayer
from keras.src.models.functional import Functional

# Preprocessing layers that take numbers as they are, as words of a vocabulary.
LOOKUPS = (keras.layers.Hashing, keras.layers.IntegerLookup, keras.layers.StringLookup, keras.layers.CategoryEncoding)


def fit_arguments() -> Mapping[str, Any] | None:
    """Return the local variables of the `fit` that is running now, or `None` when there is none.

    After `validation_split` these hold the training part in `x` and `y` and the rest in `val_x` and `val_y`.
    """
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_code.co_name == "fit" and "epoch_iterator" in frame.f_locals:
            return frame.f_locals
        frame = frame.f_back
    return None


def iterator_batch_size(arguments: Mapping[str, Any]) -> int | None:
    """Return the batch size of the data adapter of the running `fit`."""
    size = getattr(arguments["epoch_iterator"].data_adapter, "batch_size", None)
    return int(size) if isinstance(size, int) else None


def draws_in_threads(arguments: Mapping[str, Any]) -> bool:
    """Tell whether threads run the user's code that makes the batches of the running `fit`, ahead of the training."""
    adapter = arguments["epoch_iterator"].data_adapter
    kind = type(adapter).__name__
    if kind in ("TFDatasetAdapter", "GrainDatasetAdapter"):
        return True
    if getattr(adapter, "enqueuer", None) is not None:
        return True
    # On TensorFlow Keras turns everything but arrays and data loaders into a pipeline that prefetches.
    return keras.config.backend() == "tensorflow" and kind not in ("ArrayDataAdapter", "TorchDataLoaderAdapter")


def callback_names(arguments: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the class names of the callbacks of the running `fit`."""
    given = arguments.get("callbacks")
    return tuple(type(one).__name__ for one in getattr(given, "callbacks", None) or ())


def adapter_name(arguments: Mapping[str, Any]) -> str:
    """Return the class name of the data adapter of the running `fit`."""
    return type(arguments["epoch_iterator"].data_adapter).__name__


def sublayers(layer: keras.layers.Layer) -> list[keras.layers.Layer]:
    """Return the layers directly inside a layer or model, in the order of creation."""
    if isinstance(layer, keras.Model) and not isinstance(layer, keras.Sequential) and _is_functional(layer):
        return [node for node in layer.layers if not isinstance(node, keras.layers.InputLayer)]
    if isinstance(layer, keras.Sequential):
        return list(layer.layers)
    direct: list[keras.layers.Layer] = layer._flatten_layers(include_self=False, recursive=False)
    return [one for one in direct if not isinstance(one, keras.layers.InputLayer)]


def _is_functional(model: keras.Model) -> bool:
    return bool(getattr(model, "_operations", None))


def plain_operations(model: keras.Model) -> list[keras.Operation]:
    """Return the operations of a functional graph that are no layers, such as `keras.ops.relu` or an addition."""
    operations = getattr(model, "_operations", None) or []
    return [one for one in operations if not isinstance(one, keras.layers.Layer)]


def is_graph(model: keras.Model) -> bool:
    """Tell whether the data flow of the whole model is recorded by Keras (functional and sequential models)."""
    return isinstance(model, keras.Sequential) or _is_functional(model)


@contextlib.contextmanager
def recorded_standardization(receive: Callable[[tuple[Any, Any]], object]) -> Iterator[None]:
    """Tell of every tensor that a functional model or a preprocessing layer converts before a `call` sees it.

    Args:
        receive: Is given (before, after).
    """
    original, call = Functional._standardize_inputs, DataLayer.__call__

    def standardize(self: Any, inputs: Any) -> Any:
        converted = original(self, inputs)
        for pair in zip(keras.tree.flatten(inputs), converted, strict=False):
            receive(pair)
        return converted

    def prepare(self: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(self, LOOKUPS) or isinstance(inputs, keras.KerasTensor):
            return call(self, inputs, *args, **kwargs)
        converted = keras.tree.map_structure(lambda one: _as_float(one, self.compute_dtype), inputs)
        for pair in zip(keras.tree.flatten(inputs), keras.tree.flatten(converted), strict=True):
            receive(pair)
        return call(self, converted, *args, **kwargs)

    Functional._standardize_inputs, DataLayer.__call__ = standardize, prepare
    try:
        yield
    finally:
        Functional._standardize_inputs, DataLayer.__call__ = original, call


def _as_float(one: Any, dtype: str) -> Any:
    is_number = keras.ops.is_tensor(one) and not keras.backend.is_float_dtype(one.dtype)
    return keras.ops.cast(one, dtype) if is_number else one


def fixed_rows(model: keras.Model) -> int | None:
    """Return the number of rows that every batch must have, or `None` where any number will do."""
    inputs = getattr(model, "inputs", None) if is_graph(model) else None
    size = inputs[0].shape[0] if inputs else None
    return None if size is None else int(size)


def call_model(model: keras.Model, x: Any, training: bool) -> Any:
    """Call the model in the given mode; a model whose `call` has no `training` argument is called without."""
    return model(x, training=training) if model._call_has_training_arg else model(x)


def compute_loss(model: keras.Model, x: Any, y: Any, y_pred: Any, training: bool) -> Any:
    """Return the compiled loss, through the user's `compute_loss` where the model overrides it."""
    return model._compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=None, training=training)


def variable_scope(model: keras.Model) -> contextlib.AbstractContextManager[Any]:
    """Return the scope in which Keras creates the model's and the optimizer's variables."""
    strategy = getattr(model, "distribute_strategy", None)
    return contextlib.nullcontext() if strategy is None else strategy.scope()


def overrides_train_step(model: keras.Model) -> bool:
    """Tell whether the model's class, not Keras, defines the training step."""
    return not str(type(model).train_step.__module__).startswith("keras.")


def replace_attribute(target: Any, name: str, value: Any) -> None:
    """Set an instance attribute without letting Keras track or check it."""
    object.__setattr__(target, name, value)


def restore_attribute(target: Any, name: str) -> None:
    """Take an instance attribute set by `replace_attribute` away, so that the class's own shows again."""
    object.__delattr__(target, name)


def variable_values_after_step(
    optimizer: keras.optimizers.Optimizer, variables: Sequence[keras.Variable], gradients: Sequence[Any]
) -> Iterator[Any]:
    """Yield what each variable would hold after one optimizer step, without taking the step.

    Must run inside a `keras.StatelessScope`, which keeps every assignment from reaching a variable. Works on every
    backend, whereas `Optimizer.stateless_apply` refuses TensorFlow. Weight decay and averaging are left out: they do
    not depend on the gradient.

    Args:
        optimizer: A built optimizer; a `LossScaleOptimizer` gives its inner one.
        variables: The variables, all known to the optimizer.
        gradients: One unscaled gradient per variable.
    """
    twin = _detached_twin(getattr(optimizer, "inner_optimizer", optimizer))
    learning_rate = twin.learning_rate
    scope = get_stateless_scope()
    if isinstance(twin, keras.optimizers.Nadam):
        _advance_momentum_product(twin)
    for variable, gradient in zip(variables, twin._clip_gradients(list(gradients)), strict=True):
        twin.update_step(gradient, variable, learning_rate)
        yield scope.get_current_value(variable)


def _advance_momentum_product(nadam: keras.optimizers.Nadam) -> None:
    """Do what Nadam does at the beginning of a step, without which its first update would be a division by zero."""
    product = nadam._u_product
    step = keras.ops.cast(nadam.iterations + 1, product.dtype)
    product.assign(product * nadam.beta_1 * (1.0 - 0.5 * keras.ops.power(0.96, step)))


def _detached_twin(optimizer: Any) -> Any:
    """Return a shallow copy whose assignments go through the Keras variables, where the scope can catch them."""
    positions = {id(variable): index for index, variable in enumerate(optimizer._trainable_variables)}
    twin = object.__new__(type(optimizer))  # copy.copy would rebuild the optimizer from its configuration
    twin.__dict__.update(optimizer.__dict__)
    replace_attribute(twin, "assign", lambda variable, value: variable.assign(value))
    replace_attribute(twin, "assign_add", lambda variable, value: variable.assign_add(value))
    replace_attribute(twin, "assign_sub", lambda variable, value: variable.assign_sub(value))
    replace_attribute(twin, "_get_variable_index", lambda variable: positions[id(variable)])
    return twin
