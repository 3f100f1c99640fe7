"""Where the images lie to each other: all distances where they fit, short vectors where there are too many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from deepdebug.errors import UsageError
from deepdebug.hudd.condensed import mean_squares, row, square
from deepdebug.hudd.linkage import Dendrogram, Labels, build
from deepdebug.hudd.medoids import central_members, medoids
from deepdebug.hudd.micro import Micro, nearest
from deepdebug.hudd.rows import Floats
from deepdebug.hudd.weighted_ward import weighted_ward


class Space(Protocol):
    """What clustering asks about the images."""

    @property
    def num_images(self) -> int:
        """Number of images."""

    def tree(self, linkage: str) -> Dendrogram:
        """Return the dendrogram of all images, or of groups of near ones."""

    def spread(self, labels: Labels) -> Labels:
        """Return the labels of all images for labels of the dendrogram's leaves."""

    def medoids(self, labels: Labels) -> Labels:
        """Return the image that stands for each cluster."""

    def square(self, chosen: npt.NDArray[np.integer[Any]]) -> Floats:
        """Return the matrix of distances among chosen images."""

    def distances_to(self, image: int) -> Floats:
        """Return the distances of all images to one of them, of shape (N,)."""

    def nearest(self, chosen: Labels) -> Labels:
        """Return, for every image, the position in `chosen` of the nearest of these images."""

    def mean_squares(self, labels: Labels) -> Floats:
        """Return the mean squared distances of the clusters 0, 1, ... to each other, of shape (clusters, clusters).

        On the diagonal every pair of members counts twice, and every member with itself.
        """


@dataclass(frozen=True, slots=True)
class ExactSpace:
    """All distances.

    Args:
        distances: Condensed distances, of shape (N (N - 1) / 2,).
        num_images: N.
    """

    distances: npt.NDArray[Any]
    num_images: int

    def tree(self, linkage: str) -> Dendrogram:
        """See `Space`."""
        return build(self.distances, linkage)

    def spread(self, labels: Labels) -> Labels:
        """See `Space`."""
        return labels

    def medoids(self, labels: Labels) -> Labels:
        """See `Space`; the member with the smallest sum of distances to the others."""
        return medoids(self.distances, labels)

    def square(self, chosen: npt.NDArray[np.integer[Any]]) -> Floats:
        """See `Space`."""
        return square(self.distances, chosen, self.num_images)

    def distances_to(self, image: int) -> Floats:
        """See `Space`."""
        return row(self.distances, image, self.num_images)

    def nearest(self, chosen: Labels) -> Labels:
        """See `Space`."""
        least, found = np.full(self.num_images, np.inf), np.zeros(self.num_images, np.intp)
        for place, image in enumerate(chosen):
            apart = self.distances_to(int(image))
            nearer = apart < least
            found[nearer], least[nearer] = place, apart[nearer]
        return found

    def mean_squares(self, labels: Labels) -> Floats:
        """See `Space`."""
        return mean_squares(self.distances, labels)


@dataclass(frozen=True, slots=True)
class SketchSpace:
    """Short vectors, and groups of near images in place of images.

    Args:
        points: Array of shape (N, values).
        micro: The groups.
    """

    points: Floats
    micro: Micro

    @property
    def num_images(self) -> int:
        """Number of images."""
        return len(self.points)

    def tree(self, linkage: str) -> Dendrogram:
        """See `Space`; of the groups, each counted as often as it has members."""
        if linkage != "ward":
            raise UsageError(
                f"`linkage` is {linkage!r} where there are too many images for all distances; only 'ward' works there. "
                "Pass `exact=True` to force it, which takes 12 N (N - 1) bytes, or fewer images."
            )
        return weighted_ward(self.micro.centres, self.micro.weights)

    def spread(self, labels: Labels) -> Labels:
        """See `Space`."""
        return labels[self.micro.group]

    def medoids(self, labels: Labels) -> Labels:
        """See `Space`; the member nearest to the mean."""
        return central_members(self.points, labels)

    def square(self, chosen: npt.NDArray[np.integer[Any]]) -> Floats:
        """See `Space`."""
        some = self.points[chosen].astype(np.float64)
        some -= some.mean(axis=0)
        norms = np.einsum("ij,ij->i", some, some)
        squared: Floats = np.maximum(norms[:, None] + norms - 2.0 * (some @ some.T), 0.0)
        np.fill_diagonal(squared, 0.0)
        return np.sqrt(squared, out=squared)

    def distances_to(self, image: int) -> Floats:
        """See `Space`."""
        apart: Floats = np.linalg.norm(self.points - self.points[image], axis=1).astype(np.float64)
        return apart

    def nearest(self, chosen: Labels) -> Labels:
        """See `Space`."""
        return nearest(self.points, self.points[chosen])

    def mean_squares(self, labels: Labels) -> Floats:
        """See `Space`; the squared distance of the means, and the variance of both clusters."""
        parts = [self.points[labels == label].astype(np.float64) for label in range(int(labels.max(initial=-1)) + 1)]
        if not parts:
            return np.zeros((0, 0))
        means = np.stack([part.mean(axis=0) for part in parts])
        spreads = np.array([((part - mean) ** 2).sum() / len(part) for part, mean in zip(parts, means, strict=True)])
        apart = ((means[:, None] - means) ** 2).sum(axis=2)
        squares: Floats = apart + spreads[:, None] + spreads
        return squares
