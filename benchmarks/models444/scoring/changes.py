"""What the published fix of a program changes: which layers, and which kinds of change it makes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from itertools import accumulate
from typing import Any, Literal

from benchmarks.models444.manifest import Program, Row, architectures, fixed

Kind = Literal[
    "activation",
    "data",
    "dropout",
    "initialization",
    "loss",
    "optimizer",
    "structure",
    "training",
    "units",
    "validation",
]
FORM = "one-hot"  # goes with the loss, and is no fault of the data
_FIELDS: Mapping[Kind, tuple[str, ...]] = {
    "data": ("data", "prepared"),
    "loss": ("loss",),
    "optimizer": ("optimizer", "learning_rate", "decay", "optimizer_options"),
    "training": ("epochs", "batch_size"),
}
# For programs whose fix could not be made out, by the published kind of the fault.
_BY_FAULT: Mapping[str, Kind] = {
    "activation": "activation",
    "batch_size": "training",
    "data": "data",
    "dropout": "dropout",
    "epoch": "training",
    "initialization": "initialization",
    "layers": "structure",
    "loss": "loss",
    "lr": "optimizer",
    "none_or_initialization": "initialization",
    "optimizer": "optimizer",
    "preprocess": "data",
    "units": "units",
    "validation": "validation",
}


def kinds_of_change(row: Row, program: Program) -> tuple[Kind, ...]:
    """Return the kinds of change that a fix makes, in order of their names.

    Args:
        row: The faulty program.
        program: What is known of it; its fault says the kinds where the fix could not be made out.
    """
    mended = fixed(row)
    if mended is None:
        return tuple(sorted({_BY_FAULT[one] for one in program.fault_types if one in _BY_FAULT}))
    return tuple(sorted({*_outside(row, mended), *_inside(row, mended)}))


def _outside(row: Row, mended: Row) -> Iterator[Kind]:
    before, after = (
        replace(one, prepared=tuple(step for step in one.prepared if step != FORM)) for one in (row, mended)
    )
    for kind, names in _FIELDS.items():
        if any(getattr(before, name) != getattr(after, name) for name in names):
            is_validation = "validate on training rows" in {*before.prepared} - {*after.prepared}
            yield "validation" if kind == "data" and is_validation else kind


def _inside(row: Row, mended: Row) -> Iterator[Kind]:
    before, after = (_layers_of(one) for one in (row, mended))
    weighted = [[layer for layer in one if layer[0] not in ("Activation", "Dropout")] for one in (before, after)]
    is_same = weighted[0] == weighted[1]
    activations = [_behind(one) if is_same else one[-1:] for one in (before, after)]
    if activations[0] != activations[1]:
        yield "activation"
    if [layer for layer in before if layer[0] == "Dropout"] != [layer for layer in after if layer[0] == "Dropout"]:
        yield "dropout"
    if is_same:
        return
    is_at_the_end = weighted[0][:-1] == weighted[1][:-1]
    yield "units" if is_at_the_end else "structure"


def _behind(layers: Sequence[Sequence[Any]]) -> list[tuple[int, Sequence[Any]]]:
    """Return the activations, each with the number of layers with weights before it."""
    places = accumulate(layer[0] not in ("Activation", "Dropout") for layer in layers)
    return [(place, layer) for place, layer in zip(places, layers, strict=True) if layer[0] == "Activation"]


def _layers_of(row: Row) -> Sequence[Sequence[Any]]:
    found: Sequence[Sequence[Any]] = architectures()[row.architecture]["layers"]
    return found


def changed_layers(row: Row, mended: Row) -> set[int]:
    """Return the places of the layers that a fix changes; a layer and the activation behind it are one.

    Args:
        row: The faulty program.
        mended: The fixed one.
    """
    before, after = (_with_activations(_layers_of(one)) for one in (row, mended))
    found = set[int]()
    texts = ([text for _, text in one] for one in (before, after))
    for what, start, end, _, _ in SequenceMatcher(None, *texts).get_opcodes():
        # Where something is missing is told by what stands before and behind.
        changed = before[max(0, start - 1) : start + 1] if what == "insert" else before[start:end]
        if what != "equal":
            found.update(place for places, _ in changed for place in places)
    return found


def _with_activations(layers: Iterable[Sequence[Any]]) -> list[tuple[tuple[int, ...], str]]:
    """Return each layer with the activation behind it, as places and a text."""
    found: list[tuple[tuple[int, ...], str]] = []
    for place, layer in enumerate(layers):
        text = repr(layer)
        if layer[0] == "Activation" and found:
            places, before = found.pop()
            found.append(((*places, place), f"{before} {text}"))
        else:
            found.append(((place,), text))
    return found
