"""How often the planted number of clusters is met, within one, by the knee of the merge heights less one.

    python -m benchmarks.knees                  # seeds 100 to 111, about 3 minutes
    python -m benchmarks.knees --seeds 0 12     # those on which the rule was chosen

The rules:

    ours      what `deepdebug.hudd` does: the deepest knee of the squared heights over 2..40 less one, or a cliff behind
    first     of the knees of the heights over 2..100, less one: kneed's own choice
    deepest   of the same, that which is farthest from the straight line between the ends of the curve
    gradient  the published one: the gradient of WICD, on the distances themselves instead of distance profiles
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.metrics import adjusted_mutual_info_score

from deepdebug.hudd.distances import distances
from deepdebug.hudd.knee import deepest_knee, first_knee
from deepdebug.hudd.linkage import Dendrogram, build
from deepdebug.hudd.numbers import number_of_clusters
from deepdebug.hudd.original import fourth_order_gradient
from deepdebug.hudd.rows import rows_of
from deepdebug.hudd.space import ExactSpace
from deepdebug.hudd.wicd import wicd_curve
from tests.hudd.planted import blobs, heatmaps

RULES = ("ours", "first", "deepest", "gradient")


def families() -> Iterator[tuple[str, int, str, Callable[[int], tuple[Any, Any]]]]:
    """Yield name, number of clusters, normalisation and a function that makes vectors and labels of a seed."""
    for k, imbalance in itertools.product((3, 8, 16), (1.0, 1.2, 1.5)):
        yield (
            f"heatmaps, imbalance {imbalance}",
            k,
            "sqrt",
            lambda seed, k=k, i=imbalance: heatmaps(seed, 400, 512, k=k, imbalance=i),
        )
    for k, dims, apart, imbalance in itertools.product((3, 5, 8, 16, 30), (10, 64), (8, 14), (1.0, 1.1)):
        yield (
            f"blobs of {dims}, {apart} apart, imbalance {imbalance}",
            k,
            "none",
            lambda seed, k=k, d=dims, a=apart, i=imbalance: blobs(seed, 600, d, k=k, apart=a, imbalance=i),
        )


def numbers(tree: Dendrogram, condensed: Any) -> dict[str, int]:
    """Return the number of clusters by each rule."""
    x = np.arange(2, min(100, tree.num_leaves // 4) + 1)
    heights = tree.heights[tree.num_leaves - x]
    first, deepest = (rule(x, heights, "convex", "decreasing") for rule in (first_knee, deepest_knee))
    gradient = fourth_order_gradient(wicd_curve(tree, condensed)[x])
    published = first_knee(x, gradient, "concave", "increasing")
    return {
        "ours": number_of_clusters(ExactSpace(condensed, tree.num_leaves), tree)[0],
        "first": max(2, (first or 3) - 1),
        "deepest": max(2, (deepest or 3) - 1),
        "gradient": published or 2,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure as the command line asks."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.knees", description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, nargs=2, default=[100, 112], help="first seed and the one after the last")
    options = parser.parse_args(arguments)
    table = Table(title=f"met within one, and AMI; seeds {options.seeds[0]} to {options.seeds[1] - 1}")
    for column in ("k", "family", *RULES):
        table.add_column(column, justify="left" if column == "family" else "right")
    whole = []
    for name, k, how, make in families():
        rows = []
        for seed in range(*options.seeds):
            vectors, labels = make(seed)
            condensed = distances(rows_of(vectors), how)
            tree = build(condensed)
            found = numbers(tree, condensed)
            rows.append(
                [
                    (abs(found[rule] - k) <= 1, adjusted_mutual_info_score(labels, tree.partition(found[rule])))
                    for rule in RULES
                ]
            )
        whole.append(np.mean(rows, axis=0))
        table.add_row(str(k), name, *(f"{met:.2f}, {ami:.2f}" for met, ami in whole[-1]))
    table.add_section()
    table.add_row("", "all", *(f"{met:.2f}, {ami:.2f}" for met, ami in np.mean(whole, axis=0)))
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
