"""Probing on JAX."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

TRAINING_STATE_PARTS = 4  # trainable, other, optimizer and metric variables; evaluation has no optimizer part


def values(variables: Sequence[Any]) -> list[Any]:
    """Return the present values."""
    return [variable.value for variable in variables]


def copies(variables: Sequence[Any]) -> list[Any]:
    """Return copies: the training step donates, and so deletes, the arrays that the variables hold now."""
    return [jnp.array(variable.value, copy=True) for variable in variables]


def compile_function(function: Callable[..., Any], varying: Sequence[int] = ()) -> Callable[..., Any]:
    """Compile with `jax.jit`."""
    compiled: Callable[..., Any] = jax.jit(function)
    return compiled


def shared(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function itself: sharing gains nothing here."""
    return function


def trace(function: Callable[..., Any], *arguments: Any) -> None:
    """Run the Python code of `function` once on abstract values, without computing anything."""
    jax.eval_shape(function, *arguments)


def value_and_gradients(
    function: Callable[[Sequence[Any]], tuple[Any, Any]], values: Sequence[Any]
) -> tuple[Any, Any, list[Any]]:
    """Return the loss, the payload and the gradient of the loss with respect to each value.

    JAX gives zeros where there is no path; whole numbers have no gradient.
    """
    floating = [jnp.issubdtype(value.dtype, jnp.floating) for value in values]

    def of_floating(chosen: list[Any]) -> tuple[Any, Any]:
        remaining = iter(chosen)
        return function([next(remaining) if take else value for value, take in zip(values, floating, strict=True)])

    chosen = [value for value, take in zip(values, floating, strict=True) if take]
    (loss, payload), gradients = jax.value_and_grad(of_floating, has_aux=True)(chosen)
    remaining = iter(gradients)
    return loss, payload, [next(remaining) if take else None for take in floating]


def linearized(function: Callable[[Any], Any], x: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Return `function(x)` and the product with its transposed Jacobian; the two share one forward pass."""
    y, back = jax.vjp(function, x)
    return y, lambda s: back(s)[0]


@contextlib.contextmanager
def undisturbed(_model: Any) -> Iterator[None]:
    """Do nothing: JAX has no global random state, and its arrays cannot be changed."""
    yield


def as_array(tensor: Any) -> npt.NDArray[Any]:
    """Return the numbers of a tensor as a read-only array, which shares the memory of a tensor on CPU."""
    return np.asarray(tensor)


def tapped(function: Callable[..., Any], model: Any, receive: Callable[[Sequence[Any]], None]) -> Callable[..., Any]:
    """Return a training function that shows its batches to `receive` first.

    Keras has emptied the variables by then, so that they are filled again from the state for the time of looking.
    """

    def wrapper(state: Any, iterator: Any) -> Any:
        batches = list(islice(iterator, model.steps_per_execution))
        if not batches:
            raise StopIteration
        if len(state) == TRAINING_STATE_PARTS:
            held = (
                model.trainable_variables,
                model.non_trainable_variables,
                model.optimizer.variables,
                model.metrics_variables,
            )
            for variables, values in zip(held, state, strict=True):
                for variable, value in zip(variables, values, strict=True):
                    variable.assign(value)
        receive(batches)
        return function(state, iter(batches))

    return wrapper
