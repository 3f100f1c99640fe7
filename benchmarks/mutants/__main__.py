"""Runs the mutants and counts how many are found and understood: `python -m benchmarks.mutants`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.mutants.run import judge, summary
from benchmarks.workers import run_all

if TYPE_CHECKING:
    from benchmarks.mutants.judge import Outcome


def main(
    seeds: Annotated[int, typer.Option(min=1, help="Seeds per mutant, from 0.")] = 1,
    only: Annotated[list[str] | None, typer.Option(help="Mutant to run; may be given several times.")] = None,
    out: Annotated[Path | None, typer.Option("--json", help="File for the outcomes as JSON.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
) -> None:
    """Train programs with one known fault each and count the faults found."""
    from benchmarks.mutants.judge import MUTANTS

    unknown = set(only or ()) - set(MUTANTS)
    if unknown:
        raise typer.BadParameter(f"no such mutant: {', '.join(sorted(unknown))}; known: {', '.join(MUTANTS)}")
    names = [name for name in MUTANTS if not only or name in only]
    outcomes = run_all(judge, [(name, seed) for name in names for seed in range(seeds)], workers)
    totals = summary(outcomes)
    _show(outcomes, totals)
    if out is not None:
        content = {"totals": totals, "runs": [asdict(one) for one in outcomes]}
        out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    raise typer.Exit(int(bool(totals["missed"])))


def _show(outcomes: list[Outcome], totals: dict[str, Any]) -> None:
    table = Table("mutant", "fault", "found", "first diagnosis", "action", "expected")
    for one in outcomes:
        color = "green" if one.is_understood else "yellow" if one.is_found else "red"
        found = f"[{color}]{', '.join(dict.fromkeys(one.codes)) or 'nothing'}[/]"
        table.add_row(f"{one.mutant} {one.seed}", one.fault, found, one.cause, one.action, " ".join(one.expected))
    console = Console()
    console.print(table)
    console.print(
        f"{totals['mutants']} mutants, {totals['runs']} runs: {totals['found']} found, {totals['understood']} with a "
        f"sensible first action; missed: {', '.join(totals['missed']) or 'none'}; misunderstood: "
        f"{', '.join(totals['misunderstood']) or 'none'}; {totals['seconds']:.0f} s",
        highlight=False,
    )


if __name__ == "__main__":
    typer.run(main)
