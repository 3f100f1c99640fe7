"""What each view would give if it were the only one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deepdebug.hudd.clusters import ClusterSettings
from deepdebug.hudd.condensed import mean_square
from deepdebug.hudd.linkage import Labels
from deepdebug.hudd.numbers import checked_number, number_of_clusters
from deepdebug.hudd.original import Original
from deepdebug.hudd.space import ExactSpace
from deepdebug.hudd.views import View, distance_files, num_images, view_distances
from deepdebug.hudd.wicd import wicd


@dataclass(frozen=True, slots=True)
class Alone:
    """The clusters of one view.

    Args:
        name: Name of the view.
        labels: Array of shape (N,); 0 is the largest cluster.
        wicd: Weighted mean distance within the clusters, in units of the root mean squared distance of two images.
    """

    name: str
    labels: Labels
    wicd: float


def views_alone(views: Sequence[View], settings: ClusterSettings, folder: Path | None = None) -> tuple[Alone, ...]:
    """Cluster the images by each view alone, by hierarchy.

    Args:
        views: The views.
        settings: How; all distances are computed, whatever `exact` says.
        folder: Where `group` has kept the distances of each view. Defaults to `None`: they are computed again.
    """
    files = distance_files(views, folder)
    return tuple(_alone(view, file, settings) for view, file in zip(views, files, strict=True))


def originals_alone(views: Sequence[View], originals: Sequence[Original]) -> tuple[Alone, ...]:
    """Return what HUDD as published makes of each view.

    Args:
        views: The views.
        originals: What `group` has found for each.
    """
    return tuple(
        Alone(view.name, one.labels, one.wicd / one.unit if one.unit else 0.0)
        for view, one in zip(views, originals, strict=True)
    )


def _alone(view: View, file: Path | None, settings: ClusterSettings) -> Alone:
    if file is not None and file.is_file():
        distances = np.load(file, mmap_mode="r", allow_pickle=False)
    else:
        distances = view_distances(view, memory=settings.memory)
    space = ExactSpace(distances, num_images([view]))
    unit = float(np.sqrt(mean_square(distances)))
    tree = space.tree(settings.linkage)
    asked, detail = settings.k, settings.detail
    number, _ = number_of_clusters(space, tree, detail) if asked is None else checked_number(asked, space, tree)
    labels = tree.partition(number)
    return Alone(view.name, labels, wicd(distances, labels) / unit if unit else 0.0)
