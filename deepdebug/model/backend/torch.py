"""Probing on torch."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy.typing as npt
import torch


def values(variables: Sequence[Any]) -> list[Any]:
    """Return the very parameters: a torch module in the model uses them directly, so only they get its gradient."""
    return [variable.value for variable in variables]


def copies(variables: Sequence[Any]) -> list[Any]:
    """Return copies: torch optimizers update in place."""
    return [variable.value.detach().clone() for variable in variables]


def compile_function(function: Callable[..., Any], varying: Sequence[int] = ()) -> Callable[..., Any]:
    """Return the function, which runs eagerly, as Keras trains, and records a graph only where it asks for one."""
    compiled: Callable[..., Any] = torch.no_grad()(function)
    return compiled


def shared(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function itself: sharing gains nothing here."""
    return function


def trace(function: Callable[..., Any], *arguments: Any) -> None:
    """Run `function` once; torch has no cheaper way to see the calls."""
    with torch.no_grad():
        function(*arguments)


def value_and_gradients(
    function: Callable[[Sequence[Any]], tuple[Any, Any]], values: Sequence[Any]
) -> tuple[Any, Any, list[Any]]:
    """Return the loss, the payload and the gradient of the loss with respect to each value."""
    with torch.enable_grad():
        leaves = [one if one.requires_grad else one.detach().requires_grad_(one.is_floating_point()) for one in values]
        loss, payload = function(leaves)
        wanted = [leaf for leaf in leaves if leaf.requires_grad]
        gradients = iter(
            torch.autograd.grad(loss, wanted, allow_unused=True) if loss.requires_grad else [None] * len(wanted)
        )
    return loss.detach(), payload, [next(gradients) if leaf.requires_grad else None for leaf in leaves]


def linearized(function: Callable[[Any], Any], x: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Return `function(x)` and the product with its transposed Jacobian; the two share one forward pass."""
    inputs = [one.detach().requires_grad_() for one in (x if isinstance(x, list) else [x])]
    with torch.enable_grad():
        y = function(inputs if isinstance(x, list) else inputs[0])

    def back(s: Any) -> Any:
        gradients = torch.autograd.grad(y, inputs, s, allow_unused=True)
        found = [torch.zeros_like(one) if it is None else it for one, it in zip(inputs, gradients, strict=True)]
        return found if isinstance(x, list) else found[0]

    return y.detach(), back


@contextlib.contextmanager
def undisturbed(model: torch.nn.Module) -> Iterator[None]:
    """Put back torch's random generators and, of every torch module in the model, its buffers and its mode.

    A torch module wrapped into a Keras layer updates its own buffers, such as the running mean of a batch norm, and
    Keras may switch it to training mode.
    """
    buffers = [(buffer, buffer.clone()) for buffer in model.buffers()]
    modes = [(module, module.training) for module in model.modules()]
    try:
        with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
            yield
    finally:
        with torch.no_grad():
            for buffer, before in buffers:
                buffer.copy_(before)
        for module, mode in modes:
            module.training = mode


def as_array(tensor: Any) -> npt.NDArray[Any]:
    """Return the numbers of a tensor as a read-only array, which shares the memory of a tensor on CPU."""
    array: npt.NDArray[Any] = tensor.detach().cpu().numpy()
    array.flags.writeable = False
    return array


def tapped(function: Callable[..., Any], model: Any, receive: Callable[[Sequence[Any]], None]) -> Callable[..., Any]:
    """Return a training function that shows its batches to `receive` first."""

    def wrapper(batches: Sequence[Any]) -> Any:
        receive(batches)
        return function(batches)

    return wrapper
