"""How long clustering takes and what it needs, by the number of images: distances, tree and WICD for all k.

    python -m benchmarks.scale                                 # 1,000 to 20,000 images, about 5 minutes
    python -m benchmarks.scale --sizes 1000 2000               # a quick look
    python -m benchmarks.scale --sizes 50000 100000            # without a matrix of distances, about 5 minutes
    python -m benchmarks.scale --out scale.json

Every size runs in a Python of its own, so that its peak memory is its own; the heatmaps, 9,216 values each (256 x 6 x
6), are written to a file first, which is not counted. Below 50,000 images the three exact steps are timed, from there
on all of `cluster`, and both ways are compared on 5,000 images. Processor and threads are those of the caller: set
OMP_NUM_THREADS=1 for one core.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

VALUES = 9216
CAUSES = 12
SIZES = (1000, 2000, 5000, 10_000, 20_000)
APPROXIMATE_FROM = 50_000
COMPARED = 5000
# Seconds the published code takes for distances, reading them back and clustering, one layer of as many values, on two
# shared cores with one thread (measured once; its gradient was made to run with a numpy of today).
PUBLISHED = {200: 1.0, 500: 7.8, 1000: 49.4, 2000: 196.0}
BLOCK = 500


def write_heatmaps(path: Path, count: int) -> None:
    """Write heatmaps of 12 causes and scores of spread 0.6; half precision where there are many.

    Args:
        path: The file.
        count: Number of images.
    """
    kind = np.float32 if count < APPROXIMATE_FROM else np.float16
    file = np.lib.format.open_memmap(path, mode="w+", dtype=kind, shape=(count, 6, 6, 256))
    flat = file.reshape(count, VALUES)
    causes = np.random.default_rng(0)
    shared = causes.gamma(0.5, 1.0, VALUES)
    own = causes.gamma(0.5, 1.0, (CAUSES, VALUES)) * causes.choice([-1.0, 1.0], (CAUSES, VALUES))
    for start in range(0, count, BLOCK):
        random = np.random.default_rng([1, start])
        rows = len(flat[start : start + BLOCK])
        maps = 0.4 * shared + 0.5 * own[labels(count)[start : start + BLOCK]]
        maps = maps + 0.7 * random.standard_normal((rows, VALUES), np.float32)
        flat[start : start + BLOCK] = np.exp(0.6 * random.normal(size=(rows, 1))) * maps
    file.flush()


def labels(count: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the cause of every image; each has 1.2 times as many images as the one before."""
    shares = 1.2 ** np.arange(CAUSES)
    return np.random.default_rng(2).choice(CAUSES, count, p=shares / shares.sum())


def exact(path: Path) -> dict[str, Any]:
    """Time the three steps on all distances.

    Args:
        path: The heatmaps.
    """
    from sklearn.metrics import adjusted_rand_score

    from deepdebug.hudd.distances import distances
    from deepdebug.hudd.linkage import build
    from deepdebug.hudd.rows import rows_of
    from deepdebug.hudd.wicd import wicd_curve

    times = [time.perf_counter()]
    condensed = distances(rows_of(path))
    times.append(time.perf_counter())
    tree = build(condensed)
    times.append(time.perf_counter())
    curve = wicd_curve(tree, condensed)
    times.append(time.perf_counter())
    found = tree.partition(CAUSES)
    steps = dict(zip(("distances", "linkage", "wicd"), np.diff(times).tolist(), strict=True))
    truth = adjusted_rand_score(labels(len(found)), found)
    return {"how": "exact", "steps": steps, "seconds": times[-1] - times[0], "wicd_2": curve[2], "ari_truth": truth}


def approximate(path: Path) -> dict[str, Any]:
    """Time the whole call on short vectors and groups of near images.

    Args:
        path: The heatmaps.
    """
    from sklearn.metrics import adjusted_rand_score

    from deepdebug.hudd import View, cluster

    start = time.perf_counter()
    found = cluster([View("layer", path)], exact=False)
    seconds = time.perf_counter() - start
    truth = adjusted_rand_score(labels(len(found.labels)), found.labels)
    return {"how": "sketch", "seconds": seconds, "k": found.k, "ari_truth": truth}


def agreement(path: Path) -> dict[str, Any]:
    """Compare both ways on the same images, with the numbers of clusters that they choose and with the true one.

    Args:
        path: The heatmaps.
    """
    from sklearn.metrics import adjusted_rand_score

    from deepdebug.hudd import View, cluster

    view = [View("layer", path)]
    pairs = [[cluster(view, k=k, exact=how).labels for how in (True, False)] for k in (None, CAUSES)]
    return {"how": "both", **{f"ari_{name}": adjusted_rand_score(*two) for name, two in zip("ak", pairs, strict=True)}}


JOBS = {"exact": exact, "approximate": approximate, "agreement": agreement}


def peak_memory() -> int:
    """Return the largest resident memory of this process in bytes, that of its parent not counted."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def measure(job: str, count: int) -> dict[str, Any]:
    """Return what one job says of as many images, run in a Python of its own.

    Args:
        job: Name of the job.
        count: Number of images.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "layer.npy"
        write_heatmaps(path, count)
        command = [sys.executable, "-m", "benchmarks.scale", "--job", job, "--file", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise SystemExit(done.stderr)
    return {"images": count, **json.loads(done.stdout)}


def exponents(results: Sequence[Mapping[str, Any]]) -> list[float]:
    """Return by which power of the number of images the time grows, from each size to the next.

    Args:
        results: At least two measurements of the same job, smallest first.
    """
    pairs = itertools.pairwise(results)
    return [math.log(b["seconds"] / a["seconds"]) / math.log(b["images"] / a["images"]) for a, b in pairs]


def show(results: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Print the table and what it comes to."""
    table = Table(title=f"{VALUES:,} values per image, one layer, {os.cpu_count()} cores")
    for column in ("images", "way", "distances s", "tree s", "WICD s", "all s", "published s", "peak MiB", "ARI truth"):
        table.add_column(column, justify="left" if column == "way" else "right")
    for one in results:
        if "seconds" not in one:
            continue
        steps = [f"{seconds:.2f}" for seconds in one.get("steps", {}).values()] or [""] * 3
        published = PUBLISHED.get(one["images"])
        against = f"{published:.0f}, {published / one['seconds']:.0f} times" if published else ""
        memory, truth = f"{one['peak_bytes'] / 2**20:,.0f}", f"{one['ari_truth']:.3f}"
        table.add_row(f"{one['images']:,}", one["how"], *steps, f"{one['seconds']:.2f}", against, memory, truth)
    console.print(table)
    for how in ("exact", "sketch"):
        timed = [one for one in results if one["how"] == how]
        if len(timed) > 1:
            whole = exponents([timed[0], timed[-1]])[0]
            steps_up = ", ".join(f"{one:.2f}" for one in exponents(timed))
            console.print(f"{how}: time grows with the power {whole:.2f} of the images (step by step {steps_up})")
    for one in results:
        if one["how"] == "both":
            console.print(
                f"sketch against exact at {one['images']:,} images: ARI {one['ari_a']:.3f} with their own numbers of "
                f"clusters, {one['ari_k']:.3f} with {CAUSES} each"
            )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure as the command line asks."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES), help="numbers of images")
    parser.add_argument("--out", type=Path, help="a JSON file for the results")
    parser.add_argument("--job", choices=JOBS, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.job:
        result = JOBS[options.job](options.file)
        print(json.dumps({**result, "peak_bytes": peak_memory()}))
        return
    results = []
    for size in sorted(options.sizes):
        results.append(measure("exact" if size < APPROXIMATE_FROM else "approximate", size))
    if max(options.sizes) >= APPROXIMATE_FROM:
        results.append(measure("agreement", COMPARED))
    show(results, Console(width=120))
    if options.out:
        threads = os.environ.get("OMP_NUM_THREADS", "not set")
        content = {"values": VALUES, "cores": os.cpu_count(), "OMP_NUM_THREADS": threads, "results": results}
        options.out.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
