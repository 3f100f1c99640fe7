"""The 444 models under `Diagnose`: `python -m benchmarks.models444 run`, then `score`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from benchmarks.hudd.datasets import FOLDER
from benchmarks.models444.data import SIZES
from benchmarks.models444.job import Request, shard, waiting
from benchmarks.models444.judging import judge_again
from benchmarks.models444.manifest import Row, read_manifest
from benchmarks.models444.processes import DONE
from benchmarks.models444.running import run_all, run_on_dask
from benchmarks.models444.scoring.pages import sheets
from benchmarks.models444.scoring.plots import draw
from benchmarks.models444.scoring.results import read_repeats, read_results
from benchmarks.models444.scoring.score import score as scored
from benchmarks.models444.subsets import SUBSETS, mended
from benchmarks.sheets import as_markdown, print_sheets
from benchmarks.workers import run_all as judge_all
from deepdebug.errors import UsageError
from deepdebug.files import write_text
from deepdebug.retraining.engines import ENGINES, Engine
from deepdebug.strict_json import strict_json

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)
Size = StrEnum("Size", {name: name for name in SIZES})
Subset = StrEnum("Subset", {name: name for name in SUBSETS})
EngineName = StrEnum("EngineName", {name: name for name in ENGINES})
ALL, SMALL, PROCESS = Subset("all"), Size("small"), EngineName("process")


@app.callback()
def benchmark() -> None:
    """Train and judge the models on which DeepDiagnosis was evaluated."""


@app.command()
def run(
    *,
    subset: Annotated[
        Subset,
        typer.Option(
            help="all; quick: 38 over every source and data set; brief: 10 whose data need no fetching; fixed: the "
            "repaired programs."
        ),
    ] = ALL,
    size: Annotated[Size, typer.Option(help="How many pictures of MNIST and CIFAR-10 a model sees.")] = SMALL,
    part: Annotated[str, typer.Option("--shard", help="2/4 does the second of four parts.")] = "1/1",
    seeds: Annotated[int, typer.Option(min=1, help="Repetitions of every model, with other weights.")] = 1,
    workers: Annotated[int, typer.Option(min=1, help="Processes at a time.")] = 2,
    engine: Annotated[EngineName, typer.Option(help="process: on this machine; dask: on a Dask cluster.")] = PROCESS,
    scheduler: Annotated[
        str | None,
        typer.Option(help="Address of a Dask scheduler, whose workers run in this folder. Default: a local cluster."),
    ] = None,
    patience: Annotated[float, typer.Option(min=0.1, help="Times its time limit until a model is given up.")] = 1.0,
    is_timed: Annotated[
        bool,
        typer.Option(
            "--timing",
            help="Let TensorFlow optimize its graphs, as it does by itself, to measure what watching costs. Takes "
            "twice as long on tables.",
        ),
    ] = False,
    data: Annotated[Path, typer.Option(help="Folder of the data sets, see scripts/fetch_data.")] = FOLDER,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the results. Default: models444 in that of --data, or models444-timing."),
    ] = None,
) -> None:
    """Train every model in a process of its own and keep what was observed; what is done already is not done again.

    Models that crashed, hung or ran out of memory have a result that says so. Remove their files to try again.
    """
    number, parts = _part(part)
    rows = shard(SUBSETS[subset.value](read_manifest()), number, parts)
    where, console = _engine(engine, workers, scheduler), Console(stderr=True)
    folder = (out or data / "results" / ("models444-timing" if is_timed else "models444")).resolve()
    for repeat in range(seeds):
        request = Request(size.value, repeat, data.resolve(), folder, is_timed)
        _repetition(rows, request, where, patience, console)


def _repetition(rows: Sequence[Row], request: Request, engine: Engine, patience: float, console: Console) -> None:
    left, counts = list(waiting(rows, request)), Counter[str]()
    with _progress(console) as progress:
        task = progress.add_task("training", total=len(rows), completed=len(rows) - len(left))

        def done(row: Row, status: str) -> None:
            counts[status] += 1
            progress.update(task, advance=1, description=row.dataset)
            if status != DONE:
                progress.console.print(f"{row.id}: {status}", markup=False)

        if engine.kind == "dask":
            run_on_dask(left, request, engine, done, patience=patience)
        else:
            for row, status in run_all(left, request, engine.workers, patience):
                done(row, status)
    told = ", ".join(f"{count} {status}" for status, count in counts.most_common()) or "nothing was left to do"
    console.print(f"{len(rows)} models, repetition {request.repeat}: {told}. Results: {request.out}", highlight=False)


@app.command()
def judge(
    out: Annotated[Path, typer.Argument(help="Folder of the results.", exists=True, file_okay=False)],
    *,
    size: Annotated[Size, typer.Option(help="Of the results.")] = SMALL,
    workers: Annotated[int, typer.Option(min=1, help="Processes at a time.")] = 2,
) -> None:
    """Judge the kept recordings again, by the detectors as they are now; nothing is trained."""
    rows = read_manifest()
    repeats, _ = read_repeats((*rows, *mended(rows)), size.value, out.resolve())
    jobs = [(one.row.id, one.repeat) for trained in repeats for one in trained]
    judge_all(partial(judge_again, request=Request(size.value, 0, out.resolve(), out.resolve())), jobs, workers)
    Console(stderr=True).print(f"{len(jobs)} recordings judged again.", highlight=False)


@app.command()
def score(
    out: Annotated[Path, typer.Argument(help="Folder of the results.", exists=True, file_okay=False)],
    *,
    size: Annotated[Size, typer.Option(help="Of the results.")] = SMALL,
    again: Annotated[
        Path | None, typer.Option(help="Folder of a second run with the same seeds; do the verdicts repeat?")
    ] = None,
    timing: Annotated[
        Path | None, typer.Option(help="Folder of a run with --timing. Default: what watching costs is that of OUT.")
    ] = None,
    json: Annotated[Path | None, typer.Option(help="File of the score. Default: none.")] = None,
    picture: Annotated[Path | None, typer.Option(help="PNG file of the balanced accuracies. Default: none.")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the tables in Markdown.")] = False,
) -> None:
    """Score verdicts against labels, beside the published tools; says where deepdebug errs, by id."""
    rows, out = read_manifest(), out.resolve()
    repeats, lost = read_repeats(rows, size.value, out)
    if not repeats:
        raise typer.BadParameter(f"{out} holds no results of size {size.value}; `run --out {out}` makes them")
    fixed, _ = read_results(mended(rows), Request(size.value, 0, out, out))
    second, timed = (
        None if folder is None else read_results(rows, Request(size.value, 0, folder.resolve(), folder.resolve()))[0]
        for folder in (again, timing)
    )
    found = scored(size.value, repeats, lost, fixed, again=second, timed=timed)
    if markdown:
        print(as_markdown(sheets(found)), end="")
    else:
        print_sheets(sheets(found), Console(width=200))
    if json is not None:
        write_text(json, strict_json(found, indent=1).decode() + "\n", "score")
    if picture is not None:
        draw(found, picture)


def _engine(kind: str, workers: int, scheduler: str | None) -> Engine:
    try:
        return Engine(kind, workers, scheduler=scheduler)
    except UsageError as error:
        raise typer.BadParameter(str(error)) from error


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
