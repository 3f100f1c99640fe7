"""The command `python -m benchmarks.hudd rq2`."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.hudd.rq2.figures import Figures, targets
from benchmarks.hudd.rq2.job import ARMS, FAMILIES, KNOWN, OURS, REAL, Request, judge, kept, prepare, to_do
from benchmarks.hudd.rq2.show import draw_curve, sheets
from benchmarks.hudd.sizes import SIZES
from benchmarks.sheets import as_markdown, print_sheets
from benchmarks.workers import run_all
from deepdebug.files import write_text
from deepdebug.retraining.quotas import SELECTION_FACTOR
from deepdebug.retraining.records import versions

FACTORS = (SELECTION_FACTOR, 0.1, 1.0)
# Nearly twice as fast on processors on which TensorFlow does not do so by itself; last digits differ.
FASTER = {"TF_ENABLE_ONEDNN_OPTS": "1"}
SAID = " ".join(map(str, FACTORS))
CURVE = "rq2-labels.png"
TEXT = """Does retraining with the unsafe set pay? Five simulated cases whose causes are known, ten runs of every arm.

    python -m benchmarks.hudd rq2 --size fast --runs 10
    python -m benchmarks.hudd rq2 --families GD OC --runs 3 --factors 0.3     # less of it
    python -m benchmarks.hudd rq2 --families Fashion CIFAR                    # real images with planted corruptions
    python -m benchmarks.hudd rq2 --seed 10 --runs 1 --arms HUDD Matched ClosestU --factors 0.3     # choosing a default

HUDD labels what looks like its clusters of failures, as `deepdebug hudd assign` selects it, and once more, as the arm
ClosestU, as it was published; BL1 labels random images, of which it uses the failing ones, BL2 random images, entropy
those that the model is least sure about; all have as many labels, seeds and epochs. "All labels" is the ceiling: the
whole improvement set is labelled, once per case. Every run draws images to choose from of its own; the model and both
test sets of a case stay the same. HUDD groups failures of the first test set, as the paper does, so the targets go by
the second one, which no step has seen. Every arm of every run is kept as it is done, and is not done again.
"""


def add_to(commands: Any, data: Path) -> None:
    """Add the command to those of the benchmark.

    Args:
        commands: The commands.
        data: Default folder of the data sets, in which results lie.
    """
    one = commands.add_parser("rq2", description=TEXT, formatter_class=argparse.RawDescriptionHelpFormatter)
    one.add_argument("--size", choices=SIZES, default="fast", help="how much of each is made (default: fast)")
    one.add_argument("--families", nargs="+", choices=(*FAMILIES, *REAL), default=list(FAMILIES), metavar="NAME",
                     help=f"of {', '.join((*FAMILIES, *REAL))} (default: the first five)")  # fmt: skip
    one.add_argument("--arms", nargs="+", choices=KNOWN, default=list(ARMS), metavar="ARM",
                     help=f"of {', '.join(KNOWN)} (default: all but Matched; HUDD is always there)")  # fmt: skip
    one.add_argument("--seed", type=int, default=0,
                     help="of pictures and models (default: 0, which is reported; choose by others)")  # fmt: skip
    one.add_argument("--runs", type=int, default=10, help="of every arm (default: 10)")
    one.add_argument("--ceiling", type=int, default=1, help="runs with all labels (default: 1)")
    one.add_argument("--factors", nargs="+", type=float, default=list(FACTORS), metavar="FACTOR",
                     help=f"selection factors; tables show the first (default: {SAID})")  # fmt: skip
    one.add_argument("--factor-runs", type=int, default=3, help="runs of the other factors (default: 3)")
    one.add_argument(
        "--curve", type=Path, help=f"PNG file of accuracy over the number of labels (default: {CURVE} in --out)"
    )
    one.add_argument("--data", type=Path, default=data, help=f"folder of the data sets (default: {data})")
    one.add_argument("--out", type=Path, help="folder of the results of each job (default: results in --data)")
    one.add_argument("--json", type=Path, help="file of the summary (default: none)")
    one.add_argument("--workers", type=int, default=2, help="processes (default: 2)")
    one.add_argument("--markdown", action="store_true", help="print the tables in Markdown")
    one.set_defaults(work=work)


def work(asked: argparse.Namespace) -> int:
    """Do what the command line asks."""
    start, done = time.perf_counter(), 0
    arms = tuple(one for one in KNOWN if one == OURS or one in asked.arms)
    by_factor, out = {}, asked.out or asked.data / "results" / "rq2"
    for place, factor in enumerate(asked.factors):
        ceiling = asked.ceiling if place == 0 else 0
        request = Request(asked.size, factor, arms, out.resolve(), asked.data.resolve(), ceiling, asked.seed)
        runs = range(1, (asked.runs if place == 0 else asked.factor_runs) + 1)
        jobs = to_do(asked.families, runs, request)
        models = dict.fromkeys((family, 0) for family, _ in jobs)
        run_all(partial(prepare, request=request), models, asked.workers, FASTER)
        run_all(partial(judge, request=request), jobs, asked.workers, FASTER)
        done += len(jobs)
        lines = (kept(family, run, request) for run in runs for family in asked.families)
        by_factor[factor] = Figures(line for line in lines if line is not None)
    first = by_factor[asked.factors[0]]
    console = Console(width=200)
    if asked.markdown:
        console.file.write(as_markdown(sheets(first)))
    else:
        print_sheets(sheets(first), console)
    curve = asked.curve or out / CURVE
    draw_curve(curve, by_factor)
    if asked.json:
        write_text(asked.json, json.dumps(_record(asked, by_factor), indent=1, allow_nan=False) + "\n", "summary")
    seconds = time.perf_counter() - start
    errors = Console(stderr=True, highlight=False)
    for text in _mixed(list(by_factor.values())):
        errors.print(f"These are results of {text}, which do not compare. Remove {out} to do all anew.")
    errors.print(f"{done} jobs done in {seconds / 60:.1f} minutes; {curve}")
    return 0


def _mixed(figures: Sequence[Figures]) -> Iterator[str]:
    """Say what differs between results that are shown together."""
    programs = {program for one in figures for program in one.programs}
    if len(programs) > 1:
        yield f"{len(programs)} versions of the program"
    for family in dict.fromkeys(name for one in figures for name in one.families):
        models = {model for one in figures for model in one.models.get(family, ())}
        if len(models) > 1:
            yield f"{len(models)} models of {family}, as other processors train them"


def _record(asked: argparse.Namespace, by_factor: dict[float, Figures]) -> dict[str, Any]:
    first = by_factor[asked.factors[0]]
    return {
        "command": "rq2",
        "size": asked.size,
        "seed": asked.seed,
        "versions": dict(versions()),
        "targets": [{"name": one.name, "families": one.verdicts} for one in targets(first)],
        "runs": [
            {
                "factor": factor,
                "family": family,
                "arm": arm,
                "labels": figures.mean(family, arm, "labels"),
                "precision": figures.mean(family, arm, "precision"),
                "before": figures.first(family, arm)["before"],
                "after": [one["after"] for one in figures.results(family, arm)],
            }
            for factor, figures in by_factor.items()
            for family in figures.families
            for arm in figures.arms(family)
        ],
    }
