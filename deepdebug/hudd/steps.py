"""The steps of HUDD on a case on disk: each reads what the one before has written, and is done once.

OUT/testResult.csv, trainResult.csv    what the model says about every image
OUT/Heatmaps/                          why it says so where it fails
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from deepdebug.case.dataset import DataSet
from deepdebug.case.folder import TEST, TRAINING, Case, read_case
from deepdebug.case.preprocessing import Preprocessing, merged
from deepdebug.case.sources import completed
from deepdebug.errors import UsageError
from deepdebug.files import write_file
from deepdebug.hudd.explaining import (
    Advance,
    Answered,
    HeatmapSettings,
    Reader,
    Subject,
    ask,
    explain_failures,
    file_hash,
    hashes_of,
)
from deepdebug.hudd.heatmap_layers import heatmap_layers
from deepdebug.hudd.heatmaps import Heatmaps
from deepdebug.hudd.tested import WRONG_LABEL, FailureRule, read_tested, write_tested
from deepdebug.model.saved import image_input, load_model
from deepdebug.strict_json import strict_json

RESULTS = {TEST: "testResult.csv", TRAINING: "trainResult.csv"}
HEATMAPS = "Heatmaps"
Stage = Callable[[str, int], Advance]  # name and number of images of a stage -> how to tell of progress


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be done.

    Args:
        case: Folder of the case.
        out: Folder for the results.
        model: Name of a model of the case. Defaults to `None`: the only one.
        failures: When an answer is a failure. Defaults to a wrong label.
        layers: Names of the layers whose relevance is clustered. Defaults to none: the convolutions.
        composite: Rules of relevance. Defaults to `"z-plus"`.
        dtype: Of the heatmaps. Defaults to `"float32"`.
        preprocessing: What was said about it beside `case.toml`. Defaults to nothing.
        batch_size: Images that go through the model together. Defaults to `64`.
    """

    case: Path
    out: Path
    model: str | None = None
    failures: FailureRule = WRONG_LABEL
    layers: tuple[str, ...] = ()
    composite: str = "z-plus"
    dtype: str = "float32"
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    batch_size: int = 64


@dataclass(frozen=True, slots=True)
class Opened:
    """A case with one of its models.

    Args:
        case: The case.
        subject: The model.
    """

    case: Case
    subject: Subject


def silent(_name: str, _images: int) -> Advance:
    """Show no progress."""
    return lambda _: None


def open_case(request: Request) -> Opened:
    """Read the case and load the model.

    Args:
        request: What is to be done.

    Raises:
        UsageError: When the case or the model cannot be used.
    """
    case = read_case(request.case)
    path = case.model_path(request.model)
    model = load_model(path)
    given = image_input(model)
    sources = case.dataset(TEST).sources
    said = merged(case.preprocessing, request.preprocessing)
    preprocessing = completed(said, sources, given.shape, given.rescaled_by is not None)
    channels = None if len(given.shape) == 2 else given.shape[2]
    batch_size = request.batch_size if given.rows is None else given.rows
    return Opened(case, Subject(model, file_hash(path), Reader(preprocessing, channels, batch_size)))


def answer_step(request: Request, opened: Opened, stage: Stage = silent) -> dict[str, Answered]:
    """Ask the model about the test set and, where there is one, the training set.

    Args:
        request: What is to be done.
        opened: The case.
        stage: Is told which set is begun. Defaults to `silent`.

    Returns:
        The answers by set; those that an earlier run with the same inputs has written are read back.
    """
    parts = [part for part in RESULTS if opened.case.has(part)]
    return {part: _answers(request, opened, part, stage) for part in parts}


def heatmap_step(request: Request, opened: Opened, answered: Answered, stage: Stage = silent) -> Heatmaps:
    """Explain the failures in the test set.

    Args:
        request: What is to be done.
        opened: The case.
        answered: The answers for the test set.
        stage: Is told of the beginning. Defaults to `silent`.
    """
    layers = heatmap_layers(opened.subject.model, request.layers)
    settings = HeatmapSettings(layers, request.composite, "predicted", request.dtype)
    advance = stage("Heatmaps", int(answered.tested.failed.sum()))
    return explain_failures(opened.subject, answered, settings, request.out / HEATMAPS, advance=advance)


def _answers(request: Request, opened: Opened, part: str, stage: Stage) -> Answered:
    dataset = opened.case.dataset(part)
    path = request.out / RESULTS[part]
    mark = path.with_suffix(".json")
    fingerprint = _fingerprint(request, opened.subject, dataset)
    known = _read_mark(mark)
    if known.get("fingerprint") == fingerprint and path.is_file():
        tested = read_tested(path)
        places = {name: place for place, name in enumerate(dataset.names)}
        sources = tuple(dataset.sources[places[name]] for name in tested.images)
        return Answered(tested, sources, tuple((one[0], one[1]) for one in known["left_out"]))
    answered = ask(opened.subject, dataset, request.failures, advance=stage(part, len(dataset)))
    write_tested(path, answered.tested)
    content = strict_json({"fingerprint": fingerprint, "left_out": answered.left_out}, indent=1) + b"\n"
    write_file(mark, lambda to: to.write_bytes(content), "mark")
    return answered


def _fingerprint(request: Request, subject: Subject, dataset: DataSet) -> str:
    facts: dict[str, Any] = {
        "model": subject.hash,
        "reader": asdict(subject.reader),
        "failures": asdict(request.failures),
        "images": list(zip(dataset.names, hashes_of(dataset.sources), strict=True)),
        "expected": hashlib.sha256(dataset.expected.tobytes()).hexdigest(),
        "classes": dataset.classes,
    }
    return hashlib.sha256(strict_json(facts)).hexdigest()


def _read_mark(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UsageError(f"The file {str(path)!r} cannot be read: {error}. Remove it.") from error
    return found if isinstance(found, dict) else {}
