"""Healthy models and mutants: `python -m benchmarks.zoo run`, then `score` or `thresholds`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from benchmarks.hudd.datasets import FOLDER
from benchmarks.sheets import as_markdown, print_sheets
from benchmarks.workers import run_all
from benchmarks.zoo.job import Request, is_done, judge_again, train
from benchmarks.zoo.pages import score_sheets, threshold_sheet
from benchmarks.zoo.results import read_models
from benchmarks.zoo.score import score as scored
from benchmarks.zoo.thresholds import severities, table
from benchmarks.zoo.zoo import REPORTING, TUNING, ZOO, Entry, read_zoo, write_zoo
from benchmarks.zoo.zoo import choose as chosen
from deepdebug.files import write_text
from deepdebug.strict_json import strict_json

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)
Out = Annotated[Path, typer.Option(help="Folder of the results.")]
Seeds = Annotated[int, typer.Option(min=1, help="Trainings of each model.")]
Workers = Annotated[int, typer.Option(min=1, help="Processes at a time.")]
RESULTS = FOLDER / "results" / "zoo"


@app.command()
def choose() -> None:
    """Write zoo.csv anew: every family, and every operator in some families of each half; known families stay there."""
    from benchmarks.zoo.building import applicable_families

    known = {one.family: one.half for one in read_zoo()} if ZOO.is_file() else {}
    entries = list(chosen(*applicable_families(), known))
    write_zoo(entries)
    mutants = sum(bool(one.operator) for one in entries)
    Console(stderr=True).print(f"{len(entries) - mutants} healthy models and {mutants} mutants")


@app.command()
def run(*, seeds: Seeds = 5, workers: Workers = 2, out: Out = RESULTS) -> None:
    """Train every model under `Diagnose` and keep what was observed; what is done already is not done again."""
    request = Request(out.resolve())
    all_of_them = [(one.name, one.seeds(seeds)[place]) for place in range(seeds) for one in read_zoo()]
    left = [(name, seed) for name, seed in all_of_them if not is_done(name, seed, request)]
    run_all(partial(train, request=request), left, workers)
    Console(stderr=True).print(f"{len(left)} trainings done. Results: {out}", highlight=False)


@app.command()
def judge(*, seeds: Seeds = 5, workers: Workers = 2, out: Out = RESULTS) -> None:
    """Judge the kept recordings again, by the detectors as they are now; nothing is trained."""
    request = Request(out.resolve())
    known = [(one.name, seed) for one in read_zoo() for seed in one.seeds(seeds) if is_done(one.name, seed, request)]
    run_all(partial(judge_again, request=request), known, workers)


@app.command()
def thresholds(*, seeds: Seeds = 5, workers: Workers = 2, out: Out = RESULTS) -> None:
    """Print what every threshold would have to be, by the tuning half alone."""
    request = Request(out.resolve())
    models = read_models(_half(TUNING), seeds, request).models
    jobs = [(one.entry.name, run.seed) for one in models for run in one.runs]
    faulty = {one.entry.name for one in models if one.is_faulty}
    said = run_all(partial(severities, request=request), jobs, workers)
    parts = (
        [known for (name, _), known in zip(jobs, said, strict=True) if (name in faulty) is part]
        for part in (False, True)
    )
    print_sheets([threshold_sheet(table(*parts))], Console(width=160))


@app.command()
def score(
    *,
    half: Annotated[str, typer.Option(help="reporting or tuning.")] = REPORTING,
    seeds: Seeds = 5,
    out: Out = RESULTS,
    json: Annotated[Path | None, typer.Option(help="File of the score. Default: none.")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the tables in Markdown.")] = False,
) -> None:
    """Score a half: mutants found and understood, healthy trainings left alone."""
    from benchmarks.zoo.operators import OPERATORS

    if half not in (TUNING, REPORTING):
        raise typer.BadParameter(f"`--half` got {half!r}; expected {REPORTING} or {TUNING}")
    found = read_models(_half(half), seeds, Request(out.resolve()))
    if not found.models:
        raise typer.BadParameter(f"{out} holds no results; `run --out {out}` makes them")
    causes = {name: one.causes for name, one in OPERATORS.items()}
    presets = {"deepdebug": "default", "preset deepdiagnosis": "deepdiagnosis"}
    scores = {name: scored(found.models, causes, preset) for name, preset in presets.items()}
    sheets = list(score_sheets(found, scores, {name: one.fault for name, one in OPERATORS.items()}))
    if markdown:
        print(as_markdown(sheets), end="")
    else:
        print_sheets(sheets, Console(width=200))
    if json is not None:
        write_text(
            json, strict_json({"half": half, "seeds": seeds, "scores": scores}, indent=1).decode() + "\n", "score"
        )


def _half(half: str) -> Sequence[Entry]:
    return [one for one in read_zoo() if one.half == half]


if __name__ == "__main__":
    app()
