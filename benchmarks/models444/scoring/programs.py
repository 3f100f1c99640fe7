"""The real-world programs: is the bug identified, its place found, the symptom right, and the fix at the right place?

Table 6 of DeepDiagnosis (ICSE 2022) gives these four verdicts of four tools without saying how they were reached. Ours
follow from the rules below, the same for every program, and are about the first diagnosis alone:

- IB: it rests on a finding of severity "warn" or worse.
- FS: one of its findings shows a symptom that the program is expected to show, or names a kind of change of the fix.
- FL: one of its findings lies at a layer that the fix changes, or the fix makes a change of its kind elsewhere.
- LF: the fix makes a change of its kind.

To show how far the rules alone go, they are also held against a tool that sees nothing and always says the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.models444.manifest import Program, Row, architectures, fixed
from benchmarks.models444.scoring.changes import Kind, changed_layers, kinds_of_change
from benchmarks.models444.scoring.results import ALARMS, Diagnosed, Found, Said

VERDICTS = ("IB", "FL", "FS", "LF")
ELSEWHERE = ("data", "loss", "optimizer", "training", "validation")  # kinds of change that are made at no layer
LIKELY = 3  # diagnoses that a user reads
NOTHING = "no diagnosis"

_NUMERICAL = {"DD103", "DD201", "DD202", "DD206", "DD301", "DD305"}
_STILL = {"DD303", "DD304", "DD308", "DD310"}
# What the words for an expected symptom mean among our detectors; a program often has several, "vanishing / dead".
SYMPTOMS: Mapping[str, set[str]] = {
    "numerical": _NUMERICAL,
    "exploding": _NUMERICAL,
    "vanishing gradient": {"DD204", "DD205"},
    "constant output": {"DD105", "DD107", "DD402"},
    "saturated": {"DD102"},
    "dead": {"DD101", "DD105"},
    "label out of range": {"DD404"},
    "out of range output": {"DD104", "DD403"},
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
}
# Findings that name a kind of change that is needed, whatever else its lack brings about.
NAMING: Mapping[Kind, set[str]] = {
    "activation": {"DD104", "DD402", "DD403", "DD405"},
    "loss": {"DD104", "DD403", "DD404"},
    "units": {"DD404", "DD406"},
    "optimizer": {"DD207", "DD208"},
    "training": {"DD308", "DD421"},
    "data": {"DD404", "DD411", "DD412", "DD417"},
    "initialization": {"DD209", "DD210"},
    "dropout": {"DD422"},
    "validation": {"DD415", "DD416"},
    "structure": set(),
}
# Names of our root causes by the kind of change that mends them, and actions where a preset names no causes.
CAUSES: Mapping[Kind, set[str]] = {
    "activation": {"constant_softmax", "hidden_activation", "loss_activation", "missing_nonlinearity", "output_range",
                   "MSG2"},
    "loss": {"loss_activation", "negative_loss", "output_range", "MSG1"},
    "units": {"labels", "shape_mismatch"},
    "optimizer": {"learning_rate_high", "learning_rate_low", "oscillation", "schedule", "MSG3"},
    "training": {"batch_size", "too_few_epochs"},
    "data": {"constant_data", "data_scale", "imbalance", "initial_loss", "labels", "labels_unrelated",
             "noisy_labels", "non_finite_data", "target_scale", "MSG0"},
    "initialization": {"initialization", "initial_loss", "MSG4"},
    "dropout": {"dropout", "overfitting"},
    "validation": {"overlap", "split"},
    "structure": {"bottleneck", "capacity", "depth", "overfitting", "MSG5"},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdicts of a program.

    Args:
        id: The program.
        yes: Those of "IB", "FL", "FS" and "LF" that hold of the first diagnosis.
        likely: Those that hold of one of the first three.
        has_alarm: Whether there is an error or a fatal finding, by which models of AUTOTRAINER count as flagged.
        kinds: The kinds of change that its fix makes.
        cause: Root cause of the first diagnosis, or its action in a preset without causes; "" without a diagnosis.
        is_questionable: Whether the published fix mends no real fault.
    """

    id: str
    yes: tuple[str, ...]
    likely: tuple[str, ...]
    has_alarm: bool
    kinds: tuple[Kind, ...]
    cause: str
    is_questionable: bool


def judge(row: Row, program: Program, said: Said) -> Judged:
    """Return the verdicts of a program.

    Args:
        row: The faulty program.
        program: What is known of it.
        said: What deepdebug said.
    """
    kinds, told = kinds_of_change(row, program), said.told
    return Judged(
        row.id,
        _verdicts(row, kinds, told[:1]),
        _verdicts(row, kinds, told[:LIKELY]),
        said.has(ALARMS),
        kinds,
        named(told[0]) if told else "",
        program.questionable,
    )


def named(told: Diagnosed) -> str:
    """Return the cause of a diagnosis, or its action in a preset that names no causes."""
    return told.cause or told.action


def blind(row: Row) -> Said:
    """Return what a tool says that looks at nothing: a warning, and another activation in the last layer.

    Args:
        row: The program.
    """
    last = len(architectures()[row.architecture]["layers"]) - 1
    layer, code = f"layer_{last}", "DD304"
    return Said(
        (Found(code, "warn", "weak", layer, 0, 0, None),),
        (Diagnosed("", "the same for all", "MSG2", (code,), (layer,)),),
    )


def _verdicts(row: Row, kinds: Sequence[Kind], told: Sequence[Diagnosed]) -> tuple[str, ...]:
    rules = {
        "IB": bool(told),
        "FL": any(_is_there(one, row, kinds) for one in told),
        "FS": any(set(one.codes) & _expected(row, kinds) for one in told),
        "LF": any(_mends(one, kinds) for one in told),
    }
    return tuple(name for name in VERDICTS if rules[name])


def _expected(row: Row, kinds: Iterable[Kind]) -> set[str]:
    shown = (codes for words, codes in SYMPTOMS.items() if words in row.expected_symptoms)
    return set().union(*shown, *(NAMING[kind] for kind in kinds))


def _mends(told: Diagnosed, kinds: Iterable[Kind]) -> bool:
    return any(named(told) in CAUSES[kind] for kind in kinds)


def _is_there(told: Diagnosed, row: Row, kinds: Iterable[Kind]) -> bool:
    mended = fixed(row)
    places = set(_places(told.layers))
    if mended is not None and places & changed_layers(row, mended):
        return True
    return _mends(told, (kind for kind in kinds if kind in ELSEWHERE))


def _places(layers: Iterable[str | None]) -> Iterator[int]:
    """Yield the places that `build.stack` put into the names of layers; a shared one has "#2" behind."""
    for layer in layers:
        if layer is not None:
            yield int(layer.partition("#")[0].rpartition("_")[2])
