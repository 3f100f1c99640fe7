"""How near images are to clusters: one matrix product per block of images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from deepdebug.errors import UsageError
from deepdebug.hudd.rows import Floats, Source, rows_of

BLOCK = 2048  # images that are compared with all members at once
CLOSE = 1e-3  # of the squared norms: a smaller squared distance has lost its digits in float32


@dataclass(frozen=True, slots=True)
class Spread:
    """What a cluster looks like before anything is added to it.

    Args:
        size: Members.
        radius: Largest distance of a member to the mean of all.
        distance: Mean distance between two members, 0 for one member. (ICD, HUDD section III-C)
        squares: Mean squared distance of the members to their mean.
    """

    size: int
    radius: float
    distance: float
    squares: float


@dataclass(frozen=True, slots=True)
class Nearness:
    """Distances of images to clusters; every array has the shape (images, clusters), float32.

    Args:
        least: To the nearest member.
        mean: Mean over the members.
        centre: To the mean of the members.
        spreads: The clusters.
    """

    least: npt.NDArray[np.float32]
    mean: npt.NDArray[np.float32]
    centre: npt.NDArray[np.float32]
    spreads: tuple[Spread, ...]


def nearness(
    vectors: Source,
    members: Floats,
    labels: npt.NDArray[np.integer],
    *,
    block: int = BLOCK,
    advance: Callable[[int], object] = lambda _: None,
) -> Nearness:
    """Compare images with clusters.

    Args:
        vectors: Array of shape (images, values) or the path of a `.npy` file, of which blocks are read.
        members: Array of shape (failures, values).
        labels: Cluster of every failure, from 0; -1 for none. Shape (failures,).
        block: Images that are compared at once. Defaults to 2,048.
        advance: Is told how many more images are done. Defaults to nothing.

    Raises:
        UsageError: When the vectors have different lengths, or nothing is in a cluster.
    """
    rows = rows_of(vectors, "improvement set")
    sizes = cluster_sizes(rows.width, members, labels)
    kept = np.flatnonzero(labels >= 0)
    order = kept[np.argsort(labels[kept], kind="stable")]
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    shift = members[order].mean(axis=0, dtype=np.float64).astype(np.float32)
    sorted_members = members[order].astype(np.float32) - shift
    centres = np.stack([part.mean(axis=0, dtype=np.float64) for part in np.split(sorted_members, starts[1:])])
    spreads = tuple(
        _spread(part, centre) for part, centre in zip(np.split(sorted_members, starts[1:]), centres, strict=True)
    )
    found = [np.empty((len(rows), len(sizes)), np.float32) for _ in range(3)]
    least, mean, centre = found
    for start, raw in rows.blocks(block):
        part, values = slice(start, start + len(raw)), raw - shift
        apart = pairwise(values, sorted_members)
        least[part] = np.minimum.reduceat(apart, starts, axis=1)
        mean[part] = np.add.reduceat(apart, starts, axis=1) / sizes
        centre[part] = pairwise(values, centres.astype(np.float32))
        advance(len(values))
    return Nearness(least, mean, centre, spreads)


def cluster_sizes(width: int, members: Floats, labels: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """Return how many failures every cluster has.

    Args:
        width: Values of an image.
        members: The failures, shape (failures, values).
        labels: Cluster of each, from 0; -1 for none.

    Raises:
        UsageError: When a failure has not as many values as an image, nothing is in a cluster, or a cluster is empty.
    """
    if width != members.shape[1]:
        raise UsageError(f"Images have {width} values and members {members.shape[1]}; expected as many.")
    sizes = np.bincount(labels[labels >= 0])
    if not len(sizes):
        raise UsageError("No failure is in a cluster, so there is nothing to compare images with.")
    if not sizes.all():
        raise UsageError(f"Cluster {int(np.argmin(sizes))} has no members; expected numbers without a gap.")
    return sizes


def _spread(members: Floats, centre: Floats) -> Spread:
    off = np.linalg.norm(members - centre, axis=1)
    pairs = len(members) * (len(members) - 1)
    between = float(pairwise(members, members).sum(dtype=np.float64)) / pairs if pairs else 0.0
    return Spread(len(members), float(off.max()), between, float((off**2).mean()))


def pairwise(left: Floats, right: Floats) -> npt.NDArray[np.float32]:
    """Return all Euclidean distances, float32; those that lost their digits are computed once more.

    Args:
        left: Array of shape (L, values), float32.
        right: Array of shape (R, values), float32, of about the same place: a large common part costs digits.

    Returns:
        Array of shape (L, R).
    """
    one, other = (np.einsum("ij,ij->i", rows, rows) for rows in (left, right))
    squared = left @ right.T
    squared *= -2
    squared += one[:, None]
    squared += other
    lost = np.nonzero(squared < CLOSE * (one[:, None] + other))
    for first in range(0, len(lost[0]), BLOCK):
        row, column = (places[first : first + BLOCK] for places in lost)
        gap = left[row].astype(np.float64) - right[column]
        squared[row, column] = np.einsum("ij,ij->i", gap, gap)
    np.maximum(squared, 0, out=squared)
    found: npt.NDArray[np.float32] = np.sqrt(squared, out=squared)
    return found
