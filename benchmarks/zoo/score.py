"""How many mutants are found and understood, and how many healthy trainings are left alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.models444.measures import Estimate
from benchmarks.models444.scoring.results import ALARMS, WARNED, Said, Severity
from benchmarks.zoo.results import Model, Run

LIKELY = 3
RESAMPLES, SEED = 2_000, 0
NOTHING = "no diagnosis"
TARGETS = {"recall": 0.90, "healthy runs clean": 0.95, "root cause, first": 0.75, "root cause, first three": 0.90}


@dataclass(frozen=True, slots=True)
class Score:
    """The score of one preset.

    Args:
        healthy: Names of healthy models.
        faulty: Names of mutants that are worse than their originals.
        measures: By name, with 95 % intervals by resampling families, of which a mutant and its original are one.
        warnings: Findings of severity "warn" per healthy run.
        missed: Runs of mutants without an alarm, as name and seed.
        alarmed: Healthy runs with one, with the codes.
        confused: How often each first action was given for mutants of each operator.
    """

    healthy: tuple[str, ...]
    faulty: tuple[str, ...]
    measures: Mapping[str, Estimate]
    warnings: float
    missed: tuple[str, ...]
    alarmed: tuple[str, ...]
    confused: Mapping[str, Mapping[str, int]]


def score(models: Sequence[Model], actions: Mapping[str, Sequence[str]], preset: str = "default") -> Score:
    """Return the score.

    Args:
        models: The models.
        actions: The actions that mend the fault of each operator.
        preset: Name of the preset. Defaults to ours.
    """
    healthy, faulty = ([one for one in models if one.is_faulty is wanted] for wanted in (False, True))

    def has(severities: Sequence[Severity]) -> Callable[[Model, Run], bool]:
        return lambda _model, run: run.verdicts[preset].has(severities)

    def understood(count: int) -> Callable[[Model, Run], bool]:
        return lambda model, run: bool(set(_actions(run.verdicts[preset])[:count]) & set(actions[model.entry.operator]))

    def never(severities: Sequence[Severity]) -> Callable[[Model, Run], bool]:
        return lambda _model, run: not run.verdicts[preset].has(severities)

    measures = {
        "recall": _share(faulty, has(ALARMS)),
        "recall, warnings too": _share(faulty, has(WARNED)),
        "healthy runs clean": _share(healthy, never(ALARMS)),
        "healthy runs without a warning": _share(healthy, never(WARNED)),
        "root cause, first": _share(faulty, understood(1)),
        "root cause, first three": _share(faulty, understood(LIKELY)),
    }
    said = [run.verdicts[preset] for one in healthy for run in one.runs]
    warnings = [sum(found.severity == "warn" for found in one.findings) for one in said]
    confused: dict[str, Counter[str]] = {}
    for one in faulty:
        for run in one.runs:
            first = next(iter(_actions(run.verdicts[preset])), NOTHING)
            confused.setdefault(one.entry.operator, Counter())[first] += 1
    return Score(
        tuple(one.entry.name for one in healthy),
        tuple(one.entry.name for one in faulty),
        measures,
        float(np.mean(warnings)) if warnings else float("nan"),
        tuple(_named(faulty, preset, lambda said: not said.has(ALARMS))),
        tuple(_named(healthy, preset, lambda said: said.has(ALARMS))),
        confused,
    )


def _actions(said: Said) -> list[str]:
    """Return the actions of the diagnoses that a warning or an alarm speaks for, the likeliest first."""
    codes = {one.code for one in said.findings if one.severity in WARNED}
    return [one.action for one in said.diagnoses if codes & set(one.codes)]


def _named(models: Sequence[Model], preset: str, chosen: Callable[[Said], bool]) -> Iterator[str]:
    for one in models:
        for run in one.runs:
            said = run.verdicts[preset]
            if chosen(said):
                codes = sorted({found.code for found in said.findings if found.severity in WARNED})
                yield f"{one.entry.name} {run.seed}: {' '.join(codes) or 'nothing'}"


def _share(models: Sequence[Model], holds: Callable[[Model, Run], bool]) -> Estimate:
    """Return the share of runs for which something holds."""
    families: dict[str, list[bool]] = {}
    for one in models:
        families.setdefault(one.entry.family, []).extend(holds(one, run) for run in one.runs)
    if not families:
        return Estimate(float("nan"), float("nan"), float("nan"))
    yes, count = np.array([(sum(known), len(known)) for known in families.values()]).T
    drawn = np.random.default_rng(SEED).integers(0, len(yes), (RESAMPLES, len(yes)))
    shares = yes[drawn].sum(axis=1) / count[drawn].sum(axis=1)
    low, high = np.quantile(shares, (0.025, 0.975))
    return Estimate(float(yes.sum() / count.sum()), float(low), float(high))
