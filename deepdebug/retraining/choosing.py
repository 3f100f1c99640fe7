"""Steps 3 and 4 of HUDD on a case: the unsafe set, and the table for the person who labels.

OUT/UnsafeSet/<cluster>/      the images that look like the failures of a cluster
OUT/UnsafeSet/unsafe.csv      image, cluster, rank (0: it is the nearest one), distance
OUT/UnsafeSet/to_label.csv    the same with an empty column, to be filled in
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from deepdebug.case.folder import TEST
from deepdebug.case.sources import read_pixels
from deepdebug.hudd.cluster_folders import shown
from deepdebug.hudd.images import FileImages
from deepdebug.hudd.marks import fingerprint, read_mark, write_mark
from deepdebug.hudd.opening import Opened, Stage, silent
from deepdebug.report.cluster_files import remove_cluster_files, write_cluster_files
from deepdebug.retraining.asked import Choice
from deepdebug.retraining.assigning import Chosen
from deepdebug.retraining.engines import Engine
from deepdebug.retraining.grouped import Grouped
from deepdebug.retraining.labels import COLUMNS, LABEL, chosen_rows, write_table, write_to_label
from deepdebug.retraining.quotas import quotas
from deepdebug.retraining.seeing import Looked, cluster_labels, compare
from deepdebug.retraining.selecting import select

UNSAFE, TABLE, TO_LABEL, MARK = "UnsafeSet", "unsafe.csv", "to_label.csv", "unsafe.json"


@dataclass(frozen=True, slots=True)
class Unsafe:
    """The unsafe set.

    Args:
        chosen: Its images, as positions among those of the improvement set that can be read.
        quotas: Most images of every cluster.
        labelled: How many have a label in the table already.
        fingerprint: Of everything that it depends on.
    """

    chosen: Chosen
    quotas: npt.NDArray[np.int64]
    labelled: int
    fingerprint: str


def choose(grouped: Grouped, looked: Looked, choice: Choice, engine: Engine, stage: Stage = silent) -> Unsafe:
    """Choose images and write them down; no label is looked at.

    Args:
        grouped: The case.
        looked: The improvement set.
        choice: How images are chosen.
        engine: Where images are compared with clusters.
        stage: Is told of the beginning. Defaults to `silent`.

    Raises:
        UsageError: When there is no cluster of two failures or more, or something cannot be written.
    """
    tested = grouped.answers[TEST].tested
    sizes = [len(group.members) for group in grouped.analysis.groups]
    wanted = quotas(sizes, len(tested.images), len(looked.images.names), choice.quota, choice.factor)
    chosen = select(
        choice.mode,
        wanted,
        vectors=looked.vectors,
        scores=None if tested.expected is None else looked.scores,
        members=looked.members,
        labels=np.array(cluster_labels(grouped.analysis)),
        near=lambda: compare(grouped, looked, engine, stage),
        progress=stage,
    )
    return _written(grouped, looked, chosen, wanted)


def label_columns(opened: Opened) -> tuple[str, ...]:
    """Return the columns that a person fills in: the class, or every value of a regression.

    Args:
        opened: The case.
    """
    dataset = opened.sets[TEST]
    if dataset.classes:
        return (LABEL,)
    count = dataset.expected.shape[1]
    return dataset.outputs if len(dataset.outputs) == count else tuple(f"value{place + 1}" for place in range(count))


def _written(grouped: Grouped, looked: Looked, chosen: Chosen, wanted: npt.NDArray[np.int64]) -> Unsafe:
    folder, names = grouped.request.out / UNSAFE, looked.images.names
    columns = label_columns(grouped.opened)
    rows = chosen_rows(chosen, names)
    mark = fingerprint(looked=looked.fingerprint, chosen=rows)
    labelled = write_to_label(folder / TO_LABEL, chosen, names, columns)
    if not _is_written(folder, mark):
        # Or a run that is killed here would leave images and a table that the mark does not belong to.
        (folder / MARK).unlink(missing_ok=True)
        remove_cluster_files(folder)
        files = _write_images(folder, looked.images, chosen)
        write_table(folder / TABLE, COLUMNS, rows)
        write_mark(folder / MARK, {"fingerprint": mark, "files": files})
    return Unsafe(chosen, wanted, labelled, mark)


def _is_written(folder: Path, mark: str) -> bool:
    known = read_mark(folder / MARK)
    if known.get("fingerprint") != mark or "files" not in known or not (folder / TABLE).is_file():
        return False
    return all((folder / str(name)).is_file() for name in known["files"])


def _write_images(folder: Path, images: FileImages, chosen: Chosen) -> list[str]:
    """Write the images of every cluster, and return the files in the folder."""
    clusters = np.unique(chosen.clusters)
    members = {int(one) + 1: chosen.images[chosen.clusters == one].tolist() for one in clusters if one >= 0}

    def picture(row: int) -> Any:
        return shown(read_pixels(images.sources[row], images.preprocessing, images.channels or 1))

    files = [images.file(row) for row in range(len(images.names))]
    written = write_cluster_files(folder, members, images.names, files, picture)
    return [path.relative_to(folder).as_posix() for path in written if path is not None]
