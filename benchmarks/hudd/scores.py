"""How well groups of failures agree with the known causes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import adjusted_mutual_info_score, homogeneity_completeness_v_measure

Labels = npt.NDArray[np.integer]
Flags = npt.NDArray[np.bool_]
PURE, FEWEST = 0.9, 5  # a cluster covers a cause with this purity and as many images (follow-up study of HUDD)
FIRST = 10  # images that one looks at first
INSPECTED = 5  # images per cluster, as in HUDD's Table 1


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of one partition.

    "Explained" are failures with a known cause; a strict score counts all others in a cluster against it.

    Args:
        ami: Adjusted mutual information with the cause, over failures with exactly one; failures in no cluster count as
            one more cluster. 1 for the same partition, 0 for chance; `None` where there are not two causes.
        ami_split: The same of as many clusters that are pure: each cause is dealt out at random to clusters of about
            equal size. What dividing causes alone costs.
        homogeneity: How far a cluster tells the cause, over the same failures; 1 where all clusters are pure.
        completeness: How far a cause tells the cluster; 1 where no cause is divided.
        purity: Share of the explained failures that have the most frequent cause of their cluster.
        coverage: Share of the causes with five failures or more that have a cluster of five explained failures or more,
            nine of ten with that cause.
        coverage_strict: The same among all failures of the cluster.
        f1: By cause with five failures or more, F1 of its best cluster among explained failures.
        f1_strict: The same among all failures.
        first: Mean over clusters: of the ten failures nearest to the medoid, the share with their most frequent cause.
        first_explained: The same among those of the ten that are explained.
        clusters: Number of clusters.
        inspected: Percentage of the failures that are seen when five of every cluster are.
    """

    ami: float | None
    ami_split: float | None
    homogeneity: float
    completeness: float
    purity: float
    coverage: float
    coverage_strict: float
    f1: Mapping[str, float]
    f1_strict: Mapping[str, float]
    first: float
    first_explained: float
    clusters: int
    inspected: float


def scores(labels: Labels, causes: Flags, names: Sequence[str], nearest: Sequence[Labels]) -> Scores:
    """Score a partition.

    Args:
        labels: Array of shape (N,) of labels 0, 1, ...; -1 stands for no cluster.
        causes: Which causes make each fail, shape (N, causes).
        names: Of the causes.
        nearest: By cluster, its members in the order of their distance to the medoid.
    """
    clusters = int(labels.max(initial=-1)) + 1
    counts = np.array([causes[labels == label].sum(axis=0) for label in range(clusters)]).reshape(clusters, len(names))
    sizes = np.bincount(labels[labels >= 0], minlength=clusters)
    explained = np.bincount(labels[(labels >= 0) & causes.any(axis=1)], minlength=clusters)
    frequent = [int(cause) for cause in np.flatnonzero(causes.sum(axis=0) >= FEWEST)]
    heads = [causes[members[:FIRST]] for members in nearest]
    totals = causes.sum(axis=0)
    homogeneity, completeness = _one_sided(labels, causes)
    return Scores(
        ami=agreement(labels, causes),
        ami_split=agreement(split(causes, clusters), causes),
        homogeneity=homogeneity,
        completeness=completeness,
        purity=_share(counts.max(axis=1, initial=0).sum(), explained.sum()),
        coverage=_coverage(counts, explained, frequent),
        coverage_strict=_coverage(counts, sizes, frequent),
        f1={names[cause]: _best_f1(counts[:, cause], explained, totals[cause]) for cause in frequent},
        f1_strict={names[cause]: _best_f1(counts[:, cause], sizes, totals[cause]) for cause in frequent},
        first=_mean([_share(head.sum(axis=0).max(initial=0), len(head)) for head in heads]),
        first_explained=_mean([_share(head.sum(axis=0).max(initial=0), head.any(axis=1).sum()) for head in heads]),
        clusters=clusters,
        inspected=100.0 * INSPECTED * clusters / max(1, len(labels)),
    )


def agreement(labels: Labels, causes: Flags) -> float | None:
    """Return the adjusted mutual information of labels and cause, over failures with exactly one cause.

    Where there are not two causes to be told apart it is `None`.

    Args:
        labels: Array of shape (N,).
        causes: Which causes make each fail, shape (N, causes).
    """
    single = causes.sum(axis=1) == 1
    cause = causes[single].argmax(axis=1)
    return float(adjusted_mutual_info_score(cause, labels[single])) if len(set(cause.tolist())) > 1 else None


def split(causes: Flags, clusters: int) -> Labels:
    """Return labels of pure clusters of about equal size: a cause has as many as its share of the failures asks for.

    Args:
        causes: Which causes make each fail, shape (N, causes).
        clusters: Number of clusters; every cause has at least one.
    """
    single = causes.sum(axis=1) == 1
    cause = causes.argmax(axis=1)
    labels = np.full(len(causes), -1, np.intp)
    random, first = np.random.default_rng(0), 0
    for one in np.unique(cause[single]):
        own = np.flatnonzero(single & (cause == one))
        parts = max(1, round(clusters * len(own) / int(single.sum())))
        labels[own] = first + random.permutation(len(own)) % parts
        first += parts
    return labels


def _one_sided(labels: Labels, causes: Flags) -> tuple[float, float]:
    single = causes.sum(axis=1) == 1
    if not single.any():
        return 0.0, 0.0
    homogeneity, completeness, _ = homogeneity_completeness_v_measure(causes[single].argmax(axis=1), labels[single])
    return float(homogeneity), float(completeness)


def _coverage(counts: npt.NDArray[np.integer], sizes: Labels, causes: Sequence[int]) -> float:
    if not causes:
        return 0.0
    enough = sizes >= FEWEST
    covered = enough[:, None] & (counts >= PURE * sizes[:, None])
    return float(covered[:, causes].any(axis=0).mean())


def _best_f1(inside: Labels, sizes: Labels, total: int) -> float:
    return float((2.0 * inside / np.maximum(sizes + total, 1)).max(initial=0.0))


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else 0.0


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else 0.0
