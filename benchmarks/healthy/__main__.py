"""Runs the healthy models and counts the false alarms: `python -m benchmarks.healthy --seeds 3`."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.healthy.run import MAX_WARNINGS, judge, summary
from benchmarks.workers import run_all

if TYPE_CHECKING:
    from benchmarks.healthy.judge import Outcome


def main(
    seeds: Annotated[int, typer.Option(min=1, help="Seeds per family, from 0.")] = 3,
    only: Annotated[list[str] | None, typer.Option(help="Family to run; may be given several times.")] = None,
    out: Annotated[Path | None, typer.Option("--json", help="File for the outcomes as JSON.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
) -> None:
    """Train healthy models under deepdebug and count the false alarms."""
    from benchmarks.healthy.judge import FAMILIES

    unknown = set(only or ()) - set(FAMILIES)
    if unknown:
        raise typer.BadParameter(f"no such family: {', '.join(sorted(unknown))}; known: {', '.join(FAMILIES)}")
    names = [name for name in FAMILIES if not only or name in only]
    outcomes = run_all(judge, [(name, seed) for name in names for seed in range(seeds)], workers)
    totals = summary(outcomes)
    _show(outcomes, totals)
    if out is not None:
        content = {"totals": totals, "runs": [asdict(one) for one in outcomes]}
        out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    raise typer.Exit(int(totals["runs_with_passing_alarm"] > 0 or totals["warnings_per_run"] > MAX_WARNINGS))


def _show(outcomes: list[Outcome], totals: dict[str, Any]) -> None:
    table = Table("family", "score (usual)", "error, fatal", "warn", "info", "seconds", "deepdebug")
    for name in dict.fromkeys(one.family for one in outcomes):
        runs = [one for one in outcomes if one.family == name]
        scores = " ".join(f"{one.score:.3f}" for one in runs)
        seconds, own = sum(one.seconds for one in runs), sum(one.own_seconds for one in runs)
        codes = [_codes(runs, severities) for severities in (("error", "fatal"), ("warn",), ("info",))]
        table.add_row(name, f"{scores} ({runs[0].usual:.2f})", *codes, f"{seconds:.1f}", f"{own:.1f}")
    console = Console()
    console.print(table)
    for one in outcomes:
        for text in [*(f"{found.severity} {found.code} {found.message}" for found in (*one.alarms, *one.warnings)),
                     *(f"alarm on the way: {code}" for code in one.passing),
                     *(f"left out {reason}" for reason in one.skipped)]:  # fmt: skip
            console.print(f"{one.family} seed {one.seed}: {text}", highlight=False)
    console.print(
        f"{totals['families']} families, {totals['runs']} runs: {totals['runs_with_alarm']} with an error or fatal "
        f"finding ({totals['runs_with_passing_alarm']} at some check; target 0), {totals['warnings_per_run']:.2f} "
        f"warnings per run (target {MAX_WARNINGS}), {totals['runs_below_usual_score']} below the usual score; "
        f"{totals['seconds']:.0f} s, of which deepdebug {totals['deepdebug_seconds']:.0f} s",
        highlight=False,
    )


def _codes(runs: list[Outcome], severities: tuple[str, ...]) -> str:
    found = Counter(one.code for run in runs for one in run.findings if one.severity in severities)
    return ", ".join(f"{code} x{count}" if count > 1 else code for code, count in sorted(found.items()))


if __name__ == "__main__":
    typer.run(main)
