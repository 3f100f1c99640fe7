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

from deepdebug.files import file_names, unwritable, write_text
from deepdebug.hudd.analysing import Analysed
from deepdebug.hudd.analysis import Analysis
from deepdebug.hudd.linkage import Labels
from deepdebug.report.cluster_files import remove_cluster_files, write_animations, write_cluster_files
from deepdebug.report.overlay import Picture

ALL = "All"
TABLE = "clusters.csv"
RANGE_IMAGES = 500
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

    limits = display_range(pixels)

    def picture(image: int) -> Picture:
        return shown(pixels[image], limits)

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

    Raises:
        UsageError: When something cannot be removed.
    """
    root = out.resolve()
    try:
        for folder in folders:
            path = out / str(folder)
            if path.resolve().is_relative_to(root):
                remove_cluster_files(path)
    except OSError as error:
        raise unwritable(out, "groups of an earlier run", error) from error


def display_range(pixels: npt.NDArray[Any]) -> tuple[float, float]:
    """Return the values that are drawn black and white, the same for all images, so that a dark one looks dark.

    Args:
        pixels: Array of shape (images, ...): 0 to 1 or 0 to 255 where the values lie within, else the smallest and the
            largest, of at most 500 images.
    """
    some = pixels[:: max(1, len(pixels) // RANGE_IMAGES)]
    low, high = float(some.min(initial=0.0)), float(some.max(initial=0.0))
    if low >= 0 and high <= 255:
        return 0.0, 1.0 if high <= 1 else 255.0
    return low, high


def shown(pixels: npt.NDArray[Any], limits: tuple[float, float] = (0.0, 255.0)) -> Picture:
    """Return an image as it can be drawn; what is no image is drawn as a row of cells.

    Args:
        pixels: Array of shape (height, width, channels), (height, width) or any other.
        limits: Values that are drawn black and white. Defaults to 0 and 255.
    """
    low, high = limits
    scaled = np.clip((np.asarray(pixels, np.float32) - low) / ((high - low) or 1.0), 0.0, 1.0) * 255
    if scaled.ndim != 3:
        scaled = (scaled if scaled.ndim == 2 else scaled.reshape(1, -1))[..., np.newaxis]
    three = scaled if scaled.shape[2] == 3 else np.repeat(scaled.mean(axis=2, keepdims=True), 3, axis=2)
    picture: Picture = np.rint(three).astype(np.uint8)
    return picture


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
