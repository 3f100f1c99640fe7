"""All that the results say, in one record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.models444.manifest import programs
from benchmarks.models444.scoring import ablation, agreements, times
from benchmarks.models444.scoring.agreements import OUTCOME, PUBLISHED, Compared, Errors, errors
from benchmarks.models444.scoring.outcomes import Outcome, outcomes
from benchmarks.models444.scoring.programs import Judged, judge
from benchmarks.models444.scoring.results import ALARMS, WARNED, Lost, Trained
from benchmarks.models444.scoring.targets import Target, targets
from benchmarks.models444.scoring.tools import DEFAULT

NO_ROW = "SO50079585"  # Table 6 has no verdict of any tool for it


@dataclass(frozen=True, slots=True)
class Score:
    """The score.

    Args:
        size: Name of the size.
        models: Ids of the models and programs that have a verdict.
        repeats: Number of repetitions.
        lost: Models that ended without a verdict.
        compared: Tools against labels, over the models of AUTOTRAINER.
        outcomes: What these reached, by id.
        errors: Where deepdebug differs from each label, by id.
        disagree: Models whose published label and outcome differ, by id.
        programs: The verdicts of the real-world programs.
        fixed: Fixed programs that were trained, and those that got a warning or an alarm, by id.
        ablation: What the detectors of the published symptoms add, by preset; and each of ours.
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
    compared: tuple[Compared, ...]
    outcomes: Mapping[str, Outcome]
    errors: Mapping[str, Errors]
    disagree: tuple[str, ...]
    programs: tuple[Judged, ...]
    fixed: Mapping[str, tuple[str, ...]]
    ablation: Mapping[str, tuple[ablation.Part, ...]]
    detections: tuple[times.Detection, ...]
    overhead: times.Overhead | None
    same: float | None
    steady: float | None
    targets: tuple[Target, ...]


def score(
    size: str,
    repeats: Sequence[Sequence[Trained]],
    lost: Sequence[Lost] = (),
    fixed: Sequence[Trained] = (),
    again: Sequence[Trained] | None = None,
) -> Score:
    """Return the score; the first repetition gives the verdicts, all of them the outcomes.

    Args:
        size: Name of the size.
        repeats: The results of every repetition.
        lost: Models without a verdict.
        fixed: Results of the fixed programs. Defaults to none.
        again: Results of a second run of the first repetition. Defaults to `None`, nothing to compare with.
    """
    first, reached = repeats[0], outcomes(repeats)
    models = [one for one in first if one.row.source == "autotrainer"]
    told = tuple(
        judge(one.row, programs()[one.row.id], one.verdicts["default"]) for one in first if one.row.kind == "program"
    )
    compared = tuple(agreements.compare(first, reached))
    costs = times.overhead(first)
    same = None if again is None else same_verdicts([first, again])
    return Score(
        size=size,
        models=tuple(one.row.id for one in first),
        repeats=len(repeats),
        lost=tuple(lost),
        compared=compared,
        outcomes=reached,
        errors={
            PUBLISHED: errors(models, DEFAULT, lambda row: row.is_buggy),
            OUTCOME: errors(models, DEFAULT, lambda row: reached[row.id].is_faulty),
        },
        disagree=tuple(one.row.id for one in models if one.row.is_buggy != reached[one.row.id].is_faulty),
        programs=told,
        fixed={
            "trained": tuple(one.row.id for one in fixed),
            "warned": tuple(one.row.id for one in fixed if one.verdicts["default"].has(WARNED)),
            "alarmed": tuple(one.row.id for one in fixed if one.verdicts["default"].has(ALARMS)),
        },
        ablation={
            "preset deepdiagnosis": tuple(ablation.published_symptoms(first, "deepdiagnosis")),
            "deepdebug": tuple(ablation.published_symptoms(first, "default")),
            "detectors of deepdebug": tuple(ablation.every_detector(first, "default")),
        },
        detections=tuple(times.detections(first)),
        overhead=costs,
        same=same,
        steady=same_verdicts(repeats) if len(repeats) > 1 else None,
        targets=tuple(targets(compared, [one for one in told if one.id != NO_ROW], costs, same)),
    )


def same_verdicts(repeats: Iterable[Iterable[Trained]]) -> float:
    """Return the share of models that are flagged in all repetitions or in none, of those that all of them have.

    Args:
        repeats: The results of each.
    """
    flagged: dict[str, list[bool]] = {}
    count = 0
    for trained in repeats:
        count += 1
        for one in trained:
            flagged.setdefault(one.row.id, []).append(one.verdicts["default"].has(ALARMS))
    known = [verdicts for verdicts in flagged.values() if len(verdicts) == count]
    return sum(len(set(verdicts)) == 1 for verdicts in known) / len(known) if known else float("nan")
