"""How many mutants are found and understood, and how many healthy trainings are left alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from benchmarks.models444.measures import RESAMPLES, SEED, Estimate
from benchmarks.models444.scoring.programs import LIKELY, NOTHING, named
from benchmarks.models444.scoring.results import ALARMS, WARNED, Said, Severity
from benchmarks.zoo.results import Model, Run

TARGETS = {"recall": 0.90, "healthy runs clean": 0.95, "root cause, first": 0.75, "root cause, first three": 0.90}
MOST_WARNINGS = 0.3  # per healthy training


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
        confused: How often each first cause was given for mutants of each operator.
    """

    healthy: tuple[str, ...]
    faulty: tuple[str, ...]
    measures: Mapping[str, Estimate]
    warnings: float
    missed: tuple[str, ...]
    alarmed: tuple[str, ...]
    confused: Mapping[str, Mapping[str, int]]


def score(models: Sequence[Model], causes: Mapping[str, Sequence[str]], preset: str = "default") -> Score:
    """Return the score.

    Args:
        models: The models.
        causes: The root causes that are the fault of each operator.
        preset: Name of the preset; one that names no causes has none right. Defaults to ours.
    """
    healthy, faulty = ([one for one in models if one.is_faulty is wanted] for wanted in (False, True))

    def has(severities: Sequence[Severity]) -> Callable[[Model, Run], bool]:
        return lambda _model, run: run.verdicts[preset].has(severities)

    def understood(count: int) -> Callable[[Model, Run], bool]:
        return lambda model, run: any(
            one.cause in causes[model.entry.operator] for one in run.verdicts[preset].told[:count]
        )

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
    return Score(
        healthy=tuple(one.entry.name for one in healthy),
        faulty=tuple(one.entry.name for one in faulty),
        measures=measures,
        warnings=float(np.mean(warnings)) if warnings else float("nan"),
        missed=tuple(_named(faulty, preset, lambda said: not said.has(ALARMS))),
        alarmed=tuple(_named(healthy, preset, lambda said: said.has(ALARMS))),
        confused=_confused(faulty, preset),
    )


def _confused(faulty: Sequence[Model], preset: str) -> Mapping[str, Mapping[str, int]]:
    found: dict[str, Counter[str]] = {}
    for one in faulty:
        for run in one.runs:
            told = run.verdicts[preset].told
            found.setdefault(one.entry.operator, Counter())[named(told[0]) if told else NOTHING] += 1
    return found


def _named(models: Sequence[Model], preset: str, chosen: Callable[[Said], bool]) -> Iterator[str]:
    for one in models:
        for run in one.runs:
            said = run.verdicts[preset]
            if chosen(said):
                codes = sorted({found.code for found in said.findings if found.severity in WARNED})
                yield f"{one.entry.name} {run.seed}: {' '.join(codes) or 'nothing'}"


def _share(models: Sequence[Model], holds: Callable[[Model, Run], bool]) -> Estimate:
    """Return the share of runs for which something holds; runs of a family and its mutants go together."""
    families: dict[str, list[bool]] = {}
    for one in models:
        families.setdefault(one.entry.family, []).extend(holds(one, run) for run in one.runs)
    if not families:
        return Estimate(float("nan"), float("nan"), float("nan"))
    yes, count = np.array([(sum(known), len(known)) for known in families.values()]).T
    value = float(yes.sum() / count.sum())
    if value in (0.0, 1.0):  # resampling would give an interval without a width
        exact = stats.binomtest(round(value * len(families)), len(families)).proportion_ci(0.95, "wilson")
        return Estimate(value, exact.low, exact.high)
    drawn = np.random.default_rng(SEED).integers(0, len(yes), (RESAMPLES, len(yes)))
    shares = yes[drawn].sum(axis=1) / count[drawn].sum(axis=1)
    low, high = np.quantile(shares, (0.025, 0.975))
    return Estimate(value, float(low), float(high))
