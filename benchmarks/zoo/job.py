"""What is asked of the zoo, and where the result of each training lies: one JSON line in a file of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.zoo.zoo import Entry, read_zoo
from deepdebug.files import write_text
from deepdebug.strict_json import strict_json


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of every training.

    Args:
        out: Folder of the results.
    """

    out: Path

    def result(self, name: str, seed: int) -> Path:
        """Return where the result of a training lies."""
        return self.out / "results" / f"{name}-{seed}.json"

    def recordings(self, name: str, seed: int) -> Path:
        """Return the folder with everything that was observed of it, compressed."""
        return self.out / "recordings" / f"{name}-{seed}"


def find(name: str) -> Entry:
    """Return the model of that name."""
    return next(one for one in read_zoo() if one.name == name)


def train(name: str, seed: int, request: Request) -> None:
    """Train a model and write its result.

    Args:
        name: Name of the model.
        seed: Of weights, data and fault.
        request: Where to.
    """
    import keras

    from benchmarks.scheduling import leave_graphs_alone
    from benchmarks.zoo.training import train as trained
    from deepdebug.retraining.records import versions

    if keras.backend.backend() == "tensorflow":
        leave_graphs_alone()
    found = trained(find(name), seed, request.recordings(name, seed))
    _write({"name": name, "seed": seed, "versions": dict(versions()), **found}, request)


def judge_again(name: str, seed: int, request: Request) -> None:
    """Judge the kept recordings of a training by the detectors as they are now, and write that into its result.

    Args:
        name: Name of the model.
        seed: Its seed.
        request: Where it lies.
    """
    from benchmarks.models444.judging import judged_again

    line = read(name, seed, request)
    if line["error"]:
        return
    _write({**line, **judged_again(request.recordings(name, seed))}, request)


def read(name: str, seed: int, request: Request) -> Mapping[str, Any]:
    """Return the result of a training.

    Raises:
        OSError: When there is none.
        ValueError: When there is half of one.
    """
    found: Mapping[str, Any] = json.loads(request.result(name, seed).read_text(encoding="utf-8"))
    return found


def is_done(name: str, seed: int, request: Request) -> bool:
    """Return whether there is a result."""
    try:
        read(name, seed, request)
    except (OSError, ValueError):
        return False
    return True


def _write(line: Mapping[str, Any], request: Request) -> None:
    path = request.result(str(line["name"]), int(line["seed"]))
    write_text(path, strict_json(line).decode() + "\n", "result")
