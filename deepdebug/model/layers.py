"""Turns the layers of a Keras model into `LayerFacts`, in the order in which data flows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from deepdebug.facts import LayerFacts, Scalar, Shape
from deepdebug.model import backend, private
from deepdebug.model.activations import recognise
from deepdebug.model.families import family_of
from deepdebug.model.record import Call, leaves, recorded_calls, recorded_casts

# Layers of these families apply their `activation` last, so that it shapes their output.
ACTIVATED_FAMILIES = ("dense", "convolution")
NAMED = ("initializer", "regularizer")  # settings that are kept as the name of their class
PASSING_FAMILIES = ("reshape", "dropout")


@dataclass(frozen=True, slots=True)
class Flow:
    """The layers of a model in the order of one forward pass, and which of them made its outputs.

    Args:
        layers: The layers in the order in which data flows.
        operations: The layers and operations by name.
        output_makers: Per flat output, the name of the layer that made it, or `None`.
        output_shapes: Per flat output, its shape without the batch axis.
        output_keys: Per flat output, its key where the model returns a dictionary; else empty.
    """

    layers: tuple[LayerFacts, ...]
    operations: Mapping[str, keras.Operation]
    output_makers: tuple[str | None, ...]
    output_shapes: tuple[Shape, ...]
    output_keys: tuple[str, ...]


def follow(model: keras.Model, x: Any, depth: str = "deep") -> Flow:
    """Call the model once on `x` in inference mode, symbolically where the backend can, and record what happens.

    Args:
        model: A built model of any kind.
        x: A batch of inputs as native tensors, in the model's structure.
        depth: As in `deepdebug.model.record.leaves`. Defaults to `"deep"`.
    """
    operations, x = leaves(model, depth), _as_declared(model, x)
    with recorded_calls(operations) as calls, recorded_casts() as casts:
        ends: dict[str, Any] = {}

        def call(batch: Any) -> None:
            with keras.StatelessScope():
                ends["inputs"] = keras.tree.flatten(batch)
                outputs = private.call_model(model, batch, training=False)
            ends["outputs"], ends["keys"] = keras.tree.flatten(outputs), _keys(outputs)

        backend.current().trace(call, x)
        sources = {id(after): id(before) for before, after in casts if after is not before}
    makers = _Makers(model, dict(zip(map(id, ends["inputs"]), _source_names(model, x), strict=True)), sources)
    layers = _layers(calls, makers)
    return Flow(
        layers=layers,
        operations={layer.name: operations[layer.name] for layer in layers},
        output_makers=tuple(makers.of_output(tensor) for tensor in ends["outputs"]),
        output_shapes=tuple(_shape(tensor) for tensor in ends["outputs"]),
        output_keys=ends["keys"],
    )


def _as_declared(model: keras.Model, x: Any) -> Any:
    """Return the inputs in the types that the graph declares; Keras converts them too, but where nobody sees it."""
    flat = keras.tree.flatten(x)
    declared = list(getattr(model, "inputs", None) or ()) if private.is_graph(model) else []
    if isinstance(x, dict):
        by_name = {one.name: one for one in declared}
        declared = [by_name[name] for name in sorted(map(str, x)) if name in by_name]
    if len(declared) != len(flat):
        return x
    pairs = zip(flat, declared, strict=True)
    return keras.tree.pack_sequence_as(x, [keras.ops.cast(one, wanted.dtype) for one, wanted in pairs])


def _keys(outputs: Any) -> tuple[str, ...]:
    """Return the keys of a dictionary of tensors, in the order in which it is flattened."""
    if not isinstance(outputs, dict):
        return ()
    flat = {id(tensor): str(key) for key, tensor in outputs.items() if not keras.tree.is_nested(tensor)}
    return tuple(flat[id(one)] for one in keras.tree.flatten(outputs)) if len(flat) == len(outputs) else ()


class _Makers:
    """Knows which layer made which tensor.

    Args:
        model: The model.
        inputs: Name of each of its input tensors, by `id`.
        sources: `id` of a tensor before a cast, by `id` of the tensor after it.
    """

    def __init__(self, model: keras.Model, inputs: Mapping[int, str], sources: Mapping[int, int]) -> None:
        self._by_id: dict[int, str] = dict(inputs)
        self._sources = sources
        # In a graph with one input, a tensor that no recorded call made can only be that input, converted.
        self._is_simple_graph = private.is_graph(model) and len(inputs) == 1
        self._last: str | None = None

    def of(self, tensor: Any) -> str | None:
        known = self._by_id.get(id(tensor)) or self._by_id.get(self._sources.get(id(tensor), 0))
        return known or ("input" if self._is_simple_graph else None)

    def of_output(self, tensor: Any) -> str | None:
        """Return the maker of a model output; that of a simple graph may have been converted on its way out."""
        return self._by_id.get(id(tensor)) or (self._last if self._is_simple_graph else None)

    def add(self, call: Call) -> None:
        self._by_id |= {id(tensor): call.name for tensor in call.outputs}
        self._last = call.name


def _layers(calls: Sequence[Call], makers: _Makers) -> tuple[LayerFacts, ...]:
    uses = Counter(call.name for call in calls)
    facts: dict[str, LayerFacts] = {}
    for call in calls:
        if call.name not in facts:
            feeders = tuple(makers.of(tensor) for tensor in call.inputs)
            facts[call.name] = _layer_facts(call, feeders, uses[call.name])
        makers.add(call)
    return tuple(facts.values())


def input_names(model: keras.Model) -> list[str]:
    """Return the names of the inputs in their order, "input" for a single one; empty where the model has no graph."""
    tensors = getattr(model, "inputs", ()) if private.is_graph(model) else ()
    return ["input"] if len(tensors) == 1 else [str(one.name) for one in tensors]


def _source_names(model: keras.Model, x: Any) -> list[str]:
    """Return what `LayerFacts.inputs` calls the flat inputs; as in `named_arrays`, dictionaries go by their keys."""
    count = len(keras.tree.flatten(x))
    if count == 1:
        return ["input"]
    names = sorted(map(str, x)) if isinstance(x, dict) else input_names(model)
    if len(names) != count:
        names = [str(index) for index in range(count)]
    return [f"input:{name}" for name in names]


def _layer_facts(call: Call, feeders: tuple[str | None, ...], uses: int) -> LayerFacts:
    operation, family = call.operation, family_of(call.operation)
    is_layer = isinstance(operation, keras.layers.Layer)
    config = _config(operation)
    if family == "recurrent":
        config |= {"receives_mask": call.masked}
    return LayerFacts(
        name=call.name,
        kind=type(operation).__name__,
        family=family if family != "other" or is_layer else _family_by_effect(operation),
        activation=activation_of(operation, family),
        inputs=None if any(one is None for one in feeders) else tuple(dict.fromkeys(map(str, feeders))),
        input_shape=_shape(call.inputs[0]) if call.inputs else None,
        output_shape=_shape(call.outputs[0]) if call.outputs else None,
        trainable=bool(getattr(operation, "trainable", False)) if is_layer else True,
        uses=uses,
        config=config,
    )


def _family_by_effect(operation: keras.Operation) -> str:
    """Recognise an operation such as `keras.ops.relu` that stands in a graph without a layer."""
    return "other" if recognise(operation) in ("unknown", "linear") else "activation"


def activation_of(operation: keras.Operation, family: str) -> str:
    """Return the name of the activation that a layer or operation applies last."""
    if isinstance(operation, keras.layers.TimeDistributed):
        return activation_of(operation.layer, family)
    if family in ACTIVATED_FAMILIES or family == "recurrent":
        inner = operation.forward_layer if isinstance(operation, keras.layers.Bidirectional) else operation
        return recognise(getattr(inner, "activation", None))
    if isinstance(operation, keras.layers.PReLU):
        return "leaky_relu"
    if family == "activation" or not isinstance(operation, keras.layers.Layer):
        return recognise(operation.call) if family in ("activation", "other") else "linear"
    return "unknown" if family == "other" else "linear"


def _config(operation: keras.Operation) -> dict[str, Scalar]:
    config: dict[str, Scalar] = {
        "supports_masking": bool(getattr(operation, "supports_masking", False)),
        "compute_dtype": getattr(operation, "compute_dtype", None),
    }
    try:
        items = operation.get_config().items()
    except Exception:  # a user's layer need not have a configuration
        return config
    for key, value in items:
        if isinstance(value, bool | int | float | str) or value is None:
            config[key] = value
        elif isinstance(value, dict) and isinstance(value.get("class_name"), str) and key.endswith(NAMED):
            config[key] = value["class_name"]
    return config


def _shape(tensor: Any) -> Shape:
    return tuple(None if size is None else int(size) for size in tuple(tensor.shape)[1:])


def effective_activation(layers: Mapping[str, LayerFacts], maker: str | None) -> tuple[str | None, str, str | None]:
    """Return (layer, activation, layer that applies it) of an output, passing over layers that only reshape.

    Args:
        layers: The layers by name.
        maker: Name of the layer that made the output, or `None` when not known.
    """
    seen: set[str] = set()
    while maker is not None and maker in layers and maker not in seen:
        seen.add(maker)
        layer = layers[maker]
        is_passing = layer.family in PASSING_FAMILIES or (layer.family == "activation" and layer.activation == "linear")
        if not is_passing:
            return layer.name, _output_activation(layer), layer.name
        maker = layer.inputs[0] if layer.inputs and len(layer.inputs) == 1 else None
    return None, "unknown", None


def _output_activation(layer: LayerFacts) -> str:
    if layer.family in ("merge", "other", "attention", "preprocessing"):
        return layer.activation if layer.activation not in ("linear",) else "unknown"
    return layer.activation
