"""Bars on the terminal for long work; nothing where standard error is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

INTERRUPTED = 130
Stage = Callable[[str, int], Callable[[int], None]]  # name and total of a stage -> how to tell of progress
Lines = Callable[[Stage], Iterator[str]]  # does work and yields what is to be told of it


@contextmanager
def progress(unit: str = "images") -> Iterator[Stage]:
    """Show a bar for every stage, with its speed and the time left.

    Args:
        unit: What is counted. Defaults to "images".
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Speed(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text("" if speed is None else f"{speed:,.1f} {unit}/s")

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Speed(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:

        def stage(name: str, total: int) -> Callable[[int], None]:
            task = bars.add_task(name, total=total)
            return lambda more: bars.advance(task, more)

        yield stage


def tell(out: Path, lines: Lines) -> None:
    """Do work with progress, and print what it yields when it ends, also where an error ends it.

    Args:
        out: Folder of the results.
        lines: The work.
    """
    found: list[str] = []
    try:
        with progress() as stage:
            found.extend(lines(stage))  # one by one, so that what came before an error is there
    except KeyboardInterrupt:
        sys.stderr.write(f"deepdebug: interrupted. What is done lies in {str(out)!r}; the same command goes on.\n")
        raise typer.Exit(INTERRUPTED) from None
    finally:
        for line in found:
            typer.echo(line)
