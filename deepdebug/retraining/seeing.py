"""Looks at the improvement set shard by shard, and compares it with the clusters.

OUT/Improvement/members.json      the failures as short vectors, and how those of other images are made
OUT/Improvement/seen-0000000.npz    short vectors and scores of the first 1,024 images
OUT/Improvement/near-0000000.npz    their distances to the clusters
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from deepdebug.case.folder import TEST
from deepdebug.errors import ImageError, UsageError
from deepdebug.hudd.analysis import Analysis
from deepdebug.hudd.explaining import NOT_FINITE
from deepdebug.hudd.heatmaps import Heatmaps
from deepdebug.hudd.images import FileImages
from deepdebug.hudd.marks import fingerprint, read_mark, write_mark
from deepdebug.hudd.opening import Opened, Request, Stage, open_case, silent
from deepdebug.hudd.projection import DIMS, Projection
from deepdebug.hudd.steps import heatmap_settings
from deepdebug.hudd.viewing import RELEVANCE, WITH_EMBEDDING, views_of
from deepdebug.hudd.views import View
from deepdebug.retraining.engines import Engine
from deepdebug.retraining.grouped import Grouped
from deepdebug.retraining.improvement import Improvement, improvement_set
from deepdebug.retraining.jobs import run_jobs
from deepdebug.retraining.labels import LabelSource, Part
from deepdebug.retraining.looking import Looker, Scale, Seen, clustered_views, member_vectors
from deepdebug.retraining.near_job import NearJob, compare_shard
from deepdebug.retraining.nearness import Nearness, Spread
from deepdebug.retraining.shards import is_shard, read_arrays, read_shard, write_arrays, write_shard, written_over

FOLDER = "Improvement"
SHARD = 1024  # images of a job; whole batches, because numbers may depend on what they are computed together with
MEMBERS = "members.npz"
EMBEDDING = "embedding"
FORMAT = 2
Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class LookJob:
    """A shard of the improvement set to be looked at.

    Args:
        request: What was asked.
        first: Its first image.
        last: The image after its last one.
        folder: Where the results lie.
        fingerprint: Of everything that they depend on.
    """

    request: Request
    first: int
    last: int
    folder: Path
    fingerprint: str

    @property
    def file(self) -> Path:
        """Where the result goes."""
        return self.folder / f"seen-{self.first:07d}.npz"


@dataclass(frozen=True, slots=True)
class Looked:
    """The improvement set as the model sees it.

    Args:
        images: The images that could be read; everything else is in their order.
        rows: Their rows in the set, shape (read,).
        labels: Their labels; `None` where the set came without.
        left_out: Name and reason of the images that could not be read.
        scores: Array of shape (read, outputs): before the last activation.
        outputs: Array of shape (read, outputs): as the model gives them.
        vectors: Array of shape (read, 256).
        members: Array of shape (failures, 256).
        shards: Files with what was seen, in the order of the images.
        fingerprint: Of everything that they depend on.
    """

    images: FileImages
    rows: npt.NDArray[np.int64]
    labels: LabelSource | None
    left_out: tuple[tuple[str, str], ...]
    scores: Array
    outputs: Array
    vectors: Array
    members: Array
    shards: tuple[Path, ...]
    fingerprint: str


def look(grouped: Grouped, engine: Engine, stage: Stage = silent) -> Looked:
    """Look at the whole improvement set; shards that an earlier run with the same inputs has done are read back.

    Args:
        grouped: The case.
        engine: Where it is done.
        stage: Is told of the beginning. Defaults to `silent`.

    Raises:
        UsageError: When there is no improvement set, none of its images can be read, or the failures were clustered by
            an embedding alone.
    """
    request, opened = grouped.request, grouped.opened
    views = compared_views(request, grouped.heatmaps, grouped.analysis)
    folder, found = request.out / FOLDER, improvement_set(opened.case, opened.sets[TEST].classes)
    images = improvement_images(request, opened, found)
    wanted = _fingerprint(grouped, views, found, images)
    members = _members(grouped, views, folder, wanted)
    size = max(1, SHARD // images.batch_size) * images.batch_size
    jobs = [
        LookJob(request.absolute(), first, min(first + size, len(found.names)), folder.absolute(), wanted)
        for first in range(0, len(found.names), size)
    ]
    shards, left_out = _shards(jobs, engine, stage)
    rows, scores, outputs, vectors = (
        np.concatenate([one[key] for one in shards]) for key in ("rows", "scores", "outputs", "vectors")
    )
    labels = None if found.labels is None else Part(found.labels, rows)
    files = tuple(job.file for job in jobs)
    return Looked(subset(images, rows), rows, labels, left_out, scores, outputs, vectors, members, files, wanted)


def _fingerprint(grouped: Grouped, views: Sequence[View], found: Improvement, images: FileImages) -> str:
    """Return a hash of everything that what is seen of the improvement set depends on."""
    return fingerprint(
        format=FORMAT,
        model=grouped.opened.subject.hash,
        heatmaps=grouped.heatmaps.fingerprint,
        views=[(view.name, view.weight, view.normalise) for view in views],
        reading=images.reading,
        images=list(zip(found.names, images.hashes(range(len(found.names))), strict=True)),
    )


def _members(grouped: Grouped, views: Sequence[View], folder: Path, wanted: str) -> Array:
    """Return the short vectors of the failures; where they are not those of an earlier run, everything goes anew."""
    mark, file = folder / "members.json", folder / MEMBERS
    if read_mark(mark).get("fingerprint") != wanted or not file.is_file():
        mark.unlink(missing_ok=True)  # or a run that is killed here would leave vectors that it does not belong to
        for path in sorted(folder.glob("*-*.npz")):
            path.unlink()
        settings = heatmap_settings(grouped.request, grouped.opened)
        sketched = settings.normalise if grouped.heatmaps.map is not None else None
        members, scales = member_vectors(views, sketched, settings.layers)
        write_arrays(file, {"members": members})
        write_mark(mark, {"fingerprint": wanted, "scales": [asdict(one) for one in scales]})
    return read_arrays(file)["members"]


def _shards(
    jobs: Sequence[LookJob], engine: Engine, stage: Stage
) -> tuple[list[dict[str, Array]], tuple[tuple[str, str], ...]]:
    """Return what was seen of every shard that has readable images, and the images that were left out."""
    waiting = [job for job in jobs if not is_shard(job.file, job.fingerprint)]
    if waiting:
        advance = stage("ImprovementSet", jobs[-1].last)
        advance(sum(job.last - job.first for job in jobs if job not in waiting))
        run_jobs(engine, look_at_shard, waiting, lambda job: advance(job.last - job.first))
    shards = [read_shard(job.file, job.fingerprint) for job in jobs]
    left_out = tuple((str(name), str(why)) for one in shards for name, why in one["left_out"])
    shards = [one for one in shards if len(one["rows"])]
    if not shards:
        raise UsageError(f"None of the images of the ImprovementSet can be read; the first one: {left_out[0][1]}")
    return shards, left_out


def look_at_shard(job: LookJob) -> None:
    """Look at one shard and write what was seen; loads the model once per process."""
    looker, images = _looker(job.request, job.folder, job.fingerprint)
    rows: list[int] = []
    left_out: list[tuple[str, str]] = []
    seen = []

    def unreadable(number: int, error: ImageError) -> None:
        left_out.append((images.names[job.first + number], str(error)))

    for batch in images.batches(range(job.first, job.last), unreadable):
        one = looker(images, batch)
        finite = np.isfinite(one.scores).all(axis=1) & np.isfinite(one.vectors).all(axis=1)
        numbers = np.array(batch.numbers) + job.first
        left_out += [(images.names[row], NOT_FINITE) for row in numbers[~finite]]
        rows += numbers[finite].tolist()
        seen.append(Seen(one.vectors[finite], one.scores[finite], one.outputs[finite]))
    empty = Seen(np.zeros((0, DIMS), np.float32), np.zeros((0, 0), np.float32), np.zeros((0, 0), np.float32))
    parts = {
        key: np.concatenate([getattr(one, key) for one in seen or [empty]]) for key in ("vectors", "scores", "outputs")
    }
    texts = np.array(left_out, dtype=np.str_).reshape(-1, 2)
    write_shard(job.file, {**parts, "rows": np.array(rows, np.int64), "left_out": texts}, job.fingerprint)


@functools.lru_cache(maxsize=1)
def _looker(request: Request, folder: Path, wanted: str) -> tuple[Looker, FileImages]:
    opened = open_case(request)
    found = improvement_set(opened.case, opened.sets[TEST].classes)
    known = read_mark(folder / "members.json")
    if known.get("fingerprint") != wanted:
        raise written_over(folder / "members.json")
    scales = [
        Scale(one["name"], Projection(**one["projection"]), one["projected"], one["factor"]) for one in known["scales"]
    ]
    looker = Looker(opened.subject, heatmap_settings(request, opened), scales)
    return looker, improvement_images(request, opened, found)


def compare(grouped: Grouped, looked: Looked, engine: Engine, stage: Stage = silent) -> Nearness:
    """Compare the improvement set with the clusters; shards that an earlier run has done are read back.

    Args:
        grouped: The case.
        looked: The set.
        engine: Where it is done.
        stage: Is told of the beginning. Defaults to `silent`.
    """
    folder, labels = grouped.request.out / FOLDER, cluster_labels(grouped.analysis)
    wanted = fingerprint(looked=looked.fingerprint, labels=labels)
    files = [path.with_name(path.name.replace("seen-", "near-")) for path in looked.shards]
    jobs = [
        NearJob(path, (folder / MEMBERS).absolute(), tuple(labels), file, looked.fingerprint, wanted)
        for path, file in zip(looked.shards, files, strict=True)
    ]
    waiting = [job for job in jobs if not is_shard(job.file, wanted)]
    if waiting:
        advance = stage("Distances", len(jobs))
        advance(len(jobs) - len(waiting))
        run_jobs(engine, compare_shard, waiting, lambda _: advance(1))
    found = [read_shard(job.file, wanted) for job in jobs]
    least, mean, centre = (np.concatenate([one[key] for one in found]) for key in ("least", "mean", "centre"))
    spreads = tuple(Spread(int(one[0]), *map(float, one[1:])) for one in found[0]["spreads"])
    return Nearness(least, mean, centre, spreads)


def compared_views(request: Request, heatmaps: Heatmaps, analysis: Analysis) -> Sequence[View]:
    """Return the views by which images are compared with clusters: those of the clusters, but for an embedding.

    An embedding is given for the test set and is not known of other images.

    Args:
        request: What was asked.
        heatmaps: The heatmaps of the failures.
        analysis: Their clusters.

    Raises:
        UsageError: When the failures were clustered by an embedding alone.
    """
    default = RELEVANCE if request.embedding is None else WITH_EMBEDDING
    names = tuple(name for name in request.views or default if name != EMBEDDING)
    if not names:
        raise UsageError(
            "The failures were grouped by an embedding alone, which is not known of the ImprovementSet. Group them by "
            "relevance as well: `--views relevance,embedding`."
        )
    return clustered_views(views_of(heatmaps, request.clustering.mode, request.normalise, None, names), analysis)


def cluster_labels(analysis: Analysis) -> list[int]:
    """Return the cluster of every failure, from 0; -1 for none.

    Args:
        analysis: The clusters.
    """
    labels = [-1] * len(analysis.images)
    for group in analysis.groups:
        for member in group.members:
            labels[member] = group.number - 1
    return labels


def subset(images: FileImages, rows: npt.NDArray[np.int64]) -> FileImages:
    """Return some of the images.

    Args:
        images: All of them.
        rows: Which.
    """
    names, sources = (tuple(known[row] for row in rows) for known in (images.names, images.sources))
    return replace(images, names=names, sources=sources)


def improvement_images(request: Request, opened: Opened, found: Improvement) -> FileImages:
    """Return the images of the improvement set, read as those of the test set are.

    Args:
        request: What was asked.
        opened: The case.
        found: The set.
    """
    return replace(opened.images[TEST], names=found.names, sources=found.sources)
