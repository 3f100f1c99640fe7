"""Probing on torch."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch


def values(variables: Sequence[Any]) -> list[Any]:
    """Return the present values, cut off from the graph of the training step."""
    return [variable.value.detach() for variable in variables]


def copies(variables: Sequence[Any]) -> list[Any]:
    """Return copies: torch optimizers update in place."""
    return [variable.value.detach().clone() for variable in variables]


def compile_function(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function as it is: torch runs eagerly here, as Keras trains."""
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
        leaves = [value.detach().requires_grad_(value.is_floating_point()) for value in values]
        loss, payload = function(leaves)
        wanted = [leaf for leaf in leaves if leaf.requires_grad]
        gradients = iter(
            torch.autograd.grad(loss, wanted, allow_unused=True) if loss.requires_grad else [None] * len(wanted)
        )
    return loss.detach(), payload, [next(gradients) if leaf.requires_grad else None for leaf in leaves]


@contextlib.contextmanager
def random_state() -> Iterator[None]:
    """Put back the state of torch's generators, from which Keras's torch layers and loaders draw."""
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        yield


def tapped(function: Callable[..., Any], model: Any, receive: Callable[[Sequence[Any]], None]) -> Callable[..., Any]:
    """Return a training function that shows its batches to `receive` first."""

    def wrapper(batches: Sequence[Any]) -> Any:
        receive(batches)
        return function(batches)

    return wrapper
