"""The unsafe set by matching: every failure claims the image of the improvement set that is nearest to it.

Images nearest to *any* failure of a cluster (`assigning`) lie where its failures lie close together; failures that
lie apart, as those of noisy images do, get none. Here every failure has its turn, so that the images are spread as the
failures are. It is nearest-neighbour matching without replacement, in random order (D. B. Rubin, Matching to remove
bias in observational studies, Biometrics 29, 1973), where every quota is a sample of the failures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from deepdebug.errors import UsageError
from deepdebug.retraining.assigning import Chosen, Flags, Floats, Ints, placed
from deepdebug.retraining.nearness import cluster_sizes, nearness, pairwise

MATCHED = "Matched"
ENTRIES = 2**22  # distances that are held at once, several times over: about 64 MiB in all
TIE = 1e-4  # by which distances in float32 may be off, so that nearer ones are compared once more
Progress = Callable[[str, int], Callable[[int], object]]  # begins a stage of so many parts; the result counts them


def silent(_stage: str, _total: int) -> Callable[[int], object]:
    """Show no progress."""
    return lambda _: None


def match(
    vectors: Floats,
    members: Floats,
    labels: npt.NDArray[np.integer],
    quotas: Sequence[int],
    *,
    taken: Ints | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> Chosen:
    """Let the failures claim images in rounds, in each round in random order, until every quota is filled.

    A failure claims the nearest image that is free; of equally near ones the first. In a round every failure of a
    cluster has one turn, until the quota of its cluster is filled; there is another round where it is not.

    Args:
        vectors: Array of shape (images, values).
        members: Array of shape (failures, values).
        labels: Cluster of every failure, from 0; -1 for none. Shape (failures,).
        quotas: Images for each cluster; shape (clusters,). A cluster with 0 takes no part.
        taken: Images that are not free. Defaults to `None`: all are.
        seed: Of the order. Defaults to 0.
        progress: Is told of the beginning and of every image. Defaults to `silent`.

    Raises:
        UsageError: When vectors have different lengths, quotas and clusters do not fit, or there is no quota.
    """
    wanted = np.asarray(quotas, np.int64)
    sizes = cluster_sizes(vectors.shape[1], members, labels)
    if len(wanted) != len(sizes):
        raise UsageError(f"There are {len(wanted)} quotas for {len(sizes)} clusters; expected as many.")
    if not wanted.any():
        raise UsageError("No cluster has two failures or more, so there is no cause to look for.")
    free = np.ones(len(vectors), np.bool_)
    free[[] if taken is None else taken] = False
    claims = _turns(labels, wanted, np.random.default_rng(seed))[: free.sum()]
    images = _claimed(vectors, free, members, claims, progress("Matching", len(claims)))
    least = nearness(vectors[images], members, labels).least
    return placed(images, labels[claims].astype(np.int64), least, wanted)


def _turns(labels: npt.NDArray[np.integer], quotas: Ints, random: np.random.Generator) -> Ints:
    """Return the failure of every turn, as many for each cluster as its quota."""
    turns, rounds = [], []
    for cluster in np.flatnonzero(quotas):
        own, quota = np.flatnonzero(labels == cluster), int(quotas[cluster])
        more = [random.permutation(own) for _ in range(0, quota, len(own))]
        turns.append(np.concatenate(more)[:quota])
        rounds.append(np.arange(quota) // len(own))
    order = np.lexsort((random.permutation(int(quotas.sum())), np.concatenate(rounds)))
    return np.concatenate(turns)[order].astype(np.int64)


def _claimed(vectors: Floats, free: Flags, members: Floats, claims: Ints, advance: Callable[[int], object]) -> Ints:
    """Return the image that each claim gets, in their order."""
    shift = members.mean(axis=0, dtype=np.float64).astype(np.float32)
    moved, free, images = vectors.astype(np.float32), free.copy(), np.empty(len(claims), np.int64)
    moved -= shift
    size = max(1, ENTRIES // max(1, len(vectors)))
    for start in range(0, len(claims), size):
        some = members[claims[start : start + size]].astype(np.float32) - shift
        for place, row in enumerate(pairwise(some, moved), start):
            row[~free] = np.inf
            images[place] = _nearest(row, moved, some[place - start])
            free[images[place]] = False
        advance(len(some))
    return images


def _nearest(distances: Floats, vectors: Floats, claimant: Floats) -> int:
    """Return the nearest image, of equally near ones the first, whatever the last digits of the distances are."""
    close = np.flatnonzero(distances <= (1 + TIE) * distances.min())
    off = vectors[close].astype(np.float64) - claimant
    return int(close[np.argmin(np.einsum("ij,ij->i", off, off))])
