"""Trains a model, finds its failures and their causes, groups them in every way, and scores the groups."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from benchmarks.hudd.arms import ARMS, DEFAULT, FINE, FUSED, PUBLISHED, Arm, Grouped, grouped, possible, unavailable
from benchmarks.hudd.failures import Failures, find_failures
from benchmarks.hudd.families import task
from benchmarks.hudd.jobs import Request
from benchmarks.hudd.scores import FEWEST, agreement, scores
from benchmarks.hudd.sizes import SIZES
from benchmarks.hudd.task import Task
from benchmarks.hudd.vectors import Vectors
from deepdebug.hudd.parameters import variance_reduction
from deepdebug.simulate.training import predictor

REDUCED = (PUBLISHED, DEFAULT, FINE, FUSED, "pairs", "random")  # arms whose parameters are looked at


def run(family: str, seed: int, request: Request) -> dict[str, Any]:
    """Return everything about one family with one seed, as it is written.

    Args:
        family: Name of the family.
        seed: Of everything random.
        request: What is asked.
    """
    size, times = SIZES[request.size], [time.perf_counter()]
    made = task(family, seed, size, request.data)
    times.append(time.perf_counter())
    model = made.train()
    times.append(time.perf_counter())
    failures = find_failures(made, predictor(model), size.most_failures, seed)
    times.append(time.perf_counter())
    results = list(_results(made, failures, Vectors(model, failures), seed, request))
    times.append(time.perf_counter())
    planted = failures.causes[:, : made.planted]
    seconds = [later - earlier for earlier, later in itertools.pairwise(times)]
    return {
        "family": family,
        "seed": seed,
        "size": request.size,
        "arms": possible(request.arms),
        "left_out": unavailable(),
        "accuracy": failures.accuracy,
        "failing": failures.number,
        "clustered": len(failures.rows),
        "causes": made.causes,
        "planted": made.planted,
        "shortcut": made.shortcut,
        "failing_by": dict(zip(made.causes, failures.causes.sum(axis=0).tolist(), strict=True)),
        "single": int((planted.sum(axis=1) == 1).sum()),
        "seconds": dict(zip(("pictures", "training", "truth", "arms"), seconds, strict=True)),
        "results": results,
        "rows": failures.rows.tolist(),
        "truth": [flags.nonzero()[0].tolist() for flags in failures.causes],
    }


def _results(made: Task, failures: Failures, vectors: Vectors, seed: int, request: Request) -> Iterator[dict[str, Any]]:
    if not len(failures.rows):
        return
    other = "values" if made.is_classification else "classes"
    for arm in (ARMS[name] for name in possible(request.arms)):
        if other not in arm.needs:
            yield from _judged(made, failures, arm, vectors, seed)


def _judged(made: Task, failures: Failures, arm: Arm, vectors: Vectors, seed: int) -> Iterator[dict[str, Any]]:
    start = time.perf_counter()
    planted = failures.causes[:, : made.planted]
    frequent = max(1, int((planted.sum(axis=0) >= FEWEST).sum()))
    for found in grouped(arm, vectors, seed, frequent):
        seconds = time.perf_counter() - start
        yield {
            "arm": found.name,
            "view": found.view,
            **asdict(scores(found.labels, planted, made.causes[: made.planted], found.nearest)),
            "ami_natural": agreement(found.labels, failures.causes),
            "reduction": _reduction(made, failures, found, seed),
            "seconds": seconds,
            "labels": found.labels.tolist(),
        }
        start = time.perf_counter()


def _reduction(made: Task, failures: Failures, found: Grouped, seed: int) -> dict[str, float] | None:
    if not failures.columns or found.name not in REDUCED:
        return None
    return asdict(variance_reduction(found.labels, failures.columns, angles=made.angles, seed=seed))
