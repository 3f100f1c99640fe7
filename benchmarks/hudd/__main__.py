"""Do clusters of failures have one cause each? Eight families of tasks with planted causes, five seeds each.

    python -m benchmarks.hudd rq1 --size fast                      # all families, 5 seeds
    python -m benchmarks.hudd rq1 --families GD MNIST --seeds 0 1  # first and last seed
    python -m benchmarks.hudd beyond                               # other models, rare causes, two causes at once
    python -m benchmarks.hudd rq2                                  # does retraining with them pay?

Families GD, OC, HPD, OD and FLD are simulated; MNIST, Fashion and CIFAR need `scripts/fetch_data`. On GD everything was
tuned, the others confirm. A model is trained per family and seed; each failing test picture is shown to it once more
without its planted cause, which is the reason of the failure when the model is then right. Every job is kept as one
line of JSON, and is not done again. UMAP needs umap-learn, the features (I) the packages that
`benchmarks/hudd/embedding.py` names; without them the arms that need them are left out.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.hudd.arms import ARMS, OF_BEYOND, OF_RQ1
from benchmarks.hudd.beyond import VARIANTS
from benchmarks.hudd.datasets import FOLDER
from benchmarks.hudd.jobs import FAMILIES, Request, judge, kept, to_do
from benchmarks.hudd.rq2 import command as rq2
from benchmarks.hudd.sizes import SIZES
from benchmarks.hudd.summary import Figures, record
from benchmarks.hudd.tables import left_out, markdown, show
from benchmarks.hudd.targets import targets
from benchmarks.workers import run_all
from deepdebug.files import write_text

RESULTS = Path(__file__).resolve().parents[1] / "results"
PACKAGES = ("deepdebug", "keras", "tensorflow", "tensorflow-cpu", "numpy", "scikit-learn", "torch", "umap-learn")


def options(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return what the command line asks for."""
    shape: Any = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hudd", description=__doc__, formatter_class=shape)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, families, arms, seeds in (
        ("rq1", FAMILIES, OF_RQ1, (0, 4)),
        ("beyond", tuple(VARIANTS), OF_BEYOND, (0, 1)),
    ):
        one = commands.add_parser(name, description=__doc__, formatter_class=shape)
        one.add_argument("--size", choices=SIZES, default="fast", help="how much of each is made (default: fast)")
        one.add_argument("--families", nargs="+", choices=families, default=list(families), metavar="NAME",
                         help=f"of {', '.join(families)} (default: all)")  # fmt: skip
        one.add_argument("--seeds", nargs=2, type=int, default=list(seeds), metavar=("FIRST", "LAST"),
                         help=f"default: {seeds[0]} {seeds[1]}")  # fmt: skip
        one.add_argument("--arms", nargs="+", choices=ARMS, default=list(arms), metavar="ARM",
                         help=f"of {', '.join(ARMS)} (default: {', '.join(arms)})")  # fmt: skip
        one.add_argument("--data", type=Path, default=FOLDER, help=f"folder of the data sets (default: {FOLDER})")
        one.add_argument("--out", type=Path, help="folder of the results of each job (default: results in --data)")
        one.add_argument("--json", type=Path, help="file of the summary (default: none)")
        one.add_argument("--workers", type=int, default=2, help="processes (default: 2)")
        one.add_argument("--markdown", action="store_true", help="print the tables in Markdown")
        one.set_defaults(work=group)
    rq2.add_to(commands, FOLDER)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks."""
    asked = options(arguments)
    code: int = asked.work(asked)
    return code


def group(asked: argparse.Namespace) -> int:
    """Do `rq1` or `beyond`."""
    out = asked.out or asked.data / "results" / f"{asked.command}-{asked.size}"
    request = Request(asked.size, tuple(asked.arms), asked.data.resolve(), out.resolve())
    seeds = range(asked.seeds[0], asked.seeds[1] + 1)
    start = time.perf_counter()
    jobs = to_do(asked.families, seeds, request)
    run_all(partial(judge, request=request), jobs, asked.workers)
    figures = Figures(
        line for family in asked.families for seed in seeds if (line := kept(family, seed, request)) is not None
    )
    console = Console(width=200)
    if asked.markdown:
        console.file.write(markdown(figures))
    else:
        show(figures, console)
    seconds = time.perf_counter() - start
    errors = Console(stderr=True)
    for text in left_out(figures):
        errors.print(f"left out: what needs {text}", markup=False)
    errors.print(f"{len(jobs)} jobs done in {seconds / 60:.1f} minutes, {len(figures.lines)} shown")
    if asked.json:
        reached = [{**asdict(one), "verdict": one.verdict} for one in targets(figures)]
        asked_for = {"command": asked.command, "size": asked.size, "versions": _versions()}
        content = {**asked_for, **record(figures), "targets": reached}
        write_text(asked.json, json.dumps(content, indent=1, allow_nan=False) + "\n", "summary")
    return 0


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


if __name__ == "__main__":
    raise SystemExit(main())
