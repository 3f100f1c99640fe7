"""Records what every layer computes while the model is called, whatever kind of model it is."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from deepdebug.model import private
from deepdebug.model.families import family_of

# Their inner layers run inside loops or vectorised maps, out of which no tensor may be taken.
CLOSED_FAMILIES = ("recurrent", "attention")
SCORED_FAMILIES = ("dense", "convolution")
MASKS = ("mask", "attention_mask", "query_mask", "key_mask", "value_mask")


@dataclass(frozen=True, slots=True)
class Call:
    """One call of one layer or operation.

    Args:
        name: Name of the layer, as in `LayerFacts.name`.
        operation: The layer or operation.
        inputs: The tensors that came in, masks left out.
        outputs: The tensors that went out.
        masked: Whether a mask came in.
        arguments: What the call was given, as (positional, by name).
        scores: What the layer's own activation was given, where it was recorded; else `None`.
    """

    name: str
    operation: keras.Operation
    inputs: tuple[Any, ...]
    outputs: tuple[Any, ...]
    masked: bool = False
    arguments: tuple[tuple[Any, ...], dict[str, Any]] = ((), {})
    scores: Any = None

    def again(self, inputs: Sequence[Any]) -> Any:
        """Call the layer once more, with other tensors in place of `inputs`."""
        others = dict(zip(map(id, self.inputs), inputs, strict=True))
        args, kwargs = keras.tree.map_structure(lambda one: others.get(id(one), one), self.arguments)
        return self.operation.call(*args, **kwargs)


def leaves(model: keras.Model, depth: str = "deep", closed: tuple[type, ...] = ()) -> dict[str, keras.Operation]:
    """Return the innermost layers and operations by a name that is unique in the model ("outer/inner").

    Args:
        model: A built model of any kind.
        depth: "deep" looks into nested models and layers; "shallow" takes the model's own layers as they are, for
            models whose inner layers run inside loops. Defaults to `"deep"`.
        closed: Classes of layers that are taken as they are, whatever is inside. Defaults to none.
    """
    found: dict[str, keras.Operation] = {}
    known: set[int] = set()
    for name, operation in _walk(model, "", depth == "deep", closed):
        if id(operation) not in known:
            known.add(id(operation))
            found[unused_name(name, found)] = operation
    return found


def programs(model: keras.Model, closed: tuple[type, ...] = ()) -> dict[str, keras.layers.Layer]:
    """Return the layers with inner layers and a `call` of their own, by the beginning of the names of those inside.

    What such a layer does between the calls of its inner layers is seen by nobody.

    Args:
        model: A built model of any kind; it is among them, as "", where its data flow is not recorded by Keras.
        closed: As in `leaves`. Defaults to none.
    """
    found = {} if private.is_graph(model) else {"": model}
    waiting: list[tuple[str, Any]] = [("", model)]
    while waiting:
        prefix, parent = waiting.pop()
        for layer in private.sublayers(parent):
            if _is_open(layer, closed):
                name = f"{prefix}{layer.name}/"
                waiting.append((name, layer))
                if not private.is_graph(layer):
                    found[name] = layer
    return found


def _walk(parent: Any, prefix: str, deep: bool, closed: tuple[type, ...]) -> Iterator[tuple[str, keras.Operation]]:
    for operation in private.plain_operations(parent):
        yield prefix + operation.name, operation
    for layer in private.sublayers(parent):
        if deep and _is_open(layer, closed):
            yield from _walk(layer, f"{prefix}{layer.name}/", deep, closed)
        else:
            yield prefix + layer.name, layer


def _is_open(layer: keras.layers.Layer, closed: tuple[type, ...]) -> bool:
    shut = family_of(layer) in CLOSED_FAMILIES or isinstance(layer, (keras.layers.Wrapper, *closed))
    return not shut and bool(private.sublayers(layer))


def unused_name(name: str, taken: Container[str]) -> str:
    """Return `name`, with a number behind it where it is taken."""
    candidate, number = name, 2
    while candidate in taken:
        candidate, number = f"{name}~{number}", number + 1
    return candidate


@contextlib.contextmanager
def recorded_calls(operations: Mapping[str, keras.Operation], *, scores: bool = False) -> Iterator[list[Call]]:
    """Collect the calls of `operations` while the block runs; the layers are as before when it ends.

    Args:
        operations: Layers and operations by name, as from `leaves`.
        scores: Whether to record what goes into the activations inside layers too. Defaults to `False`.

    Yields:
        A list that fills with one `Call` per call, in the order in which the calls end.
    """
    calls: list[Call] = []
    own = {name: vars(operation).get("call") for name, operation in operations.items()}
    try:
        for name, operation in operations.items():
            private.replace_attribute(operation, "call", _recording(name, operation, calls, scores))
        yield calls
    finally:
        for name, operation in operations.items():
            if own[name] is not None:  # a function that the user put there
                private.replace_attribute(operation, "call", own[name])
            elif "call" in vars(operation):
                private.restore_attribute(operation, "call")


def _recording(name: str, operation: keras.Operation, calls: list[Call], scores: bool) -> Callable[..., Any]:
    original = operation.call

    def call(*args: Any, **kwargs: Any) -> Any:
        with _recorded_scores(operation, scores) as seen:
            outputs = original(*args, **kwargs)
        named = {key: value for key, value in kwargs.items() if key not in MASKS}
        masked = any(kwargs.get(key) is not None for key in MASKS)
        score = seen[0] if len(seen) == 1 else None
        calls.append(Call(name, operation, _tensors((args, named)), _tensors(outputs), masked, (args, kwargs), score))
        return outputs

    return call


@contextlib.contextmanager
def _recorded_scores(operation: keras.Operation, wanted: bool) -> Iterator[list[Any]]:
    seen: list[Any] = []
    activation = getattr(operation, "activation", None)
    if not wanted or activation is None or family_of(operation) not in SCORED_FAMILIES:
        yield seen
        return

    def recording(z: Any) -> Any:
        seen.append(z)
        return activation(z)

    private.replace_attribute(operation, "activation", recording)
    try:
        yield seen
    finally:
        private.replace_attribute(operation, "activation", activation)


def _tensors(structure: Any) -> tuple[Any, ...]:
    return tuple(one for one in keras.tree.flatten(structure) if keras.ops.is_tensor(one))


@contextlib.contextmanager
def recorded_casts() -> Iterator[list[tuple[Any, Any]]]:
    """Collect (before, after) of every tensor that is converted on the way into a layer or a functional model.

    Without these pairs the data flow would seem to break wherever type or rank change.
    """
    casts: list[tuple[Any, Any]] = []
    policy = keras.dtype_policies.DTypePolicy
    original = policy.convert_input

    def convert_input(self: Any, x: Any, autocast: bool, dtype: Any) -> Any:
        converted = original(self, x, autocast, dtype)
        casts.append((x, converted))
        return converted

    policy.convert_input = convert_input
    try:
        with private.recorded_standardization(casts.append):
            yield casts
    finally:
        policy.convert_input = original
