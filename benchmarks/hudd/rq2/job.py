"""One job: a family with one run of all arms, in a process of its own, kept as one line of JSON."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepdebug.files import write_text

FAMILIES = ("GD", "OC", "HPD", "OD", "FLD")
REAL = ("Fashion", "CIFAR", "MNIST")
SEED = 0
CEILING = "all"  # every picture of the improvement set is labelled: what could be reached at all
ARMS = ("HUDD", "BL1", "BL2", "entropy")


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of every job.

    Args:
        size: Name of the size.
        factor: The selection factor.
        arms: Names of the arms.
        out: Folder of the results.
        data: Folder of the data sets.
        ceiling: Runs in which all labels are bought as well.
    """

    size: str
    factor: float
    arms: tuple[str, ...]
    out: Path
    data: Path
    ceiling: int = 0

    def path(self, family: str, run: int) -> Path:
        """Return where the result of a job is kept."""
        return self.out / f"{family}-{self.size}-{self.factor:g}-{run:02d}.json"

    def prepared(self, family: str) -> Path:
        """Return the folder of the model and of what it sees."""
        return self.out / f"{family}-{self.size}"


def prepare(family: str, _run: int, request: Request) -> None:
    """Train the model of a family, group its failures, and look at the improvement set; loads Keras."""
    from benchmarks.hudd.rq2.material import family as made
    from benchmarks.hudd.rq2.seen import see
    from benchmarks.hudd.sizes import SIZES
    from deepdebug.model.saved import save_model
    from deepdebug.retraining.shards import write_arrays

    folder = request.prepared(family)
    if (folder / "seen.npz").is_file():
        return
    known = made(family, SEED, SIZES[request.size], request.data)
    model = known.train()
    save_model(folder / "model.keras", model)
    with tempfile.TemporaryDirectory() as temporary:
        write_arrays(folder / "seen.npz", see(known, model, Path(temporary)))


def judge(family: str, run: int, request: Request) -> None:
    """Do one run of all arms; loads Keras."""
    line = json.dumps({"family": family, "run": run, "results": list(_results(family, run, request))}, allow_nan=False)
    write_text(request.path(family, run), line + "\n", "result")


def kept(family: str, run: int, request: Request) -> dict[str, Any] | None:
    """Return the result of a job that is done already, or `None`.

    Args:
        family: Name of the family.
        run: Number of the run.
        request: What is asked; a result without one of the arms does not count.
    """
    try:
        line: dict[str, Any] = json.loads(request.path(family, run).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return line if set(_arms(family, run, request)) <= {one["arm"] for one in line["results"]} else None


def to_do(families: Sequence[str], runs: Sequence[int], request: Request) -> list[tuple[str, int]]:
    """Return the jobs that are not done yet, run by run."""
    return [(family, run) for run in runs for family in families if kept(family, run, request) is None]


def _arms(family: str, run: int, request: Request) -> tuple[str, ...]:
    known = tuple(arm for arm in request.arms if not (family == "FLD" and arm == "entropy"))
    return (*known, CEILING) if run <= request.ceiling else known


def _results(family: str, run: int, request: Request) -> Iterator[Mapping[str, Any]]:
    from benchmarks.hudd.rq2.material import family as made
    from benchmarks.hudd.rq2.seen import Arms
    from benchmarks.hudd.sizes import SIZES
    from deepdebug.model.saved import load_model
    from deepdebug.retraining.shards import read_arrays

    folder = request.prepared(family)
    known, seen = made(family, SEED, SIZES[request.size], request.data), read_arrays(folder / "seen.npz")
    arms = Arms(known, seen, lambda: load_model(folder / "model.keras", compiled=True), request.factor)
    for arm in _arms(family, run, request):
        yield {name: _plain(value) for name, value in arms.run(arm, run, SEED).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, np.generic):
        return value.item()
    return value
