"""All that the results say, in one record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.models444.manifest import programs, read_manifest
from benchmarks.models444.scoring import ablation, agreements, times
from benchmarks.models444.scoring.agreements import OUTCOME, PUBLISHED, Compared, Errors, errors
from benchmarks.models444.scoring.outcomes import Outcome, outcomes
from benchmarks.models444.scoring.programs import Judged, blind, judge
from benchmarks.models444.scoring.results import ALARMS, WARNED, Lost, Said, Trained
from benchmarks.models444.scoring.targets import Target, targets
from benchmarks.models444.scoring.tools import OURS

PRESETS = {"preset deepdiagnosis": "deepdiagnosis", "deepdebug": "default"}


@dataclass(frozen=True, slots=True)
class Programs:
    """The real-world programs.

    Args:
        judged: The verdicts of each.
        preset: The same of the published preset.
        blind: The same of a tool that looks at nothing.
        fixed: Fixed programs that were trained, by id.
        warned: Those of them that got a warning.
        alarmed: Those that got an alarm.
    """

    judged: tuple[Judged, ...]
    preset: tuple[Judged, ...]
    blind: tuple[Judged, ...]
    fixed: tuple[str, ...]
    warned: tuple[str, ...]
    alarmed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """The score.

    Args:
        size: Name of the size.
        models: Ids of the models and programs that have a verdict.
        repeats: Number of repetitions.
        lost: Models that ended without a verdict.
        failed: Detectors that failed, by id of the model.
        compared: Tools against labels, over the models of AUTOTRAINER.
        outcomes: What these reached, by id.
        errors: Where deepdebug differs from each label, by id.
        disagree: Models whose published label and outcome differ, by id.
        programs: The real-world programs.
        symptoms: What the detectors of the published symptoms add, by preset.
        detectors: What each of ours adds.
        detections: When alarms came.
        overhead: What watching costs.
        same: Share of models with the same verdict in a second run with the same seeds; `None` without one.
        steady: Share of models with the same verdict in every repetition, which has other seeds; `None` for one.
        targets: What was to be reached.
    """

    size: str
    models: tuple[str, ...]
    repeats: int
    lost: tuple[Lost, ...]
    failed: Mapping[str, tuple[str, ...]]
    compared: tuple[Compared, ...]
    outcomes: Mapping[str, Outcome]
    errors: Mapping[str, Errors]
    disagree: tuple[str, ...]
    programs: Programs
    symptoms: Mapping[str, tuple[ablation.Part, ...]]
    detectors: tuple[ablation.Part, ...]
    detections: tuple[times.Detection, ...]
    overhead: times.Overhead | None
    same: float | None
    steady: float | None
    targets: tuple[Target, ...]


def score(
    size: str,
    repeats: Sequence[Sequence[Trained]],
    lost: Sequence[Lost] = (),
    mended: Sequence[Trained] = (),
    *,
    again: Sequence[Trained] | None = None,
    timed: Sequence[Trained] | None = None,
) -> Score:
    """Return the score: verdicts and labels are those of the first repetition, outcomes are listed over all of them.

    Args:
        size: Name of the size.
        repeats: The results of every repetition.
        lost: Models without a verdict. Defaults to none.
        mended: Results of the fixed programs. Defaults to none.
        again: Results of a second run of the first repetition. Defaults to `None`, nothing to compare with.
        timed: Results that tell what watching costs. Defaults to `None`, those of the first repetition.
    """
    first = repeats[0]
    models, own, reached = (
        [one for one in first if one.row.source == "autotrainer"],
        outcomes([first]),
        outcomes(repeats),
    )
    gone = {one.id for one in lost if one.repeat == 0}
    compared = tuple(agreements.compare(first, own, [row for row in read_manifest() if row.id in gone]))
    told, costs = _programs(first, mended), times.overhead(first if timed is None else timed)
    same = None if again is None else same_verdicts([first, again])
    return Score(
        size=size,
        models=tuple(one.row.id for one in first),
        repeats=len(repeats),
        lost=tuple(lost),
        failed={one.row.id: failed for one in first if (failed := one.verdicts["default"].failed)},
        compared=compared,
        outcomes=reached,
        errors={
            PUBLISHED: errors(models, OURS, lambda row: row.is_buggy),
            OUTCOME: errors(models, OURS, lambda row: own[row.id].is_faulty),
        },
        disagree=tuple(one.row.id for one in models if one.row.is_buggy != reached[one.row.id].is_faulty),
        programs=told,
        symptoms={name: tuple(ablation.published_symptoms(first, preset)) for name, preset in PRESETS.items()},
        detectors=tuple(ablation.every_detector(first, "default")),
        detections=tuple(times.detections(first)),
        overhead=costs,
        same=same,
        steady=same_verdicts(repeats) if len(repeats) > 1 else None,
        targets=tuple(targets(compared, told.judged, costs, same)),
    )


def _programs(trained: Sequence[Trained], mended: Sequence[Trained]) -> Programs:
    known = [one for one in trained if one.row.kind == "program"]

    def judged(said: Callable[[Trained], Said]) -> tuple[Judged, ...]:
        return tuple(judge(one.row, programs()[one.row.id], said(one)) for one in known)

    return Programs(
        judged(lambda one: one.verdicts["default"]),
        judged(lambda one: one.verdicts["deepdiagnosis"]),
        judged(lambda one: blind(one.row)),
        tuple(one.row.id for one in mended),
        tuple(one.row.id for one in mended if one.verdicts["default"].has(WARNED)),
        tuple(one.row.id for one in mended if one.verdicts["default"].has(ALARMS)),
    )


def same_verdicts(repeats: Iterable[Iterable[Trained]]) -> float:
    """Return the share of models of which all repetitions say the same: findings, severities and first diagnosis.

    Args:
        repeats: The results of each; models that one of them lacks do not count.
    """
    said: dict[str, list[Said]] = {}
    count = 0
    for trained in repeats:
        count += 1
        for one in trained:
            said.setdefault(one.row.id, []).append(one.verdicts["default"])
    known = [verdicts for verdicts in said.values() if len(verdicts) == count]
    return sum(len(set(map(_verdict, verdicts))) == 1 for verdicts in known) / len(known) if known else float("nan")


def _verdict(said: Said) -> tuple[frozenset[tuple[str, str, str | None]], tuple[str, ...]]:
    found = frozenset((one.code, one.severity, one.layer) for one in said.findings)
    return found, tuple(one.fault for one in said.diagnoses[:1])
