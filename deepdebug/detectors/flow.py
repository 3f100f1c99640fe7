"""Questions about the data flow of a model, answered from its facts."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from deepdebug.facts import Facts, LayerFacts

RESHAPING = ("reshape", "pooling", "dropout")


def base_name(call: str) -> str:
    """Return the layer's name of a call: "dense" for "dense#2", the second call of a shared layer.

    Example:

    >>> base_name("dense#2")
    'dense'
    """
    name, mark, number = call.rpartition("#")
    return name if mark and number.isdecimal() else call


def positions(facts: Facts) -> dict[str, int]:
    """Return the place of each layer in the order in which data flows."""
    return {layer.name: index for index, layer in enumerate(facts.layers)}


def is_model_input(name: str) -> bool:
    """Tell whether a name in `LayerFacts.inputs` stands for a model input."""
    return name == "input" or name.startswith("input:")


def upstream(facts: Facts, name: str) -> set[str] | None:
    """Return the layer and all layers that feed it, directly or not; `None` where the flow is not known."""
    layers = {layer.name: layer for layer in facts.layers}
    reached: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current in reached or (current not in layers and is_model_input(current)):
            continue
        layer = layers.get(current)
        if layer is None or layer.inputs is None:
            return None
        reached.add(current)
        waiting.extend(layer.inputs)
    return reached


def consumers(facts: Facts, name: str) -> list[LayerFacts] | None:
    """Return the layers that `name` feeds directly; `None` where the flow of some layer is not known."""
    if any(layer.inputs is None for layer in facts.layers):
        return None
    return [layer for layer in facts.layers if name in (layer.inputs or ())]


def reaches(facts: Facts, name: str, kinds: Collection[str], through: Collection[str] = RESHAPING) -> bool | None:
    """Tell whether a layer of these classes receives the output of `name`, at most reshaped on the way.

    Args:
        facts: The model.
        name: Name of the layer to start from.
        kinds: Class names to look for.
        through: Families of layers that may stand between. Defaults to `RESHAPING`.

    Returns:
        Whether there is one; `None` where the flow is not known.
    """
    waiting, done = [name], set[str]()
    while waiting:
        following = consumers(facts, waiting.pop())
        if following is None:
            return None
        for layer in following:
            if layer.kind in kinds:
                return True
            if layer.family in through and layer.name not in done:
                done.add(layer.name)
                waiting.append(layer.name)
    return False


def output_layers(facts: Facts) -> set[str]:
    """Return the layers that compute or activate an output; the last layer where that is not known."""
    found = {name for output in facts.outputs for name in (output.layer, output.activation_layer) if name is not None}
    return found or {layer.name for layer in facts.layers[-1:]}


def feeds_a_loss(facts: Facts, name: str) -> bool | None:
    """Tell whether some output that has a loss depends on this layer; `None` where the flow is not known."""
    if facts.layer(name) is None or not facts.outputs:
        return None
    for output in facts.outputs:
        if output.loss.kind == "none":
            continue
        feeding = upstream(facts, output.activation_layer or output.layer or "")
        if feeding is None:
            return None
        if name in feeding:
            return True
    return False


def by_flow(facts: Facts, layers: Mapping[str, object]) -> list[str]:
    """Return the keys of `layers` in the order in which data flows, unknown ones last."""
    order = positions(facts)
    return sorted(layers, key=lambda name: order.get(name, len(order)))
