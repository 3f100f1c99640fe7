"""The report as text: plain for files, with colours for a terminal (`NO_COLOR` is honoured by rich)."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from deepdebug.records import Diagnosis, Finding, Severity
from deepdebug.report import wording
from deepdebug.report.report import Report
from deepdebug.report.summary import spent, versions

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

WIDTH = 100
COLORS: Mapping[Severity, str] = {"info": "blue", "warn": "yellow", "error": "red", "fatal": "bold red"}
TONES = {0: "bold green", 1: "bold red", 3: "bold yellow"}


def render(report: Report) -> str:
    """Return the report as plain text, `WIDTH` columns wide."""
    from rich.console import Console

    buffer = io.StringIO()
    show(report, Console(file=buffer, width=WIDTH, color_system=None, force_terminal=False, force_jupyter=False))
    return "\n".join(text.rstrip() for text in buffer.getvalue().splitlines()) + "\n"


def show(report: Report, console: Console | None = None) -> None:
    """Print the report.

    Args:
        report: The report.
        console: Where to print. Defaults to `None`: standard output.
    """
    from rich.console import Console

    console = console or Console()
    for part in _parts(report):
        console.print(part, crop=False)


def announce(findings: Sequence[Finding], console: Console | None = None) -> None:
    """Print what is wrong before the first update, in a line each, in case the training does not get to its report.

    Args:
        findings: The findings.
        console: Where to print. Defaults to `None`: standard output.
    """
    from rich.console import Console

    console = console or Console()
    for finding in findings:
        line = f"deepdebug: {finding.severity} {wording.title(finding)}: {finding.message}"
        console.print(_text(line, COLORS[finding.severity]), crop=False)


def _parts(report: Report) -> Iterator[RenderableType]:
    yield _text(f"deepdebug: {report.headline}", TONES[report.exit_code])
    yield _text(report.counts)
    yield _text(f"model '{report.run.facts.model}'; {wording.status(report)}; preset {report.preset}", "dim")
    yield _text("; ".join(filter(None, (versions(report), spent(report)))), "dim")
    for rank, diagnosis in enumerate(report.diagnoses, start=1):
        yield from _diagnosis(rank, diagnosis)
    if report.unexplained:
        yield _heading("Other findings" if report.diagnoses else "Findings")
        for finding in report.unexplained:
            yield from _finding(finding)
    if report.skipped:
        yield _heading("Not checked")
        for skipped in report.skipped:
            yield _indented(_text(f"{wording.check_name(skipped.check, report)}: {skipped.reason}", "dim"), 2)


def _diagnosis(rank: int, diagnosis: Diagnosis) -> Iterator[RenderableType]:
    fault = diagnosis.fault[:1].upper() + diagnosis.fault[1:]
    yield _heading(f"{rank}. {fault} ({diagnosis.confidence})")
    yield _indented(_text(f"Fix: {diagnosis.fix.advice}"), 2)
    if diagnosis.fix.snippet:
        yield _snippet(diagnosis.fix.snippet)
    yield from (_indented(_text(f"For: {reason}"), 2) for reason in diagnosis.supporting)
    yield from (_indented(_text(f"Against: {reason}"), 2) for reason in diagnosis.contradicting)
    for finding in diagnosis.findings:
        yield from _finding(finding)
    if diagnosis.silence:
        yield _indented(_text(f"Silence: {diagnosis.silence}", "dim"), 2)


def _finding(finding: Finding) -> Iterator[RenderableType]:
    from rich.text import Text

    where = _text(f"{wording.title(finding)}, {wording.place(finding)}, {wording.moment(finding)}")
    yield _indented(Text.assemble((f"{finding.severity:<6}", COLORS[finding.severity]), where), 2)
    numbers = "; ".join(filter(None, (wording.measured(finding), finding.healthy and f"healthy: {finding.healthy}")))
    yield _indented(_text(finding.message + (f" ({numbers})" if numbers else "")), 8)


def _heading(text: str) -> Text:
    from rich.text import Text

    return Text.assemble("\n", _text(text, "bold"))


def _indented(text: Text, columns: int) -> RenderableType:
    from rich.padding import Padding

    return Padding(text, (0, 0, 0, columns), expand=False)


def _snippet(code: str) -> RenderableType:
    """Return code that is never wrapped, so that it can be copied."""
    from rich.console import Group
    from rich.text import Text

    lines = "\n".join(f"      {line}" for line in wording.printable(code).splitlines())
    return Group(Text(lines, style="cyan", no_wrap=True, overflow="ignore"))  # printed bare it would wrap all the same


def _text(text: str, style: str = "") -> Text:
    from rich.text import Text

    return Text(wording.one_line(text), style=style)
