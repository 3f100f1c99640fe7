"""The unsafe set: images of the improvement set that look like the failures of a cluster (HUDD, step 4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from deepdebug.errors import UsageError
from deepdebug.retraining.nearness import Nearness

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.floating]
Flags = npt.NDArray[np.bool_]
BY_DISTANCE = ("ClosestU", "Centroid", "ClosestICD", "SSE")


@dataclass(frozen=True, slots=True)
class Chosen:
    """Images that were chosen for labelling, cluster by cluster and by growing distance.

    Args:
        images: Their rows in the improvement set, shape (chosen,).
        clusters: The cluster of each, from 0; -1 where images were chosen without clusters.
        ranks: 0 where that is the cluster nearest to the image, 1 where it is the second nearest, and so on.
        distances: To the cluster: to its nearest member or, in the modes "Centroid" and "SSE", to their mean.
    """

    images: Ints
    clusters: Ints
    ranks: Ints
    distances: Floats

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.images)

    def take(self, positions: Ints) -> Chosen:
        """Return some of the images.

        Args:
            positions: Which.
        """
        return Chosen(
            self.images[positions], self.clusters[positions], self.ranks[positions], self.distances[positions]
        )

    def without(self, images: Ints) -> Chosen:
        """Return the others.

        Args:
            images: Rows of images in the improvement set.
        """
        return self.take(np.flatnonzero(~np.isin(self.images, images)))

    def sorted(self) -> Chosen:
        """Return the same by cluster and by growing distance, of equal ones the first image first."""
        return self.take(np.lexsort((self.images, self.distances, self.clusters)))


def placed(images: Ints, clusters: Ints, least: Floats, quotas: Ints) -> Chosen:
    """Return images that are chosen for clusters, with their ranks and distances.

    Args:
        images: Their rows in the improvement set, shape (chosen,).
        clusters: The cluster of each.
        least: Distance of each to the nearest member of every cluster, shape (chosen, clusters).
        quotas: Images for each cluster; one with 0 takes no part in the ranks.
    """
    distances = least[np.arange(len(images)), clusters]
    ranks = (least[:, quotas > 0] < distances[:, None]).sum(axis=1)
    return Chosen(images, clusters, ranks, distances).sorted()


def assign(near: Nearness, quotas: Sequence[int], mode: str = "ClosestU") -> Chosen:
    """Fill the quota of every cluster with images that are near to it; no image is chosen twice.

    Args:
        near: Distances of the images to the clusters.
        quotas: Most images for each cluster; shape (clusters,). A cluster with 0 takes no part.
        mode: Which images a cluster takes, always the nearest first:

            - "ClosestU": in rounds. In the first, images may go to the cluster with the nearest member; images that
              found it full may in the second go to the second nearest, and so on. (HUDD, section III-D)
            - "ClosestICD": to the cluster with the nearest member, unless they make its mean distance between members
              larger.
            - "Centroid": to the cluster with the nearest mean, if they lie within its radius and do not make its mean
              distance between members larger.
            - "SSE": to the cluster whose mean squared distance to its mean they make smaller, of several the one that
              gains most.

            All but the first may leave quotas unfilled. Defaults to "ClosestU".

    Raises:
        UsageError: When there is no such mode, or no quota.
    """
    if mode not in BY_DISTANCE:
        raise UsageError(f"`mode` is {mode!r}; expected one of {', '.join(map(repr, BY_DISTANCE))}.")
    wanted = np.asarray(quotas, np.int64)
    part = np.flatnonzero(wanted > 0)
    if not len(part):
        raise UsageError("No cluster has two failures or more, so there is no cause to look for.")
    found = _MODES[mode](near, part, wanted[part])
    return replace(found, clusters=part[found.clusters]).sorted()


def _closest(near: Nearness, part: Ints, quotas: Ints) -> Chosen:
    distances = near.least[:, part]
    ranked = np.argsort(distances, axis=1, kind="stable")
    free, room = np.ones(len(distances), np.bool_), quotas.copy()
    taken: list[tuple[Ints, int, int]] = []
    for rank in range(len(part)):
        # Visiting all images by distance fills the clusters one by one: none can take from another in the same round.
        for cluster in np.flatnonzero(room):
            candidates = np.flatnonzero(free & (ranked[:, rank] == cluster))
            images = _nearest(candidates, distances[candidates, cluster], int(room[cluster]))
            taken.append((images, int(cluster), rank))
            free[images] = False
            room[cluster] -= len(images)
        if not room.any():
            break
    return _joined(taken, lambda images, cluster: distances[images, cluster])


def _within(near: Nearness, part: Ints, quotas: Ints, distances: Floats, accepted: Flags) -> Chosen:
    """Give every image to its nearest cluster, where that accepts it."""
    nearest = np.argmin(distances, axis=1)
    taken = []
    for cluster, quota in enumerate(quotas):
        candidates = np.flatnonzero((nearest == cluster) & accepted[:, cluster])
        taken.append((_nearest(candidates, distances[candidates, cluster], int(quota)), cluster, 0))
    return _joined(taken, lambda images, cluster: distances[images, cluster])


def _closest_icd(near: Nearness, part: Ints, quotas: Ints) -> Chosen:
    return _within(near, part, quotas, near.least[:, part], _as_compact(near, part))


def _centroid(near: Nearness, part: Ints, quotas: Ints) -> Chosen:
    inside = near.centre[:, part] <= [near.spreads[one].radius for one in part]
    return _within(near, part, quotas, near.centre[:, part], inside & _as_compact(near, part))


def _squares(near: Nearness, part: Ints, quotas: Ints) -> Chosen:
    size = np.array([near.spreads[one].size for one in part], np.float64)
    squares = np.array([near.spreads[one].squares for one in part], np.float64)
    off = near.centre[:, part].astype(np.float64) ** 2
    # The mean moves by a part of the way to the new image, so its own share is size / (size + 1) of the square.
    after = (squares * size + off * size / (size + 1)) / (size + 1)
    gain = squares - after
    best = np.argmax(gain, axis=1)
    taken = []
    for cluster, quota in enumerate(quotas):
        candidates = np.flatnonzero((best == cluster) & (gain[:, cluster] >= 0))
        distances = near.centre[candidates, part[cluster]]
        taken.append((_nearest(candidates, distances, int(quota)), cluster, 0))
    return _joined(taken, lambda images, cluster: near.centre[images, part[cluster]])


def _as_compact(near: Nearness, part: Ints) -> Flags:
    """Say which images do not make the mean distance between the members of a cluster larger."""
    found: Flags = near.mean[:, part] <= [near.spreads[one].distance for one in part]
    return found


def _nearest(candidates: Ints, distances: Floats, most: int) -> Ints:
    """Return the candidates with the smallest distances, of equal ones the first."""
    if most < len(candidates):
        limit = np.partition(distances, most)[most]
        few = distances <= limit
        candidates, distances = candidates[few], distances[few]
    return candidates[np.argsort(distances, kind="stable")[:most]]


def _joined(taken: Sequence[tuple[Ints, int, int]], distances: Callable[[Ints, int], Floats]) -> Chosen:
    return Chosen(
        np.concatenate([images for images, _, _ in taken]).astype(np.int64),
        np.concatenate([np.full(len(images), cluster, np.int64) for images, cluster, _ in taken]),
        np.concatenate([np.full(len(images), rank, np.int64) for images, _, rank in taken]),
        np.concatenate([distances(images, cluster) for images, cluster, _ in taken]),
    )


_MODES: dict[str, Callable[[Nearness, Ints, Ints], Chosen]] = {
    "ClosestU": _closest,
    "Centroid": _centroid,
    "ClosestICD": _closest_icd,
    "SSE": _squares,
}
