"""How often clusters are seen where there are none, and how often planted ones are kept.

    python -m benchmarks.significance                          # the figures of `deepdebug.hudd.significance`, 1 hour
    python -m benchmarks.significance --images 400 --seeds 100 110
    python -m benchmarks.significance --tests valley gaussian stability heights scores views --seeds 0 20

Families are those of `tests.hudd.planted`; "shuffled" are the planted ones with every value shuffled among the images,
"limit" has valleys but no clusters.
The tests, each at level 0.05:

    valley       what `deepdebug.hudd` does
    gaussian     share of squares that the clusters explain, against 19 Gaussian clouds of the same covariance
    stability    mean ARI of two clusterings of 70 % of the images, against the same clouds
    heights      share of the last k - 1 merges in the sum of all heights, against the same clouds
    scores       share of squares explained, against the principal components shuffled one by one
    views        the values are dealt out to two views; share explained by both, against one view shuffled
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.spatial.distance import pdist
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from deepdebug.hudd import View, cluster
from deepdebug.hudd.linkage import build
from deepdebug.hudd.normalise import normalise
from tests.hudd.planted import CLOUDS, LIMITS, PLANTED, shuffled

Array = np.ndarray[Any, np.dtype[np.float64]]
KINDS = ("cloud", "limit", "shuffled", "planted")
SURROGATES = 19
LEVEL = 0.05


def explained(vectors: Array, k: int) -> float:
    """Return the share of the sum of squares that k clusters of Ward explain."""
    labels = build(pdist(vectors)).partition(k)
    inner = sum(((part - part.mean(axis=0)) ** 2).sum() for part in (vectors[labels == c] for c in range(k)))
    return 1 - float(inner / ((vectors - vectors.mean(axis=0)) ** 2).sum())


def stability(vectors: Array, k: int) -> float:
    """Return the mean agreement of clusterings of overlapping parts."""
    random, found = np.random.default_rng(0), []
    for _ in range(5):
        one, two = (np.sort(random.permutation(len(vectors))[: int(0.7 * len(vectors))]) for _ in range(2))
        both, first, second = np.intersect1d(one, two, return_indices=True)
        labels = [build(pdist(vectors[part])).partition(k) for part in (one, two)]
        found.append(adjusted_rand_score(labels[0][first], labels[1][second]) if len(both) else 0.0)
    return float(np.mean(found))


def heights(vectors: Array, k: int) -> float:
    """Return the share of the uppermost merges in all heights."""
    merged = build(pdist(vectors)).heights
    return float(merged[-(k - 1) :].sum() / merged.sum()) if merged.sum() else 0.0


def components(vectors: Array) -> Array:
    """Return the scores of the principal components."""
    left, sizes, _ = np.linalg.svd(vectors - vectors.mean(axis=0), full_matrices=False)
    found: Array = left * sizes
    return found


def gaussians(vectors: Array, random: np.random.Generator) -> Iterator[Array]:
    """Yield clouds of the same covariance, but for a rotation."""
    scores = components(vectors)
    for _ in range(SURROGATES):
        yield random.normal(size=scores.shape) * scores.std(axis=0)


def shuffled_scores(vectors: Array, random: np.random.Generator) -> Iterator[Array]:
    """Yield the principal components, each shuffled by itself."""
    scores = components(vectors)
    for _ in range(SURROGATES):
        yield np.column_stack([random.permutation(column) for column in scores.T])


def shuffled_view(vectors: Array, random: np.random.Generator) -> Iterator[Array]:
    """Yield the vectors with every second value taken from another image."""
    for _ in range(SURROGATES):
        changed = vectors.copy()
        changed[:, ::2] = changed[random.permutation(len(vectors)), ::2]
        yield changed


OTHERS: dict[str, tuple[Callable[[Array, int], float], Callable[[Array, np.random.Generator], Iterator[Array]]]] = {
    "gaussian": (explained, gaussians),
    "stability": (stability, gaussians),
    "heights": (heights, gaussians),
    "scores": (explained, shuffled_scores),
    "views": (explained, shuffled_view),
}


def families() -> Iterator[tuple[str, str, Callable[[int, int], tuple[Array, Any]]]]:
    """Yield kind, name and a function that makes vectors and labels (or `None`) of a seed and a number of images."""
    for kind, made in (("cloud", CLOUDS), ("limit", LIMITS)):
        for name, make in made.items():
            yield kind, name, lambda seed, n, make=make: (make(np.random.default_rng(seed), n), None)
    for name, plant in PLANTED.items():
        yield "shuffled", name, lambda seed, n, plant=plant: (shuffled(plant(seed, n)[0], seed), None)
    for name, plant in PLANTED.items():
        yield "planted", name, plant


def judge(name: str, vectors: Array, seed: int, tests: Sequence[str]) -> tuple[dict[str, bool], Any]:
    """Return what each test says of one data set, and what `cluster` found.

    Args:
        name: Of the family.
        vectors: The data set.
        seed: Of everything random.
        tests: Names of the tests.
    """
    how = "sqrt" if name.startswith("heatmaps") else "none"
    found = cluster([View(name, vectors, normalise=how)], seed=seed)
    plain = normalise(np.array(vectors, float), how)
    said = {"valley": bool(found.significance.significant)} if "valley" in tests else {}
    for test in (one for one in tests if one != "valley"):
        statistic, surrogates = OTHERS[test]
        ours = statistic(plain, found.k)
        above = sum(statistic(one, found.k) >= ours for one in surrogates(plain, np.random.default_rng([seed, 7])))
        said[test] = (1 + above) / (1 + SURROGATES) <= LEVEL
    return said, found


def kept(found: Any, labels: Any) -> list[float]:
    """Return, for each planted cluster of 20 images and more, whether a significant one meets it (F1 >= 0.5)."""
    planted = [labels == label for label in range(labels.max() + 1) if (labels == label).sum() >= 20]
    ours = [found.labels == label for label in found.significance.significant_clusters]
    met = [any(2 * (a & b).sum() >= 0.5 * (a.sum() + b.sum()) for b in ours) for a in planted]
    return [float(one) for one in met]


def measure(images: int, seeds: range, tests: Sequence[str], kinds: Sequence[str], console: Console) -> None:
    """Print a table of all families.

    Args:
        images: Number of images of a data set.
        seeds: One data set each.
        tests: Names of the tests.
        kinds: Kinds of families.
        console: Where to print.
    """
    table = Table(title=f"share judged significant, {images} images, seeds {seeds.start} to {seeds.stop - 1}")
    for column in ("kind", "family", *tests, "k", "AMI", "clusters kept", "s"):
        table.add_column(column, justify="left" if column in ("kind", "family") else "right")
    for kind, name, make in (one for one in families() if one[0] in kinds):
        start, said, numbers, scores, met = time.perf_counter(), [], [], [], []
        for seed in seeds:
            vectors, labels = make(seed, images)
            answers, found = judge(name, vectors, seed, tests)
            said.append(answers)
            numbers.append(found.k)
            if labels is not None:
                scores.append(adjusted_mutual_info_score(labels, found.labels))
                met += kept(found, labels)
        rates = [f"{np.mean([one[test] for one in said]):.2f}" for test in tests]
        extra = [f"{np.mean(scores):.2f}", f"{np.mean(met):.2f}" if met else ""] if scores else ["", ""]
        seconds = f"{time.perf_counter() - start:.0f}"
        table.add_row(kind, name, *rates, f"{np.mean(numbers):.1f}", *extra, seconds)
    console.print(table)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure as the command line asks."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.significance", description=__doc__.split("\n")[0])
    parser.add_argument("--images", type=int, nargs="+", default=[150, 400, 1000], help="images of a data set")
    parser.add_argument("--seeds", type=int, nargs=2, default=[100, 200], help="first seed and the one after the last")
    parser.add_argument("--tests", nargs="+", choices=["valley", *OTHERS], default=["valley"])
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS), help="kinds of families")
    options = parser.parse_args(arguments)
    for images in options.images:
        measure(images, range(*options.seeds), options.tests, options.kinds, Console(width=130))


if __name__ == "__main__":
    main()
