"""From the records of all runs to what retraining brought."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from deepdebug.case.folder import TEST
from deepdebug.errors import ImageError, UsageError
from deepdebug.hudd.images import FileImages, file_hash
from deepdebug.hudd.opening import RESULTS
from deepdebug.hudd.steps import ANALYSIS, CLUSTERS
from deepdebug.hudd.tested import Tested, read_tested
from deepdebug.report.wording import number
from deepdebug.retraining.choosing import Unsafe
from deepdebug.retraining.comparing import aligned, changes, groups_of
from deepdebug.retraining.grouped import Grouped
from deepdebug.retraining.records import RunRecord
from deepdebug.retraining.seeing import Looked
from deepdebug.retraining.shards import read_shard, write_shard
from deepdebug.retraining.statistics import difference, interval, superiority
from deepdebug.retraining.steps import FOLDER
from deepdebug.retraining.summary import CHOSEN, ArmResult, ChangedImage, ClusterResult, Retrained, write_retrained

SUMMARY, PICTURES, TRUTH = "summary.json", "changed.npz", "GroundTruth"
SHOWN = 12  # images of each kind on the page
MOST_CHOSEN, FEWEST_CHOSEN, ALL_CHOSEN = 8, 2, 96  # chosen images on the page: of a cluster, and of all
OURS = "HUDD"


def summarise(grouped: Grouped, looked: Looked, unsafe: Unsafe, records: Sequence[RunRecord]) -> Retrained:
    """Compare the arms with each other and a retrained model with the original one, and write it down.

    Args:
        grouped: The case.
        looked: The improvement set.
        unsafe: The images that were chosen, without those that nobody can label.
        records: All runs.

    Raises:
        UsageError: When something cannot be read or written.
    """
    folder, answered = grouped.request.out / FOLDER, grouped.answers[TEST].tested
    shown = _median(records)
    after = read_tested(folder / shown.name / RESULTS[TEST]) if shown is not None else None
    places, others = aligned(answered, after) if after is not None else (np.zeros(0, np.int64), np.zeros(0, np.int64))
    before_failed = answered.failed[places]
    after_failed = after.failed[others] if after is not None else before_failed
    fixed, broken = np.flatnonzero(before_failed & ~after_failed), np.flatnonzero(~before_failed & after_failed)
    fixed, broken = (_some(one) for one in (fixed, broken))
    known = groups_of(answered, _cluster_images(grouped), planted_images(grouped.opened.case.folder))
    found = Retrained(
        fingerprint=analysis_hash(grouped.request.out),
        images=len(answered.images),
        before=1 - float(answered.failed.mean()),
        arms=arm_results(records),
        shown=shown.name if shown is not None else "",
        model=shown.model if shown is not None else "",
        changes=tuple(
            (kind, changes(before_failed, after_failed, {name: inside[places] for name, inside in groups.items()}))
            for kind, groups in (known.items() if after is not None else ())
        ),
        clusters=_cluster_results(grouped, looked, unsafe, after),
        fixed=tuple(_changed(answered, after, places[one], others[one]) for one in fixed),
        broken=tuple(_changed(answered, after, places[one], others[one]) for one in broken),
        findings=tuple((one.name, one.findings) for one in records if one.findings),
        settings=records[0].settings,
    )
    rows = np.array(grouped.answers[TEST].rows)
    test = grouped.opened.images[TEST]
    arrays = {name: _pixels(test, rows[places[some]]) for name, some in (("fixed", fixed), ("broken", broken))}
    for one in found.clusters:
        positions = _nearest(unsafe, one.number, len(found.clusters))
        arrays[f"{CHOSEN}{one.number}"] = _pixels(looked.images, positions)
    path = write_retrained(folder / SUMMARY, found)
    write_shard(folder / PICTURES, arrays, file_hash(path))
    return found


def pictures_of(summary: Path) -> dict[str, npt.NDArray[Any]] | None:
    """Read the pictures that belong to a summary; `None` where there are none, as after a kill between the two files.

    Args:
        summary: The file of the summary.
    """
    try:
        return read_shard(summary.with_name(PICTURES), file_hash(summary))
    except UsageError:
        return None


def arm_results(records: Sequence[RunRecord]) -> tuple[ArmResult, ...]:
    """Compare the arms.

    Args:
        records: All runs.
    """
    by_arm = {arm: [one for one in records if one.arm == arm] for arm in dict.fromkeys(one.arm for one in records)}
    reached = {arm: tuple(one.accuracy for one in runs if one.accuracy is not None) for arm, runs in by_arm.items()}
    ours = reached.get(OURS, ())
    found = []
    for arm, runs in by_arm.items():
        values = reached[arm]
        compared = arm != OURS and min(len(ours), len(values)) > 1
        found.append(
            ArmResult(
                arm=arm,
                runs=len(runs),
                diverged=tuple(one.name for one in runs if one.diverged),
                labels=runs[0].labels,
                bag=max(one.bag for one in runs),
                accuracies=values,
                mean=interval(values) if values else None,
                p_value=difference(ours, values) if compared else None,
                superiority=superiority(ours, values) if compared else None,
                notes=tuple(dict.fromkeys(one.note for one in runs if one.note)),
            )
        )
    return tuple(found)


def analysis_hash(out: Path) -> str:
    """Return a hash of the analysis that lies in a folder of results.

    Args:
        out: The folder.
    """
    return file_hash(out / CLUSTERS / ANALYSIS)


def planted_images(case: Path) -> dict[str, list[str]]:
    """Return the images of the test set by planted cause, where the case knows them; empty where it does not.

    Args:
        case: Folder of the case. `GroundTruth/TestSet.csv` names the planted causes of each image, as
            `deepdebug simulate` writes it.
    """
    path = case / TRUTH / f"{TEST}.csv"
    found: dict[str, list[str]] = {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                for code in (row.get("planted") or "").split():
                    found.setdefault(code, []).append(row["image"])
    except (OSError, KeyError, ValueError):
        return {}
    return dict(sorted(found.items()))


def _median(records: Sequence[RunRecord]) -> RunRecord | None:
    """Return the run of the first arm that has the median accuracy, of an even number the worse one of the two."""
    usable = [one for one in records if one.arm == records[0].arm and one.accuracy is not None]
    ranked = sorted(usable, key=lambda one: (one.accuracy or 0.0, one.run))
    return ranked[(len(ranked) - 1) // 2] if ranked else None


def _some(chosen: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    places = np.linspace(0, len(chosen) - 1, min(SHOWN, len(chosen))).round().astype(int)
    found: npt.NDArray[np.int64] = chosen[places]
    return found


def _cluster_images(grouped: Grouped) -> Mapping[str, Sequence[str]]:
    images = grouped.analysis.images
    return {f"cluster {one.number}": [images[member] for member in one.members] for one in grouped.analysis.groups}


def _cluster_results(
    grouped: Grouped, looked: Looked, unsafe: Unsafe, after: Tested | None
) -> tuple[ClusterResult, ...]:
    right = set() if after is None else {after.images[row] for row in np.flatnonzero(~after.failed)}
    images = grouped.analysis.images
    return tuple(
        ClusterResult(
            number=one.number,
            failures=len(one.members),
            quota=int(quota),
            chosen=int((unsafe.chosen.clusters == one.number - 1).sum()),
            mended=None if after is None else sum(images[member] in right for member in one.members),
            images=tuple(looked.images.names[place] for place in _nearest(unsafe, one.number, len(unsafe.quotas))),
        )
        for one, quota in zip(grouped.analysis.groups, unsafe.quotas, strict=True)
    )


def _nearest(unsafe: Unsafe, cluster: int, clusters: int) -> npt.NDArray[np.int64]:
    """Return some images that were chosen for a cluster, the nearest first, fewer where there are many clusters."""
    positions = unsafe.chosen.images[unsafe.chosen.clusters == cluster - 1]
    found: npt.NDArray[np.int64] = positions[: min(MOST_CHOSEN, max(FEWEST_CHOSEN, ALL_CHOSEN // clusters))]
    return found


def _changed(before: Tested, after: Tested | None, place: int, other: int) -> ChangedImage:
    if after is None:
        raise ValueError("without a retrained model nothing has changed")
    name, columns = before.images[place], before.columns
    if before.expected is None or before.predicted is None or after.predicted is None:
        return ChangedImage(
            name, "", *(f"loss {number(float(loss))}" for loss in (before.loss[place], after.loss[other]))
        )
    numbers = before.expected[place], before.predicted[place], after.predicted[other]
    return ChangedImage(name, *(columns[one] for one in numbers))


def _pixels(images: FileImages, rows: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    def unreadable(_number: int, error: ImageError) -> None:
        raise error

    found = [batch.pixels for batch in images.batches(rows.tolist(), unreadable)]
    return np.concatenate(found) if found else np.zeros((0, 1, 1, 1), np.float32)
