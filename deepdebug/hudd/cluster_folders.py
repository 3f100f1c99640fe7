"""Clusters as folders of images, as HUDD lays them out.

OUT/ClusterAnalysis/clusters.csv               cluster of every failing image, also by each layer alone
OUT/ClusterAnalysis/LayerNAME/<cluster>/       the images of a cluster, by all layers (LayerAll) or one alone
OUT/LayerNAME/<cluster>/, OUT/LayerNAME/*.gif  those that were chosen, with an animation per cluster
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from deepdebug.files import file_names, write_text
from deepdebug.hudd.analysing import Analysed
from deepdebug.hudd.analysis import Analysis
from deepdebug.hudd.linkage import Labels
from deepdebug.report.cluster_files import remove_cluster_files, write_animations, write_cluster_files
from deepdebug.report.overlay import Picture, as_shown

ALL = "All"
TABLE = "clusters.csv"
Members = dict[int, Sequence[int]]


def write_folders(
    out: Path, within: str, found: Analysed, pixels: npt.NDArray[Any], files: Sequence[Path | None]
) -> list[str]:
    """Write the folders, the animations and the table.

    Args:
        out: Folder for the results.
        within: Name of the folder in it for the partitions of all layers.
        found: The clusters.
        pixels: Array of shape (failures, ...): the images as they were read.
        files: File of every image, or `None` for one that has none of its own.

    Returns:
        The folders with images, relative to `out`.

    Raises:
        UsageError: When something cannot be written.
    """
    analysis = found.analysis
    own: Members = {group.number: group.members for group in analysis.groups}
    partitions = {name: _members(labels) for name, labels in found.alone.items()}
    if found.chosen is None:
        partitions = {ALL: own, **partitions}
    chosen = ALL if found.chosen is None else found.chosen
    partitions[chosen] = own
    folders = dict(zip(partitions, file_names([f"Layer{name}" for name in partitions]), strict=True))

    def picture(image: int) -> Picture:
        return shown(pixels[image])

    target = out / folders[chosen]
    written = write_cluster_files(target, own, analysis.images, files, picture)
    write_animations(target, own, picture)
    for name, members in partitions.items():
        write_cluster_files(out / within / folders[name], members, analysis.images, written, picture, link=True)
    write_text(out / within / TABLE, _table(analysis, found.alone), "table of clusters")
    return [folders[chosen], *(f"{within}/{folder}" for folder in folders.values())]


def remove_folders(out: Path, folders: Iterable[str]) -> None:
    """Remove what an earlier run has written into folders, and nothing else.

    Args:
        out: Folder for the results.
        folders: What `write_folders` returned; folders outside of `out` are not touched.
    """
    root = out.resolve()
    for folder in folders:
        path = out / str(folder)
        if path.resolve().is_relative_to(root):
            remove_cluster_files(path)


def shown(pixels: npt.NDArray[Any]) -> Picture:
    """Return an image as it can be drawn; what is no image is drawn as a row of cells."""
    if pixels.ndim == 3:
        return as_shown(pixels)
    flat = pixels if pixels.ndim == 2 else pixels.reshape(1, -1)
    return as_shown(flat[..., np.newaxis])


def _members(labels: Labels) -> Members:
    return {label + 1: np.flatnonzero(labels == label).tolist() for label in range(int(labels.max(initial=-1)) + 1)}


def _table(analysis: Analysis, alone: Mapping[str, Labels]) -> str:
    numbers = {image: (group.number, rank) for group in analysis.groups for rank, image in enumerate(group.members)}
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["image", "cluster", "rank", "distance", "loss", *(f"cluster by {name}" for name in alone)])
    for image, name in enumerate(analysis.images):
        number, rank = numbers.get(image, ("", ""))
        others = (int(labels[image]) + 1 for labels in alone.values())
        table.writerow([name, number, rank, analysis.distances[image], analysis.losses[image], *others])
    return text.getvalue()
