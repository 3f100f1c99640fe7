"""What `deepdebug hudd assign`, `retrain` and `compare` do, with progress, and what they found as text."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from deepdebug.cli.backend import start_keras
from deepdebug.cli.progress import Lines, Stage
from deepdebug.report.wording import printable

if TYPE_CHECKING:
    from deepdebug.retraining.asked import Choice, Retraining
    from deepdebug.retraining.choosing import Unsafe
    from deepdebug.retraining.engines import Engine
    from deepdebug.retraining.grouped import Grouped
    from deepdebug.retraining.seeing import Looked

MAX_LEFT_OUT = 5


def assign_lines(case: Path, out: Path, choice: Choice, engine: Engine) -> Lines:
    """Return the work of `hudd assign`.

    Args:
        case: Folder of the case.
        out: Folder of the results.
        choice: How images are chosen.
        engine: Where they are looked at.
    """

    def lines(stage: Stage) -> Iterator[str]:
        start_keras()
        from deepdebug.hudd.requests import read_request
        from deepdebug.retraining.grouped import group_failures
        from deepdebug.retraining.workflow import unsafe_set

        grouped = group_failures(read_request(case, out), stage)
        yield from assigned_lines(grouped, *unsafe_set(grouped, choice, engine, stage))

    return lines


def assigned_lines(grouped: Grouped, looked: Looked, unsafe: Unsafe) -> Iterator[str]:
    """Yield which images were chosen, and what to do next.

    Args:
        grouped: The case.
        looked: The improvement set.
        unsafe: The images that were chosen of it.
    """
    from deepdebug.retraining.choosing import TABLE, TO_LABEL, UNSAFE

    case, out, chosen = grouped.request.case, grouped.request.out, unsafe.chosen
    folder = out / UNSAFE
    yield f"Unsafe set: {len(chosen):,} of {len(looked.images.names):,} images of the ImprovementSet"
    _tell_of_left_out(looked)
    if len(chosen) < unsafe.quotas.sum():
        yield f"That is less than the quotas, {int(unsafe.quotas.sum()):,}: no more images fit."
    yield ""
    if (chosen.clusters >= 0).any():
        yield from _table(("cluster", "failures", "chosen", "quota"), _by_cluster(grouped, unsafe))
        yield ""
        yield f"The images lie in {folder}, a folder per cluster; {TABLE} lists them."
    else:
        yield f"They are chosen without regard to clusters; {folder / TABLE} lists them, the least sure first."
    if looked.labels is not None:
        yield f"Next: {_retrain_command(case, out)}"
    elif unsafe.labelled < len(chosen):
        yield f"Fill in {folder / TO_LABEL} ({unsafe.labelled:,} of {len(chosen):,} labels are there), then:"
        yield f"  {_retrain_command(case, out, folder / TO_LABEL)}"
    else:
        yield f"Next: {_retrain_command(case, out, folder / TO_LABEL)}"


def _by_cluster(grouped: Grouped, unsafe: Unsafe) -> list[tuple[str, ...]]:
    return [
        (
            str(group.number),
            f"{len(group.members):,}",
            f"{int((unsafe.chosen.clusters == group.number - 1).sum()):,}",
            f"{quota:,}",
        )
        for group, quota in zip(grouped.analysis.groups, unsafe.quotas.tolist(), strict=True)
    ]


def _retrain_command(case: Path, out: Path, labels: Path | None = None) -> str:
    """Return the command that retrains, to be pasted."""
    words = ["deepdebug", "hudd", "retrain", str(case)]
    words += ["--out", str(out)] if out != case / "T" else []
    words += ["--labels", str(labels)] if labels is not None else []
    return shlex.join(words)


def retrain_lines(case: Path, out: Path, choice: Choice, wanted: Retraining) -> Lines:
    """Return the work of `hudd retrain`.

    Args:
        case: Folder of the case.
        out: Folder of the results.
        choice: How images are chosen.
        wanted: What is asked of the retraining.
    """

    def lines(stage: Stage) -> Iterator[str]:
        start_keras()
        from deepdebug.hudd.requests import read_request
        from deepdebug.retraining.grouped import group_failures
        from deepdebug.retraining.label_table import read_label_table
        from deepdebug.retraining.training import named_optimizer
        from deepdebug.retraining.workflow import unsafe_set

        # What is wrong here need not wait for what takes long.
        if wanted.labels is not None:
            read_label_table(wanted.labels, ())
        named_optimizer(wanted.settings.optimizer)
        grouped = group_failures(read_request(case, out), stage)
        looked, unsafe = unsafe_set(grouped, choice, wanted.engine, stage)
        _tell_of_left_out(looked)
        yield from improved_lines(grouped, looked, unsafe, wanted, stage)

    return lines


def improved_lines(grouped: Grouped, looked: Looked, unsafe: Unsafe, wanted: Retraining, stage: Stage) -> Iterator[str]:
    """Retrain, write the page, and yield what is to be told.

    Args:
        grouped: The case.
        looked: The improvement set.
        unsafe: The images that were chosen of it.
        wanted: What is asked of the retraining.
        stage: Is told of every stage that is begun.
    """
    from deepdebug.report.hudd.retraining import counted, table, told
    from deepdebug.retraining.filling import without_marked
    from deepdebug.retraining.reporting import report_step
    from deepdebug.retraining.steps import label_source, retrain
    from deepdebug.retraining.summarising import summarise

    out = grouped.request.out
    records = retrain(grouped, looked, unsafe, wanted, stage)
    labelled = without_marked(unsafe, label_source(grouped.opened, looked, wanted.labels))
    found = summarise(grouped, looked, labelled, records)
    yield told(found)
    yield ""
    yield from _table(("arm", "runs", "labels", "accuracy (95 % interval)", "p", "A12"), table(found))
    for one in found.arms:
        for name in one.diverged:
            yield f"{name} diverged and is kept out; {out / 'Retraining' / name / 'diagnosis'} says why."
        for text in one.notes:
            yield f"{one.arm}: {text}"
    yield ""
    if found.shown:
        run = f"{found.shown}, the median run" if found.arms[0].runs > 1 else found.shown
        yield f"{run}: {counted(found)}; the model is {out / 'DNNModels' / found.model}"
    yield f"The page to read is {report_step(out, stage)}"


def _tell_of_left_out(looked: Looked) -> None:
    for name, reason in looked.left_out[:MAX_LEFT_OUT]:
        sys.stderr.write(printable(f"deepdebug: left out {name}: {reason}") + "\n")
    if len(looked.left_out) > MAX_LEFT_OUT:
        sys.stderr.write(f"deepdebug: left out {len(looked.left_out) - MAX_LEFT_OUT} more.\n")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield a table with the first column to the left and the others to the right."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, *rows):
        first, *others = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        yield printable("  ".join([first.strip().ljust(widths[0]), *others]))


def compare_lines(case: Path, out: Path, before: str, after: str) -> Lines:
    """Return the work of `hudd compare`.

    Args:
        case: Folder of the case.
        out: Folder of the results.
        before: Name or file of the first model.
        after: The same of the second.
    """

    def lines(stage: Stage) -> Iterator[str]:
        start_keras()
        from deepdebug.hudd.requests import read_request
        from deepdebug.report.hudd.retraining import CAUSES, change_row
        from deepdebug.retraining.two_models import COMPARISON, compare_models

        found = compare_models(read_request(case, out), (before, after), stage)
        for kind, groups in found.items():
            yield ""
            head = (CAUSES.get(kind, "TestSet"), "images", "right before", "after", "mended", "broken", "p")
            yield from _table(head, [change_row(one) for one in groups])
        yield ""
        yield "p: McNemar's exact test, that both models are right equally often."
        yield f"The images that one gets right and the other wrong: {out / COMPARISON}"

    return lines
