"""Trains the 444 models under `Diagnose`: `python -m benchmarks.models444 run`."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from benchmarks.hudd.datasets import FOLDER
from benchmarks.models444.data import SIZES
from benchmarks.models444.job import Request, shard, waiting
from benchmarks.models444.manifest import read_manifest
from benchmarks.models444.processes import DONE
from benchmarks.models444.running import run_all
from benchmarks.models444.subsets import SUBSETS

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)
Size = StrEnum("Size", {name: name for name in SIZES})
Subset = StrEnum("Subset", {name: name for name in SUBSETS})
ALL, SMALL = Subset("all"), Size("small")


@app.callback()
def benchmark() -> None:
    """Train and judge the models on which DeepDiagnosis was evaluated."""


@app.command()
def run(
    *,
    subset: Annotated[Subset, typer.Option(help="all, or quick: about 40 over every data set.")] = ALL,
    size: Annotated[Size, typer.Option(help="How many pictures of MNIST and CIFAR-10 a model sees.")] = SMALL,
    part: Annotated[str, typer.Option("--shard", help="2/4 does the second of four parts.")] = "1/1",
    seeds: Annotated[int, typer.Option(min=1, help="Repetitions of every model, with other weights.")] = 1,
    workers: Annotated[int, typer.Option(min=1, help="Processes at a time.")] = 2,
    patience: Annotated[float, typer.Option(min=0.1, help="Times its time limit until a model is given up.")] = 1.0,
    data: Annotated[Path, typer.Option(help="Folder of the data sets, see scripts/fetch_data.")] = FOLDER,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the results. Default: models444 in that of --data.")
    ] = None,
) -> None:
    """Train every model in a process of its own and keep what was observed; what is done already is not done again.

    Models that crashed, hung or ran out of memory have a result that says so. Remove their files to try again.
    """
    number, parts = _part(part)
    rows = shard(SUBSETS[subset.value](read_manifest()), number, parts)
    console = Console(stderr=True)
    for repeat in range(seeds):
        request = Request(size.value, repeat, data.resolve(), (out or data / "results" / "models444").resolve())
        left = list(waiting(rows, request))
        counts: Counter[str] = Counter()
        with _progress(console) as progress:
            task = progress.add_task("training", total=len(rows), completed=len(rows) - len(left))
            for row, status in run_all(left, request, workers, patience):
                counts[status] += 1
                progress.update(task, advance=1, description=row.dataset)
                if status != DONE:
                    progress.console.print(f"{row.id}: {status}", markup=False)
        told = ", ".join(f"{count} {status}" for status, count in counts.most_common()) or "nothing was left to do"
        console.print(f"{len(rows)} models, repetition {repeat}: {told}. Results: {request.out}", highlight=False)


def _part(text: str) -> tuple[int, int]:
    number, _, parts = text.partition("/")
    if not (number.isdigit() and parts.isdigit() and 1 <= int(number) <= int(parts)):
        raise typer.BadParameter(f"`--shard` got {text!r}; expected a part and the number of parts, such as 2/4")
    return int(number), int(parts)


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(),
        console=console,
    )


if __name__ == "__main__":
    app()
