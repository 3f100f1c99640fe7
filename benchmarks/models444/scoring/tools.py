"""Which models a tool calls faulty: deepdebug by what it said, the published tools by their columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from benchmarks.models444.manifest import TOOLS
from benchmarks.models444.scoring.results import ALARMS, WARNED, Trained

Verdict = Callable[[Trained], bool | None]
DEFAULT, WARNING, PRESET, ALL = "deepdebug", "deepdebug, warnings too", "preset deepdiagnosis", "flag everything"


def _published(tool: str) -> Verdict:
    return lambda one: one.row.published(tool)


VERDICTS: Mapping[str, Verdict] = {
    DEFAULT: lambda one: one.verdicts["default"].has(ALARMS),
    WARNING: lambda one: one.verdicts["default"].has(WARNED),
    PRESET: lambda one: bool(one.verdicts["deepdiagnosis"].findings),
    ALL: lambda _one: True,
    **{f"{tool}, published": _published(tool) for tool in TOOLS if tool != "autotrainer"},  # which makes the labels
}
