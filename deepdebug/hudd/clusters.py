"""From views of the failing images to clusters of them: the call that everything else in this package serves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from deepdebug.errors import UsageError
from deepdebug.hudd.linkage import LINKAGES, Dendrogram, Labels
from deepdebug.hudd.micro import micro_clusters
from deepdebug.hudd.notes import Note
from deepdebug.hudd.numbers import DETAILS, checked_number, number_of_clusters
from deepdebug.hudd.original import Original, choose_layer, original_clusters
from deepdebug.hudd.rows import MEMORY, Floats
from deepdebug.hudd.significance import LEVEL, Significance, significance
from deepdebug.hudd.silhouettes import sample
from deepdebug.hudd.sketch import sketch
from deepdebug.hudd.slicers import Slicer, renumbered, slicer_of
from deepdebug.hudd.space import ExactSpace, SketchSpace, Space
from deepdebug.hudd.views import View, combined, distance_files, num_images, view_distances
from deepdebug.hudd.weighted_ward import ward_of_clusters

EXACT_IMAGES = 50_000  # from here on no matrix of distances is made; it would take 5 GB, and its tree 20 GB more
JUDGED_IMAGES = 1000  # for the significance; more are sampled
MODES = ("default", "hudd")


@dataclass(frozen=True, slots=True)
class Clusters:
    """Groups of images that seem to fail for one reason each.

    Args:
        labels: Array of shape (N,) of the cluster of every image: 0 is the largest; -1, from the slicer "umap-hdbscan"
            only, stands for no cluster.
        medoids: Array of shape (k,): the image that stands for each cluster.
        sizes: Array of shape (k,): the number of images of each.
        k: Number of clusters.
        heights: Array of at most 99 values: the heights of the last merges, of which element i leaves i + 1 clusters;
            where they drop is the knee. The unit is the root mean squared distance of two images, but in mode "hudd".
        notes: What the reader should know.
        significance: How far the clusters can be told from one cloud.
        between: Array of shape (k, k) of the distances between the centres of the clusters, where 1 is the root mean
            squared distance of two images.
        merges: How the clusters would go on to be merged by Ward's linkage: array of shape (k - 1, 4) as scipy's
            `linkage` returns it, with the clusters as leaves.
        view: Name of the view that was chosen, in mode "hudd"; else `None`, for all views count.
    """

    labels: Labels
    medoids: Labels
    sizes: Labels
    k: int
    heights: npt.NDArray[np.float64]
    notes: tuple[Note, ...]
    significance: Significance
    between: npt.NDArray[np.float64]
    merges: npt.NDArray[np.float64]
    view: str | None = None


@dataclass(frozen=True, slots=True)
class Grouped:
    """Clusters, and what they were made from.

    Args:
        clusters: The clusters.
        space: Where the images lie to each other; `None` for fewer than two images.
        tree: Their dendrogram, or that of groups of near ones; likewise.
        originals: In mode "hudd", what it makes of every view; else empty.
    """

    clusters: Clusters
    space: Space | None = None
    tree: Dendrogram | None = None
    originals: tuple[Original, ...] = ()


def cluster(
    views: Sequence[View],
    *,
    k: int | None = None,
    detail: str = "coarse",
    mode: str = "default",
    linkage: str = "ward",
    slicer: str | Slicer = "hierarchy",
    seed: int = 0,
    level: float = LEVEL,
    exact: bool | None = None,
    memory: int = MEMORY,
    folder: Path | None = None,
) -> Clusters:
    """Group images by the sum of their distances in all views.

    Args:
        views: How the images look; see `heatmap_views` and `feature_views`.
        k: Number of clusters. Defaults to `None`: where merging begins to cost much; see `number_of_clusters`.
        detail: "coarse", or "fine" for about 25 clusters, where `k` is not given. Defaults to "coarse".
        mode: "hudd" does step by step what the published tool does, with raw heatmaps; the first view must be that of
            the input, which it never chooses. Defaults to "default".
        linkage: "ward", "average", "complete", "single" or "weighted". Defaults to "ward".
        slicer: "hierarchy", "kmeans", "umap-hdbscan", "random", or a function such as `domino` returns. Defaults to
            "hierarchy".
        seed: Of everything random. Defaults to 0.
        level: Significance level. Defaults to 0.05.
        exact: Whether all distances are computed; if not, short vectors and small groups stand for the images.
            Defaults to `None`: below 50,000 images.
        memory: Bytes that vectors may take. Defaults to 1 GiB. The distances come on top, 2 N (N - 1) bytes, and 8 N
            (N - 1) while the tree is built.
        folder: Where the distances of each view are kept as `.npy` files. Defaults to `None`: nowhere.

    Returns:
        The clusters. Where there is nothing to divide that is said in the notes, not raised: no image gives no cluster,
        one to seven images or equal ones give one cluster.

    Raises:
        UsageError: When an argument cannot be used, or a vector holds a value that is not finite.

    Example:

    >>> random = np.random.default_rng(0)
    >>> maps = random.normal(size=(90, 50)) + np.repeat(6.0 * random.normal(size=(3, 50)), 30, axis=0)
    >>> found = cluster([View("conv", maps)])
    >>> found.k, found.sizes.tolist(), found.significance.significant
    (3, [30, 30, 30], True)
    """
    settings = ClusterSettings(k, detail, mode, linkage, slicer, seed, level, exact, memory)
    return group(views, settings, folder).clusters


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """The arguments of `cluster`."""

    k: int | None = None
    detail: str = "coarse"
    mode: str = "default"
    linkage: str = "ward"
    slicer: str | Slicer = "hierarchy"
    seed: int = 0
    level: float = LEVEL
    exact: bool | None = None
    memory: int = MEMORY


def group(views: Sequence[View], settings: ClusterSettings, folder: Path | None = None) -> Grouped:
    """Group images as `cluster` does, and keep what the clusters were made from.

    Args:
        views: How the images look.
        settings: The other arguments of `cluster`.
        folder: Where the distances of each view are kept. Defaults to `None`: nowhere.

    Raises:
        UsageError: As `cluster`.
    """
    _check(settings.detail, settings.mode, settings.linkage, settings.level)
    count = num_images(views)
    slicer_of(settings.slicer)  # refuses one that there is not, before any work
    if count < 2:
        return Grouped(_few(views, count, settings.level))
    if settings.mode == "hudd":
        _refuse_settings(settings)
        return _original(views, settings, folder)
    space, tree, labels, notes = _divided(views, settings, folder)
    return Grouped(_described(space, labels, tree, notes, settings), space, tree)


def partition(views: Sequence[View], settings: ClusterSettings) -> Labels:
    """Return the labels that `cluster` would give, without judging or describing the clusters.

    Args:
        views: How the images look, of two images or more; not in mode "hudd".
        settings: The other arguments of `cluster`.
    """
    return _divided(views, settings, None)[2]


def _divided(
    views: Sequence[View], settings: ClusterSettings, folder: Path | None
) -> tuple[Space, Dendrogram, Labels, list[Note]]:
    """Return where the images lie, their tree, the label of each, and what the reader should know."""
    seed, memory = settings.seed, settings.memory
    method = slicer_of(settings.slicer)
    exact = settings.exact
    if exact is None:
        exact = num_images(views) < EXACT_IMAGES
    space, notes = _space(views, exact, seed, memory, folder)
    tree = space.tree(settings.linkage)
    asked, detail = settings.k, settings.detail
    number, more = number_of_clusters(space, tree, detail) if asked is None else checked_number(asked, space, tree)
    notes += more
    labels = space.spread(tree.partition(number))
    if method is not None and number > 1:
        text = "Whether there are clusters was judged by a tree of the failures, not by the groups of the slicer."
        notes.append(Note("judged-by-tree", text))
        sliced = method(_points(space, views, seed, memory), number, seed)
        labels = renumbered(sliced.groups)
        notes += sliced.notes
    return space, tree, labels, notes


def _check(detail: str, mode: str, linkage: str, level: float) -> None:
    for name, value, allowed in (("detail", detail, DETAILS), ("mode", mode, MODES), ("linkage", linkage, LINKAGES)):
        if value not in allowed:
            raise UsageError(f"`{name}` is {value!r}; expected one of {', '.join(map(repr, allowed))}.")
    if not 0 < level < 1:
        raise UsageError(f"`level` is {level!r}; expected a number between 0 and 1, such as 0.05.")


def _refuse_settings(settings: ClusterSettings) -> None:
    """Refuse what the published pipeline decides by itself."""
    own = ClusterSettings()
    given = [name for name in ("k", "detail", "linkage", "slicer") if getattr(settings, name) != getattr(own, name)]
    if given:
        raise UsageError(
            f"HUDD as published decides by itself on `{given[0]}`; got {getattr(settings, given[0])!r}. Leave it out, "
            "or the mode."
        )


def _space(views: Sequence[View], exact: bool, seed: int, memory: int, folder: Path | None) -> tuple[Space, list[Note]]:
    if exact:
        distances, notes = combined(views, memory, folder)
        return ExactSpace(distances, num_images(views)), notes
    points, notes = sketch(views, seed=seed, memory=memory)
    micro = micro_clusters(points, seed=seed)
    text = (
        f"{len(points)} images are too many for all distances: {len(micro.weights)} groups of near images stand for "
        "them, at distances that are off by some 9 %."
    )
    return SketchSpace(points, micro), [*notes, Note("approximate", text)]


def _points(space: Space, views: Sequence[View], seed: int, memory: int) -> npt.NDArray[Any]:
    """Return short vectors of all images, for slicers that cannot work with distances."""
    if isinstance(space, SketchSpace):
        return space.points
    return sketch(views, seed=seed, memory=memory)[0]


def _few(views: Sequence[View], count: int, level: float) -> Clusters:
    """Return what there is to say about no image or one."""
    for view in views:
        if view.vectors is not None:
            view.rows.block(0, count)  # a value that is not finite is an error here too
    text = "There is no image to group." if count == 0 else "There is one image; it is a cluster of its own."
    return Clusters(
        labels=np.zeros(count, np.intp),
        medoids=np.zeros(count, np.intp),
        sizes=np.ones(count, np.intp),
        k=count,
        heights=np.zeros(0),
        notes=(Note("too-few-images", text),),
        significance=Significance(None, (None,) * count, level),
        between=np.zeros((count, count)),
        merges=np.zeros((0, 4)),
    )


def _original(views: Sequence[View], settings: ClusterSettings, folder: Path | None) -> Grouped:
    raw = [
        view_distances(replace(view, normalise="none"), np.float32, settings.memory, file)
        for view, file in zip(views, distance_files(views, folder), strict=True)
    ]
    layers = [original_clusters(distances, settings.memory) for distances in raw]
    place = choose_layer(layers)
    chosen = layers[place]
    text = f"HUDD as published chose the view {views[place].name!r}, of the smallest WICD, {chosen.wicd:.3g}."
    notes = [Note("view-chosen", text), *chosen.notes]
    space = ExactSpace(raw[place] / np.float32(chosen.unit or 1.0), len(chosen.labels))
    found = _described(space, chosen.labels, chosen.dendrogram, notes, settings)
    return Grouped(replace(found, view=views[place].name), space, chosen.dendrogram, tuple(layers))


def _between_centres(squares: Floats) -> npt.NDArray[np.float64]:
    """Return the distances of the centres: mean squared distances less half of those within, and the root."""
    within = np.diag(squares)
    distances: npt.NDArray[np.float64] = np.sqrt(np.maximum(squares - within[:, None] / 2 - within / 2, 0.0))
    return distances


def _described(
    space: Space, labels: Labels, tree: Dendrogram, notes: Sequence[Note], settings: ClusterSettings
) -> Clusters:
    sizes = np.bincount(labels[labels >= 0])
    squares = space.mean_squares(labels)
    top = ward_of_clusters(squares, sizes)
    chosen = sample(space.num_images, JUDGED_IMAGES, settings.seed)
    judged = significance(
        space.square(chosen), labels[chosen], len(sizes), settings.level, settings.seed, branches=top.branches()[:-1]
    )
    return Clusters(
        labels=labels,
        medoids=space.medoids(labels),
        sizes=sizes,
        k=len(sizes),
        heights=tree.heights[::-1][:99].copy(),
        notes=(*notes, *judged.notes),
        significance=judged,
        between=_between_centres(squares),
        merges=top.merges,
    )
