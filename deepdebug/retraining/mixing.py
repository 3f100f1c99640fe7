"""The unsafe set in two halves: images where the failures lie close together, and images spread as they are.

The nearest images to any failure are the surest ones where failures are dense, and miss causes whose failures lie
apart; matching finds those, and takes some images that look like an outlier. Half of each did best over simulated and
real images together (`docs/retraining-results.md`, "What was tried").
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from deepdebug.retraining.assigning import Chosen, Floats, Ints, assign, placed
from deepdebug.retraining.matching import Progress, match, silent
from deepdebug.retraining.nearness import Nearness

MIXED = "Mixed"
NONE = np.zeros(0, np.int64)
NOTHING = Chosen(NONE, NONE, NONE, NONE.astype(np.float32))


def mix(
    near: Nearness,
    quotas: Ints,
    *,
    vectors: Floats,
    members: Floats,
    labels: npt.NDArray[np.integer],
    progress: Progress = silent,
) -> Chosen:
    """Fill half of every quota, rounded down, by `assign` in its mode "ClosestU", and the rest by `match`.

    Args:
        near: Distances of the images to the clusters.
        quotas: Images for each cluster; shape (clusters,).
        vectors: The images, shape (images, values).
        members: The failures, shape (failures, values).
        labels: Cluster of every failure, from 0; -1 for none. Shape (failures,).
        progress: Is told of the beginning of the second half, and of every image of it. Defaults to `silent`.

    Raises:
        UsageError: When there is no quota.
    """
    half = quotas // 2
    nearest = assign(near, half.tolist()) if half.any() else NOTHING
    rest = (quotas - half).tolist()
    matched = match(vectors, members, labels, rest, taken=nearest.images, progress=progress)
    images, clusters = (
        np.concatenate([getattr(one, name) for one in (nearest, matched)]) for name in ("images", "clusters")
    )
    return placed(images, clusters, near.least[images], quotas)
