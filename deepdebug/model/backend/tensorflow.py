"""Probing on TensorFlow."""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

logger = logging.getLogger("deepdebug")


def values(variables: Sequence[Any]) -> list[Any]:
    """Return the present values; a mirrored variable gives the value of its first replica."""
    return [tf.convert_to_tensor(variable.value) for variable in variables]


def copies(variables: Sequence[Any]) -> list[Any]:
    """Return the present values, safe from later updates."""
    return [tf.identity(variable.value) for variable in variables]


def compile_function(function: Callable[..., Any], varying: Sequence[int] = ()) -> Callable[..., Any]:
    """Compile to a graph; XLA is left out because it is slower on CPU and takes seconds to compile.

    The `partial` makes every probe a function of its own, or TensorFlow would warn of retracing after a few `fit`s.
    """
    own = functools.partial(function)
    compiled: Callable[..., Any] = tf.function(own, autograph=False, jit_compile=False, reduce_retracing=True)
    return _TracedOnce(compiled, varying) if varying else compiled


class _TracedOnce:
    """Traces a function for any number of rows before its first call; tracing takes longer than most calls.

    Args:
        compiled: The function of TensorFlow.
        varying: Positions of the arguments whose number of rows varies.
    """

    def __init__(self, compiled: Any, varying: Sequence[int]) -> None:
        self._compiled, self._varying = compiled, varying
        self._is_traced = False

    def __call__(self, *arguments: Any) -> Any:
        if not self._is_traced:
            self._is_traced = True
            try:
                self._compiled.get_concrete_function(*self._of_any_size(arguments))
            except Exception:  # some layers must know the number; then the call traces for this one, or tells the error
                logger.debug("no trace for any number of rows", exc_info=True)
        return self._compiled(*arguments)

    def _of_any_size(self, arguments: Sequence[Any]) -> Iterator[Any]:
        for place, argument in enumerate(arguments):
            yield tf.nest.map_structure(_of_any_size, argument) if place in self._varying else argument


def _of_any_size(value: Any) -> Any:
    if not tf.is_tensor(value) or value.shape.rank in (None, 0):
        return value
    return tf.TensorSpec([None, *value.shape[1:]], value.dtype)


def shared(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function` for use within a graph, where tensors of one rank and type share one trace.

    Tracing takes most of the time before the first epoch, and most layers of a model are of one kind.
    """

    def call(*arguments: Any) -> Any:
        if any(tf.is_tensor(one) and not isinstance(one, tf.Tensor) for one in arguments):  # ragged, for example
            return function(*arguments)
        kinds = tuple(_kind(one) if tf.is_tensor(one) else one for one in arguments)
        return _traced(function, kinds)(*(one for one in arguments if tf.is_tensor(one)))

    return call


@functools.cache
def _traced(function: Callable[..., Any], kinds: tuple[Any, ...]) -> Callable[..., Any]:
    traced: Callable[..., Any] = tf.function(function, autograph=False).get_concrete_function(*kinds)
    return traced


def _kind(value: Any) -> Any:
    rank = value.shape.rank
    return tf.TensorSpec(None if rank is None else [None] * rank, value.dtype)


def trace(function: Callable[..., Any], *arguments: Any) -> None:
    """Run the Python code of `function` once on symbolic tensors, without computing anything."""
    tf.function(function, autograph=False).get_concrete_function(*arguments)


def value_and_gradients(
    function: Callable[[Sequence[Any]], tuple[Any, Any]], values: Sequence[Any]
) -> tuple[Any, Any, list[Any]]:
    """Return the loss, the payload and the gradient of the loss with respect to each value."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(values)
        loss, payload = function(values)
    gradients = tape.gradient(loss, list(values))
    return loss, payload, [None if one is None else tf.convert_to_tensor(one) for one in gradients]


def linearized(function: Callable[[Any], Any], x: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Return `function(x)` and the product with its transposed Jacobian; the two share one forward pass."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        y = function(x)
    return y, lambda s: tape.gradient(y, x, output_gradients=s, unconnected_gradients=tf.UnconnectedGradients.ZERO)


@contextlib.contextmanager
def undisturbed(_model: Any) -> Iterator[None]:
    """Do nothing: Keras draws through its own seeds, which the probe never advances."""
    yield


def as_array(tensor: Any) -> npt.NDArray[Any]:
    """Return the numbers of a tensor as a read-only array, which shares the memory of a tensor on CPU."""
    array = np.asarray(memoryview(tensor)) if "CPU:" in tensor.device else tensor.numpy()
    array.flags.writeable = False
    return array


def tapped(function: Callable[..., Any], model: Any, receive: Callable[[Sequence[Any]], None]) -> Callable[..., Any]:
    """Return a training function that shows its batches to `receive` first.

    Keras's own function takes a list of batches as well as an iterator, and computes the same on both.
    """

    def wrapper(iterator: Any) -> Any:
        if not isinstance(iterator, tf.data.Iterator | list):  # batches spread over several devices
            return function(iterator)
        batches = [tf.nest.map_structure(_none_if_empty, one) for one in islice(iterator, model.steps_per_execution)]
        if not batches:
            raise StopIteration
        receive(batches)
        return function(batches)

    return wrapper


def _none_if_empty(value: Any) -> Any:
    return None if isinstance(value, tf.experimental.Optional) else value
