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
        size: Images in the bag; where they cannot be divided equally the first clusters have one more. Every labelled
            image is in it at least once, unless its cluster has more images than places.
        weights: "uniform" draws every image of a cluster as often (the paper); "distance" draws it with a probability
            that is proportional to 1 - d / sum(d) over the cluster (the published code). Defaults to "uniform".

    Returns:
        Positions among the labelled images, shape (size,); without labelled images the bag is empty.

    Raises:
        UsageError: When there are no such weights.
    """
    if weights not in WEIGHTS:
        raise UsageError(f"`weights` is {weights!r}; expected one of {', '.join(map(repr, WEIGHTS))}.")
    parts, known = [np.zeros(0, np.int64)], np.unique(clusters)
    for place, cluster in enumerate(known):
        members = np.flatnonzero(clusters == cluster)
        places = size // len(known) + (place < size % len(known))
        chances = None if weights == "uniform" else _chances(distances[members])
        more = random.choice(members, max(0, places - len(members)), p=chances)
        parts.append(np.concatenate([members, more])[:places])
    return np.concatenate(parts)


def _chances(distances: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    apart = np.asarray(distances, np.float64)
    total = float(apart.sum())
    if len(apart) == 1 or total == 0:
        return np.full(len(apart), 1 / len(apart))
    chances = 1 - apart / total
    found: npt.NDArray[np.float64] = chances / chances.sum()
    return found
