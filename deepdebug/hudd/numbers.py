"""How many clusters there are: the knee of what merges cost, or a cliff behind it.

Merging two groups by Ward's linkage at height h adds h^2 / 2 to the sum of squares within groups, so the knee is looked
for in h^2 over 2..40 clusters. Failures of real models lie on a slope: over 2..100, or in h, the knee came out at twice
the number that agreed best with the causes. Well separated groups end in a cliff instead, the merge that would join two
of them costing far more than the one before; there may be more than 40 of them, so the last cliff counts where it lies
behind the knee.
"""

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

# Chosen on blobs and heatmaps of seeds 0 to 11 (`python -m benchmarks.knees --seeds 0 12`), and on failures of the
# simulated case GD of seeds 10 to 13 with all its causes and with any 2 to 5 of them: AMI .63 against .52 for the knee
# of h over 2..100, and F1 per cause .70 against .59. No other family was looked at.
MOST = 100
MOST_AT_KNEE = 40
CLIFF = 1.3  # ratio of two heights; on the slopes of GD it stayed below 1.27 from 6 clusters on
IMAGES_PER_CLUSTER = 4
FEWEST_IMAGES = 8  # with fewer there is no choice: 2..N / 4 is empty
FINE = 25  # clusters in which more planted causes had one to themselves than in the coarse ones
DETAILS = ("coarse", "fine")


def largest_number(space: Space, tree: Dendrogram) -> int:
    """Return the most clusters that are considered: min(100, N / 4), and as many as there are different images."""
    return min(MOST, space.num_images // IMAGES_PER_CLUSTER, tree.max_clusters)


def number_of_clusters(space: Space, tree: Dendrogram, detail: str = "coarse") -> tuple[int, list[Note]]:
    """Return the number of clusters, and what the reader should know about it.

    "coarse" is the deepest knee of the squared merge heights over 2..min(40, N / 4), less one: the height at k is that
    of the merge which leaves k - 1, so the first low one is one above the number of clusters. Where a merge of up to
    min(100, N / 4) clusters is at least 1.3 times as high as the one before it, there are so many. That met the planted
    number to within one in 91 % of 588 trees, the published rule in 19 % (`python -m benchmarks.knees`: 3 to 30 blobs,
    heatmaps of 3 to 16 causes, seeds 100 to 111). On a cloud without structure it is still some number; see
    `significance`.

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
    knee = _knee(space, tree, np.arange(2, min(most, MOST_AT_KNEE) + 1))
    coarse = max(2, knee.at - 1) if knee.how != "silhouette" else knee.at
    coarse = max(coarse, _last_cliff(tree, most))
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
    costs = tree.heights[tree.num_leaves - numbers] ** 2

    def scores() -> npt.NDArray[np.float64]:
        chosen = sample(space.num_images)
        return silhouettes(space.square(chosen), lambda k: space.spread(tree.partition(k)), numbers, chosen)

    if len(numbers) < 3:
        return Knee(2, "kneedle")
    return find_knee(numbers, costs, "convex", "decreasing", scores, kneedle=deepest_knee)


def _last_cliff(tree: Dendrogram, most: int) -> int:
    """Return the largest number of clusters whose next merge is much higher than the one before; 0 where none is."""
    numbers = np.arange(2, min(most, tree.num_leaves - 1) + 1)
    above, below = tree.heights[tree.num_leaves - numbers], tree.heights[tree.num_leaves - numbers - 1]
    cliffs = numbers[(below > 0) & (above > CLIFF * below)]  # equal images are no cliff
    return int(cliffs.max(initial=0))
