"""What `deepdebug hudd assign`, `retrain` and `compare` do, with progress, and what they found as text."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from deepdebug.cli.backend import start_keras
from deepdebug.cli.progress import Stage, progress
from deepdebug.report.wording import printable

if TYPE_CHECKING:
    from deepdebug.retraining.choosing import Choice
    from deepdebug.retraining.steps import Retraining

INTERRUPTED = 130
MAX_LEFT_OUT = 5
Lines = Callable[[Stage], Iterator[str]]


def tell(out: Path, lines: Lines) -> None:
    """Do work with progress and print what it yields, at its end.

    Args:
        out: Folder of the results.
        lines: The work.
    """
    try:
        with progress() as stage:
            found = list(lines(stage))
    except KeyboardInterrupt:
        sys.stderr.write(f"deepdebug: interrupted. What is done lies in {str(out)!r}; the same command goes on.\n")
        raise typer.Exit(INTERRUPTED) from None
    for line in found:
        typer.echo(line)


def assign_lines(case: Path, out: Path, choice: Choice, workers: int) -> Lines:
    """Return the work of `hudd assign`.

    Args:
        case: Folder of the case.
        out: Folder of the results.
        choice: How images are chosen.
        workers: Processes that look at the images.
    """

    def lines(stage: Stage) -> Iterator[str]:
        start_keras()
        from deepdebug.retraining.choosing import TABLE, TO_LABEL, UNSAFE
        from deepdebug.retraining.engines import Engine
        from deepdebug.retraining.grouped import group_failures
        from deepdebug.retraining.workflow import read_request, unsafe_set

        grouped = group_failures(read_request(case, out), stage)
        looked, unsafe = unsafe_set(grouped, choice, Engine(workers=workers), stage)
        folder = out / UNSAFE
        yield f"Unsafe set: {len(unsafe.chosen):,} of {len(looked.images.names):,} images of the ImprovementSet"
        for name, reason in looked.left_out[:MAX_LEFT_OUT]:
            sys.stderr.write(printable(f"deepdebug: left out {name}: {reason}") + "\n")
        yield ""
        yield f"{'cluster':>8} {'failures':>9} {'chosen':>7} {'quota':>6}"
        for group, quota in zip(grouped.analysis.groups, unsafe.quotas, strict=True):
            taken = int((unsafe.chosen.clusters == group.number - 1).sum())
            yield f"{group.number:>8} {len(group.members):>9,} {taken:>7,} {int(quota):>6,}"
        yield ""
        yield f"The images lie in {folder}, a folder per cluster; {folder / TABLE} lists them."
        yield f"Fill in {folder / TO_LABEL}, or go on at once where the set has labels: deepdebug hudd retrain {case}"

    return lines


def retrain_lines(case: Path, out: Path, choice: Choice, wanted: Callable[[], Retraining]) -> Lines:
    """Return the work of `hudd retrain`.

    Args:
        case: Folder of the case.
        out: Folder of the results.
        choice: How images are chosen.
        wanted: Returns what is asked of the retraining.
    """

    def lines(stage: Stage) -> Iterator[str]:
        start_keras()
        from deepdebug.retraining.grouped import group_failures
        from deepdebug.retraining.steps import retrain
        from deepdebug.retraining.workflow import read_request, unsafe_set

        asked = wanted()
        grouped = group_failures(read_request(case, out), stage)
        looked, unsafe = unsafe_set(grouped, choice, asked.engine, stage)
        records = retrain(grouped, looked, unsafe, asked, stage)
        for one in records:
            yield f"{one.name} {one.accuracy} {one.best_epoch} {one.seconds:.1f} {one.model}"

    return lines
