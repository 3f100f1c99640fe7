"""What came of the zoo, as score and thresholds read it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter

from benchmarks.models444.scoring.results import Said
from benchmarks.zoo.job import Request, is_done, read
from benchmarks.zoo.zoo import Entry
from deepdebug.retraining.statistics import LARGE, difference, superiority

LEVEL = 0.05


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


_VERDICTS = TypeAdapter(dict[str, Said])


def read_models(entries: Sequence[Entry], seeds: Iterable[int], request: Request) -> list[Model]:
    """Return the healthy models, and the mutants that are worse than these; others are no faults and are left out.

    Args:
        entries: Which ones; a mutant comes with its original.
        seeds: The seeds.
        request: Where their results lie; what is not there yet is left out.
    """
    runs = {one.name: _runs(one.name, seeds, request) for one in entries}
    models = []
    for one in entries:
        scores = ([run.score for run in runs[name]] for name in (one.family, one.name))
        is_faulty = bool(one.operator) and is_worse(*scores)
        if runs[one.name] and (is_faulty or not one.operator):
            models.append(Model(one, runs[one.name], is_faulty))
    return models


def is_worse(original: Sequence[float], mutant: Sequence[float]) -> bool:
    """Return whether a mutant is worse than its original, as DeepCrime has it: significantly, and by much.

    That is a two-sided Mann-Whitney p below 0.05 and an A12 of the original from 0.71 on (Vargha and Delaney, 2000).

    Args:
        original: Scores of the original.
        mutant: Those of the mutant.

    >>> is_worse([0.9, 0.91, 0.92, 0.93, 0.94], [0.1, 0.2, 0.3, 0.2, 0.1])
    True
    >>> is_worse([0.9, 0.91], [0.1, 0.2])
    False
    """
    if not original or not mutant:
        return False
    return superiority(original, mutant) >= LARGE and difference(original, mutant) < LEVEL


def _runs(name: str, seeds: Iterable[int], request: Request) -> tuple[Run, ...]:
    found = []
    for seed in seeds:
        if is_done(name, seed, request):
            line = read(name, seed, request)
            score = -math.inf if line["score"] is None else float(line["score"])
            found.append(Run(seed, score, _VERDICTS.validate_python(line["verdicts"])))
    return tuple(found)
