"""Which models a tool calls faulty: deepdebug by what it said, the published tools by their columns.

The settings of 250 models were lost, and ours in their place are other models. There the published verdicts can be held
against the published labels, but say nothing of what our models did.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from benchmarks.models444.manifest import TOOLS
from benchmarks.models444.scoring.results import ALARMS, WARNED, Trained

Verdict = Callable[[Trained], bool | None]
OURS, WARNING, PRESET, ALL = "deepdebug", "deepdebug, warnings too", "preset deepdiagnosis", "flag everything"


def _published(tool: str) -> Verdict:
    return lambda one: one.row.published(tool)


VERDICTS: Mapping[str, Verdict] = {
    OURS: lambda one: one.verdicts["default"].has(ALARMS),
    WARNING: lambda one: one.verdicts["default"].has(WARNED),
    PRESET: lambda one: bool(one.verdicts["deepdiagnosis"].findings),
    ALL: lambda _one: True,
    **{f"{tool}, published": _published(tool) for tool in TOOLS if tool != "autotrainer"},  # which makes the labels
}
PUBLISHED = frozenset(name for name in VERDICTS if name.endswith(", published"))


def outcome_verdict(tool: str, one: Trained) -> bool | None:
    """Return whether a tool flagged the very model whose outcome we saw; `None` where that is not known.

    Args:
        tool: Name of the tool.
        one: The model.
    """
    return None if tool in PUBLISHED and one.row.fidelity == "stand-in" else VERDICTS[tool](one)
