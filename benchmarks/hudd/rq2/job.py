"""One job: a family with one run of all arms, in a process of its own, kept as one line of JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from deepdebug.files import write_text
from deepdebug.retraining import defaults
from deepdebug.retraining.records import versions

FAMILIES = ("GD", "OC", "HPD", "OD", "FLD")
REAL = ("Fashion", "CIFAR", "MNIST")
PLANS = 0  # seed of what is drawn for each arm
CEILING = "all"  # every picture of the improvement set is labelled: what could be reached at all
PROGRAM = ("benchmarks/hudd", "deepdebug/hudd", "deepdebug/lrp", "deepdebug/retraining", "deepdebug/simulate")
OURS = "HUDD"
NEAREST = "ClosestU"  # HUDD with the images that are nearest to any failure of a cluster, as it was published
MATCHED = "Matched"  # HUDD with the images that failures claim one by one; only compared where a default is chosen
ARMS = (OURS, NEAREST, "BL1", "BL2", "entropy")
KNOWN = (OURS, NEAREST, MATCHED, *ARMS[2:])
MODES = {OURS: defaults.SELECT, NEAREST: NEAREST, MATCHED: MATCHED}  # how arms that go by clusters select images


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
        seed: Of pictures and models.
    """

    size: str
    factor: float
    arms: tuple[str, ...]
    out: Path
    data: Path
    ceiling: int = 0
    seed: int = 0

    def path(self, family: str, run: int) -> Path:
        """Return where the result of a job is kept."""
        return self.out / f"{self._named(family)}-{self.factor:g}-{run:02d}.json"

    def model(self, family: str) -> Path:
        """Return where the model of a family is kept."""
        return self.out / f"{self._named(family)}.keras"

    def _named(self, family: str) -> str:
        return f"{family}-{self.size}" + (f"-seed{self.seed}" if self.seed else "")


def prepare(family: str, _run: int, request: Request) -> None:
    """Train the model of a family; loads Keras."""
    from benchmarks.hudd.rq2.material import family as made
    from benchmarks.hudd.sizes import SIZES
    from deepdebug.model.saved import save_model

    if not request.model(family).is_file():
        save_model(request.model(family), made(family, request.seed, SIZES[request.size], request.data).train())


def judge(family: str, run: int, request: Request) -> None:
    """Do one run of the arms that are not done yet, and keep each as soon as it is done; loads Keras."""
    from benchmarks.hudd.rq2.material import family as made
    from benchmarks.hudd.rq2.seen import Arms
    from benchmarks.hudd.sizes import SIZES
    from deepdebug.model.saved import load_model

    known, model = made(family, request.seed, SIZES[request.size], request.data), request.model(family)
    arms = Arms(known, run, lambda: load_model(model, compiled=True), request.factor)
    # A model that was trained anew, as another processor does it, begins with other weights: nothing of it is done.
    results = {one["arm"]: one for one in _earlier(request.path(family, run)) if one["start"] == arms.start}
    for one in arms.results(_arms(family, run, request), PLANS, set(results)):
        results[one["arm"]] = {"program": program(), "select": MODES.get(one["arm"]), **_plain(one)}
        line = {"family": family, "run": run, "versions": dict(versions()), "results": list(results.values())}
        write_text(request.path(family, run), json.dumps(line, allow_nan=False) + "\n", "result")


def kept(family: str, run: int, request: Request) -> dict[str, Any] | None:
    """Return the result of a job that is done already, or `None`.

    Args:
        family: Name of the family.
        run: Number of the run.
        request: What is asked; a result without one of the arms does not count, see `_earlier`.
    """
    results = _earlier(request.path(family, run))
    if not set(_arms(family, run, request)) <= {one["arm"] for one in results}:
        return None
    return {"family": family, "run": run, "results": results}


def _earlier(path: Path) -> list[dict[str, Any]]:
    """Return the results that are there, arm by arm.

    One that was made with other versions of packages does not count, nor that of an arm that selected images otherwise
    by then.
    """
    try:
        line = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    if line["versions"] != dict(versions()):
        return []
    return [one for one in line["results"] if "program" in one and one.get("select") == MODES.get(one["arm"])]


def to_do(families: Sequence[str], runs: Sequence[int], request: Request) -> list[tuple[str, int]]:
    """Return the jobs that are not done yet, run by run."""
    return [(family, run) for run in runs for family in families if kept(family, run, request) is None]


@cache
def program() -> str:
    """Return a hash of the program that results depend on, so that results of several programs can be told apart."""
    found, root = hashlib.sha256(), Path(__file__).resolve().parents[3]
    for part in PROGRAM:
        for file in sorted((root / part).rglob("*.py")):
            found.update(file.read_bytes())
    return found.hexdigest()[:12]


def _arms(family: str, run: int, request: Request) -> tuple[str, ...]:
    known = tuple(arm for arm in request.arms if not (family == "FLD" and arm == "entropy"))
    return (*known, CEILING) if run <= request.ceiling else known


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, np.generic):
        return value.item()
    return value
