"""HUDD as it was published, decision by decision: for parity, and as the baseline.

The steps are those of the published code (SNTSVV/HUDD-Toolset, `clusterModule.py`, default mode "WICDWard" with the
selection "KG"), which differ from the paper's text: every row of the distance matrix is divided by its largest value;
the distances between those rows are clustered (Ward), not the distances themselves; the number of clusters is the knee
of the gradient of WICD on the divided rows; the layer is the one with the smallest WICD on its raw distances, and the
first, the input, is never chosen. Raw sizes of layers are not comparable, so that choice favours wide layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import squareform

from deepdebug.hudd.condensed import condense, mean_square, num_rows, square
from deepdebug.hudd.distances import distances
from deepdebug.hudd.knee import find_knee
from deepdebug.hudd.linkage import Dendrogram, Labels, build, by_size
from deepdebug.hudd.notes import Note
from deepdebug.hudd.rows import MEMORY, Floats, rows_of
from deepdebug.hudd.silhouettes import sample, silhouettes
from deepdebug.hudd.wicd import wicd, wicd_curve

MOST_CLUSTERS = 500  # the published code takes k from 2 to clip(errors / 2, 2, 500)
STEP = 4.0  # "spacing" by which the published code divides the gradient
NOT_CHOSEN = 1e9  # WICD of a layer that may not be chosen, or has singletons only


@dataclass(frozen=True, slots=True)
class Original:
    """What HUDD makes of one layer.

    Args:
        labels: Array of shape (N,); 0 is the largest cluster.
        k: Number of clusters.
        wicd: WICD on the raw distances, in their unit; 1e9 where all clusters are singletons.
        unit: Root of the mean squared raw distance.
        curve: WICD on the divided rows for k = 2, 3, ...
        gradient: What the knee is searched in, of the same shape.
        dendrogram: The tree over the distance profiles.
        notes: What stood in for a missing knee.
    """

    labels: Labels
    k: int
    wicd: float
    unit: float
    curve: Floats
    gradient: Floats
    dendrogram: Dendrogram
    notes: tuple[Note, ...]


def original_clusters(raw: npt.NDArray[Any], memory: int = MEMORY) -> Original:
    """Return the clusters of one layer as HUDD finds them.

    Args:
        raw: Condensed Euclidean distances of raw heatmaps, for N >= 2 images.
        memory: Bytes for vectors. Three matrices of 8 N^2 bytes come on top. Defaults to 1 GiB.
    """
    count = num_rows(raw)
    divided = row_normalised(raw)
    profiles = distances(rows_of(divided, "distance profiles"), "none", dtype=np.float64, memory=memory)
    dendrogram = build(profiles)
    numbers = np.arange(2, int(np.clip(count // 2, 2, MOST_CLUSTERS)) + 1)
    numbers = numbers[numbers <= count]
    curve, reached = _curve(dendrogram, condense(divided), numbers)
    gradient = fourth_order_gradient(curve)
    knee = find_knee(
        numbers, gradient, "concave", "increasing", lambda: _silhouettes(dendrogram, profiles, numbers, count)
    )
    few = len(numbers) == 1
    merges = int(reached[0 if few else knee.at - 2])
    labels = by_size(dendrogram.groups(merges))
    several = np.bincount(labels).max() > 1
    score = wicd(raw, labels) if several else NOT_CHOSEN
    notes = () if few else tuple(knee.notes)
    unit = float(np.sqrt(mean_square(raw)))
    return Original(labels, int(labels.max()) + 1, score, unit, curve, gradient, dendrogram, notes)


def choose_layer(results: Sequence[Original]) -> int:
    """Return the number of the layer with the smallest WICD; never the first one, the input, while there is another."""
    scores = [NOT_CHOSEN if place == 0 else result.wicd for place, result in enumerate(results)]
    return int(np.argmin(scores[1:])) + 1 if len(scores) > 1 else 0


def row_normalised(raw: npt.NDArray[Any]) -> Floats:
    """Return the square matrix of distances with every row divided by its largest value; it is not symmetric."""
    matrix = squareform(np.asarray(raw, np.float64), checks=False)
    largest = matrix.max(axis=1, keepdims=True, initial=0.0)
    divided: Floats = matrix / np.where(largest > 0, largest, 1.0)
    return divided


def fourth_order_gradient(values: Floats) -> Floats:
    """Return the central difference of fourth order, divided by 4.

    The ends have differences of neighbours: forward for the first two, backward for the last two. Where these overlap,
    the last two win, as in the published code.

    Args:
        values: Array of shape (n,).
    """
    found = np.zeros(len(values))
    if len(values) < 2:
        return found
    steps = np.diff(values)
    found[:2] = np.resize(steps, 2) if len(values) > 2 else (steps[0], 0.0)
    if len(values) > 4:
        found[2:-2] = (values[:-4] - 8.0 * values[1:-3] + 8.0 * values[3:-1] - values[4:]) / 12.0
    found[-2:] = steps[-2:] if len(values) > 2 else (0.0, steps[0])
    return found / STEP


def _curve(
    dendrogram: Dendrogram, values: Floats, numbers: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
    """Return WICD and the number of merges for every wanted number of clusters.

    Merges of equal height are done together or not at all, so that fewer clusters than wanted may come out, as with
    scipy's `fcluster(criterion="maxclust")`.
    """
    heights = dendrogram.heights
    limits = heights[dendrogram.num_leaves - numbers - 1] if dendrogram.num_leaves > 2 else heights[:0]
    reached = np.where(
        numbers < dendrogram.num_leaves, np.searchsorted(heights, np.resize(limits, len(numbers)), "right"), 0
    )
    return wicd_curve(dendrogram, values)[dendrogram.num_leaves - reached], reached


def _silhouettes(
    dendrogram: Dendrogram, profiles: npt.NDArray[Any], numbers: npt.NDArray[Any], count: int
) -> npt.NDArray[np.float64]:
    chosen = sample(count)
    return silhouettes(square(profiles, chosen, count), dendrogram.partition, numbers, chosen)
