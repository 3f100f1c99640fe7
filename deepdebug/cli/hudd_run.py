"""What `deepdebug hudd` does: the steps of a case with progress, and what they found as text."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

from deepdebug.cli.backend import start_keras
from deepdebug.cli.progress import Stage, progress, tell
from deepdebug.report.wording import printable

if TYPE_CHECKING:
    from deepdebug.hudd.explaining import Answered
    from deepdebug.hudd.opening import Request
    from deepdebug.retraining.grouped import Grouped

MAX_LEFT_OUT = 5


@dataclass(frozen=True, slots=True)
class Said:
    """The options as they were given; see `deepdebug.cli.hudd`."""

    case: Path
    out: Path
    model: str | None
    failures: str | None
    layers: str | None
    rule: str | None
    target: Literal["predicted", "largest"]
    normalise: str
    dtype: str
    summed: bool
    storage: Literal["auto", "full", "sketch"]
    embedding: Path | None
    views: str | None
    mode: str
    k: int | None
    detail: str
    linkage: str
    slicer: str
    seed: int
    exports: tuple[str, ...]
    size: str | None
    colour: str | None
    scale: str | None
    offset: float | None
    batch_size: int


def run(said: Said, until: str) -> None:
    """Do the steps up to one of them.

    Args:
        said: The options.
        until: "test", "heatmaps", "cluster", "report" or "retrain".

    Raises:
        UsageError: When options, case and model do not fit together, or something cannot be read or written.
    """
    tell(said.out, lambda stage: _lines(_request(said), until, stage))


def write_report(out: Path) -> None:
    """Write the page about groups that were found before.

    Args:
        out: Folder of the results.

    Raises:
        UsageError: When there are none, or the page cannot be written.
    """
    start_keras()
    from deepdebug.retraining.reporting import report_step

    with progress() as stage:
        page = report_step(out, stage)
    typer.echo(f"The page to read is {page}")


def _request(said: Said) -> Request:
    from deepdebug.case.preprocessing import from_flags
    from deepdebug.hudd.clusters import ClusterSettings
    from deepdebug.hudd.exports import check_exports
    from deepdebug.hudd.tested import parse_rule

    check_exports(said.exports, 0)
    start_keras()
    from deepdebug.hudd.opening import Request

    return Request(
        case=said.case,
        out=said.out,
        model=said.model,
        failures=None if said.failures is None else parse_rule(said.failures),
        layers=_listed(said.layers),
        composite=said.rule,
        target=said.target,
        normalise=said.normalise,
        dtype=said.dtype,
        summed=said.summed,
        storage=said.storage,
        embedding=said.embedding,
        views=_listed(said.views),
        preprocessing=from_flags(said.size, said.colour, said.scale, said.offset),
        batch_size=said.batch_size,
        clustering=ClusterSettings(
            k=said.k, detail=said.detail, mode=said.mode, linkage=said.linkage, slicer=said.slicer, seed=said.seed
        ),
        exports=said.exports,
    )


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",")) if text else ()


def _lines(request: Request, until: str, stage: Stage) -> Iterator[str]:
    """Do the steps, and yield what is to be told of each."""
    from deepdebug.case.folder import TEST
    from deepdebug.hudd.opening import open_case
    from deepdebug.hudd.steps import answer_step, cluster_step, heatmap_step, remove_results
    from deepdebug.report.hudd.text import told
    from deepdebug.retraining.grouped import Grouped
    from deepdebug.retraining.reporting import report_step

    opened = open_case(request)
    answers = answer_step(request, opened, stage)
    yield from _told_of_answers(answers)
    if not answers[TEST].tested.failed.any():
        remove_results(request)
        yield f"The model fails on none of the images of the {TEST}, so there is nothing to explain."
        return
    if until == "test":
        return
    heatmaps = heatmap_step(request, opened, answers[TEST], stage)
    yield printable(f"Heatmaps of the failures ({len(heatmaps.images):,}) at {', '.join(heatmaps.layers)}")
    if until == "heatmaps":
        return
    analysis = cluster_step(request, opened, answers, heatmaps, stage)
    yield ""
    yield from told(analysis)
    if until == "cluster":
        return
    yield f"\nThe page to read is {report_step(request.out, stage)}"
    if until == "report":
        return
    yield ""
    yield from _improved_lines(Grouped(request, opened, answers, heatmaps, analysis), stage)


def _improved_lines(grouped: Grouped, stage: Stage) -> Iterator[str]:
    """Choose images, and retrain where they have labels; where they have none, tell how to go on."""
    from deepdebug.cli.hudd_retrain import assigned_lines, improved_lines
    from deepdebug.retraining.asked import Retraining
    from deepdebug.retraining.choices import read_choice
    from deepdebug.retraining.workflow import unsafe_set

    wanted = Retraining()
    looked, unsafe = unsafe_set(grouped, read_choice(grouped.request.out), wanted.engine, stage)
    if looked.labels is None:
        yield from assigned_lines(grouped, looked, unsafe)
        return
    yield from improved_lines(grouped, looked, unsafe, wanted, stage)


def _told_of_answers(answers: dict[str, Answered]) -> Iterator[str]:
    for part, answered in answers.items():
        failed, count = int(answered.tested.failed.sum()), len(answered.tested.images)
        yield f"{part:<12} {count:>8,} images, {failed:>7,} failing ({failed / count:.1%})"
        for name, reason in answered.left_out[:MAX_LEFT_OUT]:
            sys.stderr.write(printable(f"deepdebug: left out {name}: {reason}") + "\n")
        if len(answered.left_out) > MAX_LEFT_OUT:
            sys.stderr.write(
                f"deepdebug: left out {len(answered.left_out) - MAX_LEFT_OUT} more; the page lists them.\n"
            )
