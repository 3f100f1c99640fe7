"""What came of the zoo, as score and thresholds read it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from pydantic import TypeAdapter

from benchmarks.models444.scoring.results import Said
from benchmarks.zoo.job import Request, is_done, read
from benchmarks.zoo.zoo import Entry
from deepdebug.retraining.statistics import LARGE, superiority

LEVEL = 0.05
LEAST_LOSS = 0.05  # of the original's median score; five trainings tell smaller differences that nobody would mind


@dataclass(frozen=True, slots=True)
class Run:
    """What came of one training.

    Args:
        seed: Its seed.
        score: Score on the rows held back; minus infinity where predictions were not finite.
        verdicts: What was said, by preset.
    """

    seed: int
    score: float
    verdicts: Mapping[str, Said]


@dataclass(frozen=True, slots=True)
class Model:
    """A model of the zoo.

    Args:
        entry: Which one.
        runs: Its trainings.
        is_faulty: Whether it is a mutant that is worse than its original.
    """

    entry: Entry
    runs: tuple[Run, ...]
    is_faulty: bool


@dataclass(frozen=True, slots=True)
class Read:
    """All that is there of a half.

    Args:
        models: Healthy models, and mutants that are worse than these.
        alike: Mutants that are no worse, which is no fault, by name.
        refused: Mutants that Keras itself refuses to train, which needs no detection, by name, with the error.
        missing: Models that lack a training, by name.
    """

    models: tuple[Model, ...]
    alike: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


_VERDICTS = TypeAdapter(dict[str, Said])


def read_models(entries: Sequence[Entry], count: int, request: Request) -> Read:
    """Return what is there of some models.

    Args:
        entries: Which ones; a mutant comes with its original.
        count: Trainings of each.
        request: Where their results lie.
    """
    lines = {one.name: _lines(one, count, request) for one in entries}
    models, alike, refused, missing = [], [], {}, []
    for one in entries:
        known = [lines[name] for name in (one.family, one.name)]
        errors = [str(line["error"]) for line in known[1] if line["error"]]
        if errors:
            refused[one.name] = errors[0]
        elif any(len(found) < count for found in known):
            missing.append(one.name)
        else:
            original, own = (tuple(map(_run, found)) for found in known)
            is_faulty = bool(one.operator) and is_worse([run.score for run in original], [run.score for run in own])
            if one.operator and not is_faulty:
                alike.append(one.name)
            else:
                models.append(Model(one, own, is_faulty))
    return Read(tuple(models), tuple(alike), refused, tuple(missing))


def is_worse(original: Sequence[float], mutant: Sequence[float]) -> bool:
    """Return whether a mutant is worse than its original: not by chance, and by so much that somebody would mind.

    DeepCrime (Humbatova et al., ISSTA 2021) asks for p < 0.05 and an effect that is not negligible. Here that is the
    exact one-sided permutation test of the rank sum; A12 from 0.71 on (Vargha and Delaney, 2000); and, which DeepCrime
    does not ask for, a median score lower by 5 % of the original's.

    Args:
        original: Scores of the original.
        mutant: Those of the mutant.

    >>> is_worse([0.9, 0.91, 0.92, 0.93, 0.94], [0.1, 0.2, 0.3, 0.2, 0.1])
    True
    >>> is_worse([0.9, 0.91], [0.1, 0.2])  # too few to tell
    False
    """
    usual = float(np.median(original))
    if np.median(mutant) > usual - LEAST_LOSS * abs(usual):
        return False
    return superiority(original, mutant) >= LARGE and _chance(original, mutant) < LEVEL


def _chance(original: Sequence[float], mutant: Sequence[float]) -> float:
    """Return the share of ways to divide all scores that favour the original at least as much."""
    scores = np.array([*original, *mutant])
    seen = superiority(original, mutant)
    ways = [np.isin(np.arange(len(scores)), chosen) for chosen in combinations(range(len(scores)), len(original))]
    return float(np.mean([superiority(scores[way], scores[~way]) >= seen for way in ways]))


def _lines(entry: Entry, count: int, request: Request) -> list[Mapping[str, object]]:
    return [read(entry.name, seed, request) for seed in entry.seeds(count) if is_done(entry.name, seed, request)]


def _run(line: Mapping[str, object]) -> Run:
    score = line["score"]
    return Run(
        int(str(line["seed"])),
        -math.inf if score is None else float(str(score)),
        _VERDICTS.validate_python(line["verdicts"]),
    )
