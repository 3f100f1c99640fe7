"""The ways to group failures that are compared."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from benchmarks.hudd import embedding
from deepdebug.hudd import View, cluster, feature_views, heatmap_views, pair_partition, pixel_view
from deepdebug.hudd.condensed import row
from deepdebug.hudd.medoids import medoids
from deepdebug.hudd.views import combined, view_distances

if TYPE_CHECKING:
    from benchmarks.hudd.vectors import Vectors

Labels = npt.NDArray[np.intp]
DEFAULT, FINE, FUSED, PUBLISHED, LAYERS = "Z", "Z fine", "Z+F+I", "mode hudd", "layers"
OTHER_RULE, KNOWN, TWICE = "Z epsilon-plus", "Z, K known", "Z, 2K known"


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to group failures.

    Args:
        name: What tables call it.
        views: Returns what `cluster` gets.
        options: What else it gets. Defaults to nothing.
        times_causes: The number of clusters is so many times that of the causes, which only the truth tells. Defaults
            to 0: the number is chosen.
        needs: "embedding", "umap", "classes" or "values", without which it is left out. Defaults to nothing.
    """

    name: str
    views: Callable[[Vectors], list[View]]
    options: Mapping[str, Any] = field(default_factory=dict)
    times_causes: int = 0
    needs: tuple[str, ...] = ()


def relevance(vectors: Vectors, composite: str = "z-plus", with_labels: bool = False) -> list[View]:
    """Return the views of relevance (Z).

    Args:
        vectors: Of the failures.
        composite: The rules. Defaults to "z-plus".
        with_labels: Whether the labels of a regression say which output is explained. Defaults to `False`.
    """
    return heatmap_views(vectors.relevance(composite, with_labels))


def published(vectors: Vectors) -> list[View]:
    """Return the views that HUDD has: raw relevance at every layer, that of the input first."""
    return [View(name, maps, normalise="none") for name, maps in vectors.published().items()]


def features(vectors: Vectors) -> list[View]:
    """Return the views of the last convolution (F) and of the embedding (I)."""
    return feature_views(vectors.activations(), vectors.embedding())


def last_convolution(vectors: Vectors) -> list[View]:
    """Return view F alone."""
    return [View("activations", vectors.activations(), normalise="l2")]


def embedded(vectors: Vectors) -> list[View]:
    """Return view I alone."""
    return [View("embedding", vectors.embedding(), normalise="l2")]


ARMS: Mapping[str, Arm] = {
    arm.name: arm
    for arm in (
        Arm(PUBLISHED, published, {"mode": "hudd"}),
        Arm(DEFAULT, relevance),
        Arm(FINE, relevance, {"detail": "fine"}),
        Arm(LAYERS, relevance),
        Arm("F", last_convolution),
        Arm("I", embedded, needs=("embedding",)),
        Arm(FUSED, lambda vectors: relevance(vectors) + features(vectors), needs=("embedding",)),
        Arm("F+I", features, needs=("embedding",)),
        Arm("I, UMAP + HDBSCAN", embedded, {"slicer": "umap-hdbscan"}, needs=("embedding", "umap")),
        Arm("Z, UMAP + HDBSCAN", relevance, {"slicer": "umap-hdbscan"}, needs=("umap",)),
        Arm("pixels", lambda vectors: [pixel_view(vectors.failures.pictures)]),
        Arm("pairs", relevance, needs=("classes",)),
        Arm("k-means", relevance, {"slicer": "kmeans"}),
        Arm("random", relevance, {"slicer": "random"}),
        Arm(KNOWN, relevance, times_causes=1),
        Arm(TWICE, relevance, times_causes=2),
        Arm(OTHER_RULE, lambda vectors: relevance(vectors, "epsilon-plus")),
        Arm("Z by labels", lambda vectors: relevance(vectors, with_labels=True), needs=("values",)),
    )
}
OF_RQ1 = tuple(name for name in ARMS if name != OTHER_RULE)
OF_BEYOND = (PUBLISHED, DEFAULT, FINE, KNOWN, OTHER_RULE, LAYERS, "F", "I", FUSED, "pixels", "pairs", "random")


@dataclass(frozen=True, slots=True)
class Grouped:
    """What an arm found.

    Args:
        name: Of the arm; "layer 1", "layer 2", ... for single layers.
        labels: Array of shape (N,); -1 for no cluster.
        nearest: By cluster, its members in the order of their distance to the medoid.
        view: Name of the chosen view, or of the single one. Defaults to `None`.
    """

    name: str
    labels: Labels
    nearest: tuple[Labels, ...]
    view: str | None = None


def unavailable() -> dict[str, str]:
    """Return what arms may need and is not there, and why."""
    found = {}
    if embedding.missing():
        found["embedding"] = f"not installed: {', '.join(embedding.missing())}"
    if importlib.util.find_spec("umap") is None:
        found["umap"] = "not installed: umap-learn"
    return found


def possible(names: Sequence[str]) -> list[str]:
    """Return the names of those arms for which everything is installed."""
    absent = unavailable().keys()
    return [name for name in names if absent.isdisjoint(ARMS[name].needs)]


def grouped(arm: Arm, vectors: Vectors, seed: int, causes: int) -> Iterator[Grouped]:
    """Yield what an arm finds: one partition, or one per layer.

    Args:
        arm: The arm.
        vectors: Of the failures.
        seed: Of everything random.
        causes: How many causes there are, for arms that are told.
    """
    views = arm.views(vectors)
    if arm.name == LAYERS:
        for number, view in enumerate(views, start=1):
            yield _clustered(f"layer {number}", [view], {}, seed, view.name)
    elif arm.name == "pairs":
        failures = vectors.failures
        labels = pair_partition(failures.targets, failures.outputs.argmax(axis=1))
        yield Grouped(arm.name, labels, _nearest(labels, combined(views)[0]))
    else:
        known = {"k": arm.times_causes * causes} if arm.times_causes else {}
        yield _clustered(arm.name, views, {**arm.options, **known}, seed)


def _clustered(
    name: str, views: Sequence[View], options: Mapping[str, Any], seed: int, view: str | None = None
) -> Grouped:
    found = cluster(views, seed=seed, **options)
    chosen = [one for one in views if one.name == found.view]
    distances = view_distances(chosen[0]) if chosen else combined(views)[0]
    return Grouped(name, found.labels, _nearest(found.labels, distances), found.view or view)


def _nearest(labels: Labels, distances: npt.NDArray[Any]) -> tuple[Labels, ...]:
    found = []
    for label, medoid in enumerate(medoids(distances, labels)):
        members = np.flatnonzero(labels == label)
        found.append(members[np.argsort(row(distances, int(medoid), len(labels))[members], kind="stable")])
    return tuple(found)
