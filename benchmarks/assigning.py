"""How long it takes to choose what to label, and what it needs: distances to all failures, and filled quotas.

python -m benchmarks.assigning                                  # 100,000 images against 5,000 failures
python -m benchmarks.assigning --images 10000 --failures 500
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Sequence

import numpy as np
from rich.console import Console

from deepdebug.hudd.projection import DIMS
from deepdebug.retraining.assigning import BY_DISTANCE
from deepdebug.retraining.matching import MATCHED
from deepdebug.retraining.mixing import MIXED
from deepdebug.retraining.nearness import nearness
from deepdebug.retraining.quotas import quotas
from deepdebug.retraining.selecting import select

CLUSTERS = 40
FAILING = 0.1  # share of the test set that fails


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure once and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.assigning", description=__doc__.split("\n")[0])
    parser.add_argument("--images", type=int, default=100_000, help="images to choose from (default 100000)")
    parser.add_argument("--failures", type=int, default=5000, help="failing images (default 5000)")
    asked = parser.parse_args(arguments)
    if asked.images < 1 or asked.failures < 2 * CLUSTERS:
        parser.error(f"expected at least 1 image and {2 * CLUSTERS} failures, two for each of {CLUSTERS} clusters")
    random = np.random.default_rng(0)
    vectors, members = (random.normal(size=(rows, DIMS)).astype("float32") for rows in (asked.images, asked.failures))
    known = np.tile(np.arange(CLUSTERS), 2)
    labels = np.concatenate([known, random.integers(0, CLUSTERS, asked.failures - len(known))])
    start = time.perf_counter()
    near = nearness(vectors, members, labels)
    console = Console()
    console.print(f"distances: {time.perf_counter() - start:.1f} s", highlight=False)
    wanted = quotas(np.bincount(labels).tolist(), round(asked.failures / FAILING), asked.images)
    for mode in (MIXED, MATCHED, *BY_DISTANCE):
        start = time.perf_counter()
        chosen = select(mode, wanted, vectors=vectors, scores=None, members=members, labels=labels, near=lambda: near)
        console.print(f"{mode}: {len(chosen):,} images in {time.perf_counter() - start:.2f} s", highlight=False)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    console.print(f"largest memory: {most:,.0f} MiB", highlight=False)


if __name__ == "__main__":
    main()
