"""One job: a family with one seed, done in a process of its own and kept as one line of JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.hudd.arms import possible
from deepdebug.files import write_text

FAMILIES = ("GD", "OC", "HPD", "OD", "FLD", "MNIST", "Fashion", "CIFAR")
TUNING = "GD"  # the only family on which anything may be chosen
DOWNLOADED = ("MNIST", "Fashion", "CIFAR")


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of every job.

    Args:
        size: Name of the size.
        arms: Names of the arms.
        data: Folder of the data sets.
        out: Folder of the results.
    """

    size: str
    arms: tuple[str, ...]
    data: Path
    out: Path

    def path(self, family: str, seed: int) -> Path:
        """Return where the result of a job is kept."""
        return self.out / f"{family.replace(', ', '-').replace(' ', '-')}-{seed}.json"


def judge(family: str, seed: int, request: Request) -> None:
    """Do a job; loads Keras."""
    from benchmarks.hudd.one_run import run

    line = json.dumps(run(family, seed, request), allow_nan=False)
    write_text(request.path(family, seed), line + "\n", "result")


def kept(family: str, seed: int, request: Request) -> dict[str, Any] | None:
    """Return the result of a job that is done already, or `None`.

    Args:
        family: Name of the family.
        seed: Its seed.
        request: What is asked; a result of another size does not count, nor one without an arm that can be had now.
    """
    try:
        line: dict[str, Any] = json.loads(request.path(family, seed).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    same = line.get("size") == request.size and set(possible(request.arms)) <= set(line.get("arms", ()))
    return line if same else None


def to_do(families: Sequence[str], seeds: Sequence[int], request: Request) -> list[tuple[str, int]]:
    """Return the jobs that are not done yet, seed by seed."""
    return [(family, seed) for seed in seeds for family in families if kept(family, seed, request) is None]
