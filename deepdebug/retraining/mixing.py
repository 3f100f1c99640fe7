"""The unsafe set in two halves: images where the failures lie close together, and images spread as they are.

The nearest images to any failure are the surest ones where failures are dense, and miss causes whose failures lie
apart; matching finds those, and takes some images that look like an outlier. Half of each did best over simulated and
real images together (`docs/retraining-results.md`, "What was tried").
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from deepdebug.retraining.assigning import Chosen, Floats, Ints, assign
from deepdebug.retraining.matching import match
from deepdebug.retraining.nearness import Nearness

MIXED = "Mixed"


def mix(
    near: Nearness,
    quotas: Ints,
    *,
    vectors: Floats,
    members: Floats,
    labels: npt.NDArray[np.integer],
    advance: Callable[[int], object] = lambda _: None,
) -> Chosen:
    """Fill half of every quota, rounded down, by `assign` in its mode "ClosestU", and the rest by `match`.

    Args:
        near: Distances of the images to the clusters.
        quotas: Images for each cluster; shape (clusters,).
        vectors: The images, shape (images, values).
        members: The failures, shape (failures, values).
        labels: Cluster of every failure, from 0; -1 for none. Shape (failures,).
        advance: Is told how many more images of the second half are chosen. Defaults to nothing.

    Raises:
        UsageError: When there is no quota.
    """
    half = quotas // 2
    if not half.any():
        return match(vectors, members, labels, quotas.tolist(), advance=advance)
    nearest = assign(near, half.tolist())
    matched = match(vectors, members, labels, (quotas - half).tolist(), taken=nearest.images, advance=advance)
    return Chosen(
        np.concatenate([nearest.images, matched.images]),
        np.concatenate([nearest.clusters, matched.clusters]),
        np.concatenate([nearest.ranks, matched.ranks]),
        np.concatenate([nearest.distances, matched.distances]),
    ).sorted()
