"""How well each tool agrees with the published label and with the outcome, per part of the set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.models444.manifest import Row
from benchmarks.models444.measures import Agreement, agreement
from benchmarks.models444.scoring.outcomes import Outcome
from benchmarks.models444.scoring.results import Trained
from benchmarks.models444.scoring.tools import OURS, PRESET, VERDICTS, WARNING, outcome_verdict

PUBLISHED, OUTCOME = "published", "outcome"
EVERY, NOT_LOST, KNOWN = "all", "settings not lost", "settings not lost, exact structure"
PARTS: Mapping[str, Callable[[Row], bool]] = {
    EVERY: lambda _row: True,
    NOT_LOST: lambda row: row.fidelity != "stand-in",
    KNOWN: lambda row: row.fidelity != "stand-in" and row.structure == "exact",
    "settings exact": lambda row: row.fidelity == "exact",
    "settings default": lambda row: row.fidelity == "default",
    "settings stand-in": lambda row: row.fidelity == "stand-in",
    "not redrawn until label and outcome agreed": lambda row: not row.selected_on_label,
    **{name: lambda row, name=name: row.dataset == name for name in ("Blob", "Circle", "MNIST", "CIFAR")},
}


@dataclass(frozen=True, slots=True)
class Compared:
    """A tool against a label.

    Args:
        label: "published" or "outcome".
        part: Which models.
        tool: Name of the tool.
        agreement: How well they agree.
    """

    label: str
    part: str
    tool: str
    agreement: Agreement


def compare(trained: Sequence[Trained], reached: Mapping[str, Outcome], lost: Sequence[Row] = ()) -> Iterator[Compared]:
    """Compare every tool with both labels; programs have no normal ones beside them and are left out.

    Args:
        trained: The results.
        reached: What the models reached, by id.
        lost: Models that ended without a verdict, which deepdebug has then got wrong; they have no outcome. Defaults
            to none.
    """
    models = [one for one in trained if one.row.source == "autotrainer"]
    gone = [row for row in lost if row.source == "autotrainer"]
    for part, belongs in PARTS.items():
        chosen, missing = [one for one in models if belongs(one.row)], [row for row in gone if belongs(row)]
        labels = [one.row.is_buggy for one in chosen], [row.is_buggy for row in missing]
        outcomes = [reached[one.row.id].is_faulty for one in chosen]
        for tool, verdict in VERDICTS.items():
            wrong = [not row.is_buggy if tool in (OURS, WARNING, PRESET) else None for row in missing]
            said = [*(verdict(one) for one in chosen), *wrong]
            yield Compared(PUBLISHED, part, tool, agreement(said, [*labels[0], *labels[1]]))
            yield Compared(OUTCOME, part, tool, agreement([outcome_verdict(tool, one) for one in chosen], outcomes))


@dataclass(frozen=True, slots=True)
class Errors:
    """Where a verdict differs from a label, by id.

    Args:
        misses: Faulty models that were not flagged.
        alarms: Normal models that were.
    """

    misses: tuple[str, ...]
    alarms: tuple[str, ...]


def errors(trained: Sequence[Trained], tool: str, is_faulty: Callable[[Row], bool]) -> Errors:
    """Return where a tool errs.

    Args:
        trained: The results.
        tool: Name of the tool.
        is_faulty: The label.
    """
    said = [(one.row, VERDICTS[tool](one)) for one in trained]
    return Errors(
        tuple(row.id for row, flagged in said if flagged is False and is_faulty(row)),
        tuple(row.id for row, flagged in said if flagged and not is_faulty(row)),
    )
