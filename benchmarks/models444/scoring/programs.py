"""The real-world programs: is the bug identified, its place found, the symptom right, and the fix at the right place?

Table 6 of DeepDiagnosis (ICSE 2022) gives these four verdicts of four tools without saying how they were reached. Ours
follow from the rules below, which are the same for every program:

- IB: a finding of severity "warn" or worse.
- FS: one of these shows a symptom that the program is expected to show, or names the kind of its fault.
- FL: one of the first three diagnoses has a finding at a layer that the published fix changes, or takes an action on a
  part (data, loss, optimizer, training) that it changes.
- LF: the first diagnosis takes an action that belongs to one of the published kinds of the fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from benchmarks.models444.manifest import Program, Row, architectures, fixed
from benchmarks.models444.scoring.results import WARNED, Diagnosed, Said

VERDICTS = ("IB", "FL", "FS", "LF")
LIKELY = 3  # diagnoses that a user reads

_NUMERICAL = {"DD103", "DD201", "DD202", "DD206", "DD301", "DD305"}
_STILL = {"DD303", "DD304", "DD308", "DD310"}
# What the words for an expected symptom mean among our detectors; a program often has several, "vanishing / dead".
SYMPTOMS: Mapping[str, frozenset[str]] = {
    words: frozenset(codes)
    for words, codes in {
        "numerical": _NUMERICAL,
        "exploding": _NUMERICAL,
        "vanishing gradient": {"DD204", "DD205"},
        "constant output": {"DD105", "DD107", "DD402"},
        "saturated": {"DD102"},
        "dead": {"DD101", "DD105"},
        "out of range": {"DD104", "DD403"},
        "label out of range": {"DD404"},
        "unchanged weights": {"DD203", "DD107"},
        "missing activation": {"DD403", "DD405"},
        "loss not decreasing": _STILL,
        "loss plateau": _STILL,
        "loss stuck": _STILL,
        "accuracy not increasing": _STILL,
        "accuracy plateau": _STILL,
        "accuracy stuck": _STILL,
        "slow convergence": {"DD208", *_STILL},
        "overfitting": {"DD307"},
        "over-optimistic validation": {"DD415"},
    }.items()
}
# Findings that name a kind of fault, whatever else it brings about.
NAMING: Mapping[str, frozenset[str]] = {
    kind: frozenset(codes)
    for kind, codes in {
        "activation": {"DD104", "DD402", "DD403", "DD405"},
        "loss": {"DD104", "DD403", "DD404"},
        "units": {"DD403", "DD404", "DD406"},
        "lr": {"DD207", "DD208"},
        "optimizer": {"DD207", "DD208"},
        "epoch": {"DD208", "DD308"},
        "preprocess": {"DD404", "DD411", "DD417"},
        "data": {"DD404", "DD411", "DD412", "DD417"},
        "initialization": {"DD209", "DD210"},
        "none_or_initialization": {"DD209", "DD210"},
        "batch_size": {"DD421"},
        "dropout": {"DD422"},
        "validation": {"DD415", "DD416"},
        "layers": {"DD405", "DD422", "DD423"},
        "model_type": set[str](),
    }.items()
}
# The actions (DeepDiagnosis, Table IV, and ours) that belong to a kind of fault.
ACTIONS: Mapping[str, frozenset[str]] = {
    kind: frozenset(actions)
    for kind, actions in {
        "activation": {"MSG2"},
        "loss": {"MSG1"},
        "units": {"SHAPE", "LABELS"},
        "lr": {"MSG3"},
        "optimizer": {"MSG3"},
        "epoch": {"TRAIN"},
        "preprocess": {"MSG0", "LABELS"},
        "data": {"MSG0", "LABELS"},
        "initialization": {"MSG4"},
        "none_or_initialization": {"MSG4"},
        "batch_size": {"TRAIN"},
        "dropout": {"REGULARISE"},
        "validation": {"MSG0"},
        "layers": {"MSG5", "REGULARISE", "STRUCTURE"},
        "model_type": set[str](),
    }.items()
}
# The part of a program that an action works on, beside layers.
PLACES: Mapping[str, str] = {"MSG0": "data", "LABELS": "data", "MSG1": "loss", "MSG3": "optimizer", "TRAIN": "training"}
_FIELDS = {
    "data": ("data", "prepared"),
    "loss": ("loss",),
    "optimizer": ("optimizer", "learning_rate", "decay", "optimizer_options"),
    "training": ("epochs", "batch_size"),
}


@dataclass(frozen=True, slots=True)
class Judged:
    """The four verdicts of a program.

    Args:
        id: The program.
        yes: Those of "IB", "FL", "FS" and "LF" that hold.
        kinds: The published kinds of its fault.
        action: Action of the first diagnosis; "" without one.
    """

    id: str
    yes: tuple[str, ...]
    kinds: tuple[str, ...]
    action: str


def judge(row: Row, program: Program, said: Said) -> Judged:
    """Return the verdicts of a program.

    Args:
        row: The faulty program.
        program: What is known of it.
        said: What deepdebug said.
    """
    codes = {one.code for one in said.findings if one.severity in WARNED}
    told = [one for one in said.diagnoses if codes & set(one.codes)]
    rules = {
        "IB": bool(codes),
        "FL": any(_is_at_fault(one, row) for one in told[:LIKELY]),
        "FS": bool(codes & _expected(row, program)),
        "LF": any(told[0].action in ACTIONS[kind] for kind in program.fault_types) if told else False,
    }
    action = told[0].action if told else ""
    return Judged(row.id, tuple(name for name in VERDICTS if rules[name]), program.fault_types, action)


def _expected(row: Row, program: Program) -> set[str]:
    words = row.expected_symptoms
    shown = (codes for word, codes in SYMPTOMS.items() if word in words)
    return set().union(*shown, *(NAMING[kind] for kind in program.fault_types))


def _is_at_fault(told: Diagnosed, row: Row) -> bool:
    mended = fixed(row)
    if mended is None:  # no fix could be made out, so nothing says where it would lie
        return False
    places = {_place(layer) for layer in told.layers if layer is not None}
    return bool(places & changed_layers(row, mended)) or PLACES.get(told.action) in set(_changed_parts(row, mended))


def _changed_parts(row: Row, mended: Row) -> Iterator[str]:
    for part, names in _FIELDS.items():
        if any(getattr(row, name) != getattr(mended, name) for name in names):
            yield part


def changed_layers(row: Row, mended: Row) -> set[int]:
    """Return the places of the layers that a fix changes; a layer and the activation behind it are one.

    Args:
        row: The faulty program.
        mended: The fixed one.
    """
    before, after = (_layers(architectures()[one.architecture]["layers"]) for one in (row, mended))
    found = set[int]()
    texts = ([text for _, text in one] for one in (before, after))
    for what, start, end, _, _ in SequenceMatcher(None, *texts).get_opcodes():
        # Where something is missing is told by what stands before and behind.
        changed = before[max(0, start - 1) : start + 1] if what == "insert" else before[start:end]
        if what != "equal":
            found.update(place for places, _ in changed for place in places)
    return found


def _layers(layers: Iterable[Sequence[Any]]) -> list[tuple[tuple[int, ...], str]]:
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


def _place(layer: str) -> int:
    """Return the place that `build.stack` put into the name of a layer; a shared one has "#2" behind."""
    return int(layer.partition("#")[0].rpartition("_")[2])
