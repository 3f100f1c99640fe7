"""The steps of HUDD on a case on disk: each reads what the one before has written, and is done once.

OUT/testResult.csv, trainResult.csv    what the model says about every image
OUT/Heatmaps/                          why it says so where it fails
OUT/ClusterAnalysis/                   the failures in groups, by all layers together and by each alone
OUT/LayerNAME/                         the groups that were chosen; LayerAll where all layers count
OUT/report.html                        all of it on one page
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from deepdebug.case.dataset import DataSet
from deepdebug.case.folder import TEST, TRAINING, Case, read_case
from deepdebug.case.preprocessing import Preprocessing, merged
from deepdebug.case.sources import completed
from deepdebug.errors import UsageError
from deepdebug.files import write_file
from deepdebug.hudd.analysing import About, Failures, analyse
from deepdebug.hudd.analysis import FORMAT, Analysis, read_analysis, write_analysis
from deepdebug.hudd.cluster_folders import remove_folders, write_folders
from deepdebug.hudd.clusters import ClusterSettings
from deepdebug.hudd.explaining import Advance, Answered, HeatmapSettings, Labelled, Subject, ask, explain_failures
from deepdebug.hudd.exports import check_exports, export_distances
from deepdebug.hudd.heatmap_layers import heatmap_layers, original_layers
from deepdebug.hudd.heatmaps import Heatmaps
from deepdebug.hudd.images import FileImages, array_hash, file_hash
from deepdebug.hudd.tested import WRONG_LABEL, FailureRule, parse_rule, read_tested, write_tested
from deepdebug.hudd.viewing import failing, read_embedding, settings_rows, views_of
from deepdebug.model.saved import image_input, load_model
from deepdebug.strict_json import strict_json

RESULTS = {TEST: "testResult.csv", TRAINING: "trainResult.csv"}
HEATMAPS, CLUSTERS, REPORT = "Heatmaps", "ClusterAnalysis", "report.html"
ANALYSIS, MARK, DISTANCES = "analysis.json", ".done.json", "Distances"
Stage = Callable[[str, int], Advance]  # name and number of images of a stage -> how to tell of progress


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be done.

    Args:
        case: Folder of the case.
        out: Folder for the results.
        model: Name of a model of the case. Defaults to `None`: the only one.
        failures: When an answer is a failure. Defaults to `None`: what the case says, or a wrong label.
        layers: Names of the layers whose relevance is clustered. Defaults to none: the convolutions, or what HUDD as
            published looks at.
        composite: Rules of relevance. Defaults to `None`: "z-plus", or "hudd" in that mode.
        target: The explained output of a classifier: "predicted" or "largest". Defaults to `"predicted"`. Of a
            regression it is the value farthest from what is usual in the test set, counted in standard deviations.
        normalise: What is done to every heatmap before it is compared. Defaults to `"sqrt"`.
        dtype: Of the heatmaps. Defaults to `"float32"`.
        summed: Whether channels are summed up. Defaults to `False`.
        storage: "full", "sketch", or "auto", which keeps 256 random projections of each heatmap where whole ones would
            take more than 8 GiB. Defaults to `"auto"`.
        embedding: A `.npy` file with one row per image of the test set, in the order of their names, to be clustered by
            as well. Defaults to `None`.
        views: What the failures are grouped by; see `views_of`. Defaults to none: relevance, and with an embedding the
            activations and the embedding.
        preprocessing: What was said about it beside `case.toml`. Defaults to nothing.
        batch_size: Images that go through the model together. Defaults to `64`.
        clustering: How the failures are grouped. Defaults to the default pipeline.
        exports: Formats in which distances are kept: "npy", "parquet", "xlsx". Defaults to none.
    """

    case: Path
    out: Path
    model: str | None = None
    failures: FailureRule | None = None
    layers: tuple[str, ...] = ()
    composite: str | None = None
    target: Literal["predicted", "largest"] = "predicted"
    normalise: str = "sqrt"
    dtype: str = "float32"
    summed: bool = False
    storage: Literal["auto", "full", "sketch"] = "auto"
    embedding: Path | None = None
    views: tuple[str, ...] = ()
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    batch_size: int = 64
    clustering: ClusterSettings = field(default_factory=ClusterSettings)
    exports: tuple[str, ...] = ()

    @property
    def rules(self) -> str:
        """The composite: what was asked for, or that of the mode."""
        return self.composite or ("hudd" if self.clustering.mode == "hudd" else "z-plus")


@dataclass(frozen=True, slots=True)
class Opened:
    """A case with one of its models.

    Args:
        case: The case.
        subject: The model.
        sets: The sets of the case that are there, by name.
        rule: When an answer is a failure.
        images: The images of every set, by its name.
    """

    case: Case
    subject: Subject
    sets: Mapping[str, DataSet]
    rule: FailureRule
    images: Mapping[str, FileImages]


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
    sets = {part: case.dataset(part) for part in RESULTS if part == TEST or case.has(part)}
    model = load_model(path)
    given = image_input(model)
    said = merged(case.preprocessing, request.preprocessing)
    preprocessing = completed(said, sets[TEST].sources, given.shape, given.rescaled_by is not None)
    channels = None if len(given.shape) == 2 else given.shape[2]
    batch_size = request.batch_size if given.rows is None else given.rows
    images = {
        part: FileImages(one.names, one.sources, preprocessing, channels, batch_size) for part, one in sets.items()
    }
    rule = request.failures or (parse_rule(case.failures) if case.failures else WRONG_LABEL)
    return Opened(case, Subject(model, path.stem, file_hash(path)), sets, rule, images)


def answer_step(request: Request, opened: Opened, stage: Stage = silent) -> dict[str, Answered]:
    """Ask the model about the test set and, where there is one, the training set.

    Args:
        request: What is to be done.
        opened: The case.
        stage: Is told which set is begun. Defaults to `silent`.

    Returns:
        The answers by set; those that an earlier run with the same inputs has written are read back.
    """
    return {part: _answers(request, opened, part, stage) for part in opened.sets}


def heatmap_step(request: Request, opened: Opened, answered: Answered, stage: Stage = silent) -> Heatmaps:
    """Explain the failures in the test set.

    Args:
        request: What is to be done.
        opened: The case.
        answered: The answers for the test set.
        stage: Is told of the beginning. Defaults to `silent`.
    """
    settings = heatmap_settings(request, opened)
    advance = stage("Heatmaps", int(answered.tested.failed.sum()))
    folder = request.out / HEATMAPS
    return explain_failures(opened.subject, opened.images[TEST], answered, settings, folder, advance=advance)


def heatmap_settings(request: Request, opened: Opened) -> HeatmapSettings:
    """Return which heatmaps are wanted; of a regression the value that is farthest from what is usual is explained.

    Args:
        request: What is to be done.
        opened: The case.
    """
    model, dataset = opened.subject.model, opened.sets[TEST]
    as_published = request.clustering.mode == "hudd" and not request.layers
    layers = original_layers(model) if as_published else heatmap_layers(model, request.layers)
    settings = HeatmapSettings(
        layers,
        request.rules,
        request.target,
        dtype=request.dtype,
        summed=request.summed,
        storage=request.storage,
        normalise="none" if request.clustering.mode == "hudd" else request.normalise,
    )
    return settings if dataset.classes else replace(settings, target="worst", reference=dataset.expected)


def cluster_step(
    request: Request, opened: Opened, answers: Mapping[str, Answered], heatmaps: Heatmaps, stage: Stage = silent
) -> Analysis:
    """Group the failures, and write the groups as folders of images.

    Args:
        request: What is to be done.
        opened: The case.
        answers: The answers by set.
        heatmaps: The heatmaps of the failures.
        stage: Is told of the beginning. Defaults to `silent`.
    """
    folder = request.out / CLUSTERS
    rows = np.array(answers[TEST].failing_rows)
    check_exports(request.exports, len(rows))
    embedding = _embedding(request, opened, rows)
    parameters = {name: column[rows] for name, column in opened.sets[TEST].parameters.items()}
    fingerprint = _hash(
        format=FORMAT,
        heatmaps=heatmaps.fingerprint,
        settings=asdict(request.clustering),
        normalise=request.normalise,
        exports=request.exports,
        views=request.views,
        embedding=None if embedding is None else array_hash(embedding),
        parameters={name: array_hash(column) for name, column in parameters.items()},
        angles=opened.case.angles,
        answers={part: [array_hash(one.tested.loss), one.left_out] for part, one in answers.items()},
    )
    mark = _read_mark(folder / MARK)
    if mark.get("fingerprint") == fingerprint:
        with contextlib.suppress(UsageError):  # it is not there, or damaged: it is made anew
            return read_analysis(folder / ANALYSIS)
    advance = stage("Clusters", len(rows))
    (folder / MARK).unlink(missing_ok=True)
    views = views_of(heatmaps, request.clustering.mode, request.normalise, embedding, request.views)
    failures = Failures(failing(answers[TEST].tested), views, heatmaps.pixels, parameters, opened.case.angles)
    distances = folder / DISTANCES if request.exports else None
    found = analyse(_about(request, opened, answers), failures, request.clustering, distances)
    advance(len(rows) // 2)
    if distances:
        export_distances(distances, heatmaps.images, request.exports)
    remove_folders(request.out, mark.get("folders", []))
    written = write_folders(request.out, CLUSTERS, found, heatmaps.pixels, [opened.images[TEST].file(r) for r in rows])
    write_analysis(folder / ANALYSIS, found.analysis)
    _write_mark(folder / MARK, {"fingerprint": fingerprint, "folders": written})
    advance(len(rows) - len(rows) // 2)
    return found.analysis


def report_step(request: Request, stage: Stage = silent) -> Path:
    """Write the page about an analysis that was made before.

    Args:
        request: What is to be done.
        stage: Is told of the beginning. Defaults to `silent`.

    Returns:
        The page.

    Raises:
        UsageError: When there is no analysis, or the page cannot be written.
    """
    from deepdebug.hudd.heatmaps import open_heatmaps
    from deepdebug.hudd.page import write_page

    analysis = read_analysis(request.out / CLUSTERS / ANALYSIS)
    advance = stage("Report", len(analysis.images))
    path = write_page(request.out / REPORT, analysis, open_heatmaps(request.out / HEATMAPS))
    advance(len(analysis.images))
    return path


def _embedding(request: Request, opened: Opened, rows: npt.NDArray[Any]) -> npt.NDArray[Any] | None:
    return None if request.embedding is None else read_embedding(request.embedding, len(opened.sets[TEST]))[rows]


def _about(request: Request, opened: Opened, answers: Mapping[str, Answered]) -> About:
    return About(
        case=opened.case.name,
        model=opened.subject.name,
        settings=settings_rows(request.clustering, opened.rule, heatmap_settings(request, opened), request.normalise),
        sets=tuple((part, len(one.tested.images), int(one.tested.failed.sum())) for part, one in answers.items()),
        left_out=tuple(one for answered in answers.values() for one in answered.left_out),
    )


def _answers(request: Request, opened: Opened, part: str, stage: Stage) -> Answered:
    dataset, images = opened.sets[part], opened.images[part]
    path = request.out / RESULTS[part]
    mark = path.with_suffix(".json")
    fingerprint = _hash(
        model=opened.subject.hash,
        reading=images.reading,
        failures=asdict(opened.rule),
        images=list(zip(images.names, images.hashes(range(len(images.names))), strict=True)),
        expected=array_hash(dataset.expected),
        classes=dataset.classes,
        outputs=opened.case.outputs,
    )
    known = _read_mark(mark)
    if known.get("fingerprint") == fingerprint and path.is_file():
        tested = read_tested(path)
        places = {name: place for place, name in enumerate(dataset.names)}
        rows = tuple(places[name] for name in tested.images)
        return Answered(tested, rows, tuple((one[0], one[1]) for one in known["left_out"]))
    labelled = Labelled(images, dataset.expected, dataset.classes, part)
    names, advance = opened.case.outputs, stage(part, len(dataset))
    answered = ask(opened.subject, labelled, opened.rule, names=names, advance=advance)
    write_tested(path, answered.tested)
    _write_mark(mark, {"fingerprint": fingerprint, "left_out": answered.left_out})
    return answered


def _hash(**facts: Any) -> str:
    return hashlib.sha256(strict_json(facts)).hexdigest()


def _write_mark(path: Path, facts: Mapping[str, Any]) -> None:
    content = strict_json(facts, indent=1) + b"\n"
    write_file(path, lambda to: to.write_bytes(content), "mark")


def _read_mark(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UsageError(f"The file {str(path)!r} cannot be read: {error}. Remove it.") from error
    return found if isinstance(found, dict) else {}
