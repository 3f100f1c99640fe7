"""The report as GitHub workflow commands, which show as annotations of a pull request."""

from __future__ import annotations

from collections.abc import Mapping

from deepdebug.records import Finding, Severity
from deepdebug.report import wording
from deepdebug.report.report import Report

COMMANDS: Mapping[Severity, str] = {"info": "notice", "warn": "warning", "error": "error", "fatal": "error"}


def render(report: Report) -> str:
    """Return one command per finding and one with the verdict."""
    lines = [_command(COMMANDS[one.severity], wording.title(one), _message(one, report)) for one in report.findings]
    return "\n".join([*lines, _command("notice", "deepdebug", report.verdict)]) + "\n"


def _message(finding: Finding, report: Report) -> str:
    cause = wording.cause_of(finding, report)
    fix = "" if cause is None else f"\nLikely cause: {cause.fault}. {cause.fix.advice}"
    return wording.line(finding) + fix


def _command(command: str, title: str, message: str) -> str:
    return f"::{command} title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    """Escape as GitHub's own toolkit does (actions/toolkit, core/src/command.ts)."""
    return wording.printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
