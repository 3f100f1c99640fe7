"""Follows the inputs through the layers: which one learns from an input first, and what normalises it before."""

from __future__ import annotations

from dataclasses import replace

from deepdebug.facts import LEARNING_FAMILIES, Facts

NORMALIZING_KINDS = ("Normalization", "Rescaling")


def with_data_flow(facts: Facts) -> Facts:
    """Return the facts with, for every input, the first layer that learns from it and what normalises it before."""
    if facts.data is None:
        return facts
    inputs = []
    for one in facts.data.inputs:
        source = "input" if len(facts.data.inputs) == 1 else f"input:{one.name}"
        first, normalizer = _first_learning_layer(facts, source)
        inputs.append(replace(one, first_learning_layer=first, normalized_by=normalizer))
    return replace(facts, data=replace(facts.data, inputs=tuple(inputs)))


def _first_learning_layer(facts: Facts, source: str) -> tuple[str | None, str | None]:
    reached, normalizer = {source}, None
    for layer in facts.layers:
        if not reached.intersection(layer.inputs or ()):
            continue
        if layer.family in LEARNING_FAMILIES:
            return layer.name, normalizer
        if layer.family == "normalization" or layer.kind in NORMALIZING_KINDS:
            normalizer = normalizer or layer.name
        reached.add(layer.name)
    return None, normalizer
