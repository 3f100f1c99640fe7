"""The steps of HUDD on a case on disk: each reads what the one before has written, and is done once.

OUT/testResult.csv, trainResult.csv    what the model says about every image
OUT/Heatmaps/                          why it says so where it fails
OUT/ClusterAnalysis/                   the failures in groups, by all layers together and by each alone
OUT/LayerNAME/                         the groups that were chosen; LayerAll where all layers count
OUT/report.html                        all of it on one page
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

import numpy as np

from deepdebug.case.folder import TEST
from deepdebug.errors import UsageError
from deepdebug.hudd.analysing import About, Failures, analyse
from deepdebug.hudd.analysis import FORMAT, Analysis, read_analysis, write_analysis
from deepdebug.hudd.cluster_folders import TABLE, remove_folders, write_folders
from deepdebug.hudd.explaining import Answered, HeatmapSettings, Labelled, ask, explain_failures
from deepdebug.hudd.exports import check_exports, distance_stems, export_distances, remove_distances
from deepdebug.hudd.heatmap_layers import heatmap_layers, original_layers
from deepdebug.hudd.heatmaps import Heatmaps
from deepdebug.hudd.images import array_hash, file_hash
from deepdebug.hudd.marks import fingerprint, read_mark, write_mark
from deepdebug.hudd.opening import RESULTS, Opened, Request, Stage, silent
from deepdebug.hudd.requests import write_request
from deepdebug.hudd.tested import read_tested, write_tested
from deepdebug.hudd.viewing import failing, read_embedding, settings_rows, views_of
from deepdebug.hudd.views import View

HEATMAPS, CLUSTERS, REPORT = "Heatmaps", "ClusterAnalysis", "report.html"
ANALYSIS, MARK, DISTANCES = "analysis.json", ".done.json", "Distances"


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
    failures = int(answered.tested.failed.sum())
    check_exports(request.exports, failures)
    begin = functools.cache(lambda: stage("Heatmaps", failures))

    def advance(done: int) -> None:
        begin()(done)  # a bar only where there is work

    return explain_failures(
        opened.subject,
        opened.images[TEST],
        answered,
        settings,
        request.out / HEATMAPS,
        advance=advance,
    )


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
        turned=request.clustering.mode != "hudd",
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
    write_request(request)
    folder = request.out / CLUSTERS
    rows = np.array(answers[TEST].failing_rows)
    embedding = None if request.embedding is None else read_embedding(request.embedding, len(opened.sets[TEST]), rows)
    parameters = {name: column[rows] for name, column in opened.sets[TEST].parameters.items()}
    views = views_of(heatmaps, request.clustering.mode, request.normalise, embedding, request.views)
    about = _about(request, opened, answers, views)
    tested = failing(answers[TEST].tested)
    wanted = fingerprint(
        format=FORMAT,
        heatmaps=heatmaps.fingerprint,
        about=asdict(about),
        settings=asdict(request.clustering),
        normalise=request.normalise,
        exports=request.exports,
        views=request.views,
        embedding=None if embedding is None else array_hash(embedding),
        parameters={name: array_hash(column) for name, column in parameters.items()},
        angles=opened.case.angles,
        notes=opened.sets[TEST].notes,
        classes=tested.columns,
        answers=[array_hash(one) for one in (tested.loss, tested.expected, tested.predicted) if one is not None],
    )
    known = read_mark(folder / MARK)
    written = [str(one) for one in known.get("folders", [])]
    if known.get("fingerprint") == wanted and all((request.out / one).is_dir() for one in written):
        with contextlib.suppress(UsageError):  # it is not there, or damaged: it is made anew
            return read_analysis(folder / ANALYSIS)
    advance = stage("Clusters", len(rows))
    remove_distances(folder / DISTANCES, map(str, known.get("distances", [])))
    stems = distance_stems([view.name for view in views])
    # Without a fingerprint: what is there so far is ours, but not done.
    write_mark(folder / MARK, {"folders": written, "distances": [f"{stem}.npy" for stem in stems]})
    failures = Failures(tested, views, heatmaps.pixels, parameters, opened.case.angles, opened.sets[TEST].notes)
    found = analyse(about, failures, request.clustering, folder / DISTANCES)
    advance(len(rows) // 2)
    exported = export_distances(folder / DISTANCES, stems, heatmaps.images, request.exports)
    remove_folders(request.out, written)
    files = [opened.images[TEST].file(row) for row in rows]
    written = write_folders(request.out, CLUSTERS, found, heatmaps.pixels, files)
    write_analysis(folder / ANALYSIS, found.analysis)
    write_mark(folder / MARK, {"fingerprint": wanted, "folders": written, "distances": exported})
    advance(len(rows) - len(rows) // 2)
    return found.analysis


def remove_results(request: Request) -> None:
    """Remove the groups and the page of an earlier run, for a model that has no failures any more.

    Args:
        request: What is to be done.
    """
    folder = request.out / CLUSTERS
    known = read_mark(folder / MARK)
    if known:
        remove_folders(request.out, map(str, known.get("folders", [])))
        for path in (folder / MARK, folder / ANALYSIS, folder / TABLE, request.out / REPORT):
            path.unlink(missing_ok=True)


def _about(request: Request, opened: Opened, answers: Mapping[str, Answered], views: Sequence[View]) -> About:
    return About(
        case=opened.case.name,
        model=opened.subject.name,
        settings=settings_rows(
            request.clustering, opened.rule, heatmap_settings(request, opened), request.normalise, views
        ),
        sets=tuple((part, len(one.tested.images), int(one.tested.failed.sum())) for part, one in answers.items()),
        left_out=tuple(one for answered in answers.values() for one in answered.left_out),
    )


def _answers(request: Request, opened: Opened, part: str, stage: Stage) -> Answered:
    dataset, images = opened.sets[part], opened.images[part]
    path = request.out / RESULTS[part]
    mark = path.with_suffix(".json")
    wanted = fingerprint(
        model=opened.subject.hash,
        reading=images.reading,
        failures=asdict(opened.rule),
        images=list(zip(images.names, images.hashes(range(len(images.names))), strict=True)),
        expected=array_hash(dataset.expected),
        classes=dataset.classes,
        outputs=opened.case.outputs or dataset.outputs,
    )
    known = read_mark(mark)
    if known.get("fingerprint") == wanted and path.is_file() and known.get("table") == file_hash(path):
        tested = read_tested(path)
        places = {name: place for place, name in enumerate(dataset.names)}
        rows = tuple(places[name] for name in tested.images)
        return Answered(tested, rows, tuple((one[0], one[1]) for one in known["left_out"]))
    mark.unlink(missing_ok=True)  # or a run that is killed here would leave a table that it does not belong to
    labelled = Labelled(images, dataset.expected, dataset.classes, part)
    names, advance = opened.case.outputs or dataset.outputs, stage(part, len(dataset))
    answered = ask(opened.subject, labelled, opened.rule, names=names, advance=advance)
    write_tested(path, answered.tested)
    write_mark(mark, {"fingerprint": wanted, "left_out": answered.left_out, "table": file_hash(path)})
    return answered
