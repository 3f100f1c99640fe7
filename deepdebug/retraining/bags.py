"""Bags: the labelled images, drawn with replacement until every cluster has as many (HUDD, step 6)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from deepdebug.errors import UsageError

Ints = npt.NDArray[np.int64]
WEIGHTS = ("uniform", "distance")


def balanced_bag(
    clusters: Ints,
    distances: npt.NDArray[np.floating],
    random: np.random.Generator,
    *,
    size: int,
    weights: str = "uniform",
) -> Ints:
    """Return a bag in which every cluster has the same number of images.

    Args:
        clusters: Cluster of every labelled image, shape (labelled,).
        distances: Of every labelled image to its cluster, shape (labelled,).
        random: Draws the images.
        size: Images of each cluster in the bag; every labelled image is in it at least once where they are no more.
        weights: "uniform" draws every image of a cluster as often (the paper); "distance" draws it with a probability
            that is proportional to 1 - d / sum(d) over the cluster (the published code). Defaults to "uniform".

    Returns:
        Positions among the labelled images, shape (number of clusters * size,).

    Raises:
        UsageError: When there are no such weights.
    """
    if weights not in WEIGHTS:
        raise UsageError(f"`weights` is {weights!r}; expected one of {', '.join(map(repr, WEIGHTS))}.")
    parts = [np.zeros(0, np.int64)]
    for cluster in np.unique(clusters):
        members = np.flatnonzero(clusters == cluster)
        chances = None if weights == "uniform" else _chances(distances[members])
        more = random.choice(members, max(0, size - len(members)), p=chances)
        parts.append(np.concatenate([members, more])[:size])
    return np.concatenate(parts)


def bag_of_size(images: int, random: np.random.Generator, *, size: int) -> Ints:
    """Return a bag that is not balanced: all images, and others drawn with replacement.

    Args:
        images: Number of labelled images; 0 gives an empty bag.
        random: Draws the images.
        size: Images in the bag.

    Returns:
        Positions among the labelled images, shape (size,).
    """
    if not images:
        return np.zeros(0, np.int64)
    found = np.concatenate([np.arange(images), random.integers(0, images, max(0, size - images))])[:size]
    return found.astype(np.int64)


def _chances(distances: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    apart = np.asarray(distances, np.float64)
    total = float(apart.sum())
    if len(apart) == 1 or total == 0:
        return np.full(len(apart), 1 / len(apart))
    chances = 1 - apart / total
    found: npt.NDArray[np.float64] = chances / chances.sum()
    return found
