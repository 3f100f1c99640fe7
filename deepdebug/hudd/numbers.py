"""How many clusters there are: the knee of the heights at which groups are merged."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from deepdebug.errors import UsageError
from deepdebug.hudd.knee import Knee, deepest_knee, find_knee
from deepdebug.hudd.linkage import Dendrogram
from deepdebug.hudd.notes import Note
from deepdebug.hudd.silhouettes import sample, silhouettes
from deepdebug.hudd.space import Space

# Over 2..100 the knee came out one above the planted number for 3, 5, 8, 16 and 30 blobs; over 2..40 it missed 30.
MOST = 100
IMAGES_PER_CLUSTER = 4
FEWEST_IMAGES = 8  # with fewer there is no choice: 2..N / 4 is empty
FINE = 25  # clusters in which more planted causes had one to themselves than in the coarse ones
DETAILS = ("coarse", "fine")


def largest_number(space: Space, tree: Dendrogram) -> int:
    """Return the most clusters that are considered: min(100, N / 4), and as many as there are different images."""
    return min(MOST, space.num_images // IMAGES_PER_CLUSTER, tree.max_clusters)


def number_of_clusters(space: Space, tree: Dendrogram, detail: str = "coarse") -> tuple[int, list[Note]]:
    """Return the number of clusters, and what the reader should know about it.

    "coarse" is the deepest knee of the merge heights over 2..min(100, N / 4), less one: the height at k is that of the
    merge which leaves k - 1, so the first low one is one above the number of clusters. On a cloud without structure it
    is still some number from 8 to 30; see `significance`.

    Args:
        space: The images.
        tree: Their dendrogram.
        detail: "coarse" or "fine", which is 25 clusters for inspection, or as many as there are images for, and never
            fewer than the coarse ones. Defaults to "coarse".

    Raises:
        UsageError: When there is no such detail.
    """
    if detail not in DETAILS:
        raise UsageError(f"`detail` is {detail!r}; expected 'coarse' or 'fine'.")
    if space.num_images < FEWEST_IMAGES:
        text = f"{space.num_images} images are too few to be divided; a division needs {FEWEST_IMAGES}."
        return 1, [Note("too-few-images", text)]
    most = largest_number(space, tree)
    if most < 2:
        return 1, [Note("all-equal", "All images are equal in every view; there is nothing to divide.", True)]
    knee = _knee(space, tree, np.arange(2, most + 1))
    coarse = max(2, knee.at - 1) if knee.how != "silhouette" else knee.at
    return (max(coarse, min(FINE, most)) if detail == "fine" else coarse), knee.notes


def checked_number(k: int, space: Space, tree: Dendrogram) -> tuple[int, list[Note]]:
    """Return a number of clusters that someone asked for, less where equal images would be parted.

    Raises:
        UsageError: When it is no number from 1 to the number of images.
    """
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 1 <= k <= space.num_images:
        raise UsageError(f"`k` is {k!r}; expected a whole number from 1 to the {space.num_images} images.")
    if k > tree.max_clusters:
        text = f"{k} clusters were asked for, but only {tree.max_clusters} images, or groups of near ones, differ."
        return tree.max_clusters, [Note("fewer-clusters", text, warning=True)]
    return int(k), []


def _knee(space: Space, tree: Dendrogram, numbers: npt.NDArray[Any]) -> Knee:
    heights = tree.heights[tree.num_leaves - numbers]

    def scores() -> npt.NDArray[np.float64]:
        chosen = sample(space.num_images)
        return silhouettes(space.square(chosen), lambda k: space.spread(tree.partition(k)), numbers, chosen)

    if len(numbers) < 3:
        return Knee(2, "kneedle")
    return find_knee(numbers, heights, "convex", "decreasing", scores, kneedle=deepest_knee)
