"""The score of the zoo and its thresholds as tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from benchmarks.sheets import Sheet
from benchmarks.zoo.results import Read
from benchmarks.zoo.score import MOST_WARNINGS, TARGETS, Score
from benchmarks.zoo.thresholds import Threshold, Tried


def score_sheets(found: Read, scores: Mapping[str, Score], faults: Mapping[str, str]) -> Iterator[Sheet]:
    """Yield the tables of the score.

    Args:
        found: What was read.
        scores: The score of each preset, ours first.
        faults: The fault of each operator in words.
    """
    ours = next(iter(scores.values()))
    rows = []
    for name in ours.measures:
        cells = (one.measures[name] for one in scores.values())
        told = (f"{one.value:.3f} ({one.low:.3f} to {one.high:.3f})" for one in cells)
        target = f">= {TARGETS[name]:.2f}" if name in TARGETS else ""
        met = _met(ours.measures[name].value >= TARGETS[name]) if name in TARGETS else ""
        rows.append((name, *told, target, met))
    warnings = (f"{one.warnings:.2f}" for one in scores.values())
    rows.append(("warnings per healthy run", *warnings, f"<= {MOST_WARNINGS}", _met(ours.warnings <= MOST_WARNINGS)))
    title = (
        f"{len(ours.healthy)} healthy models and {len(ours.faulty)} mutants that are worse than these "
        f"({len(found.alike)} are no worse, {len(found.refused)} are refused by Keras, {len(found.missing)} models are "
        "not done); shares of trainings with 95 % intervals"
    )
    yield Sheet(title, ("measure", *scores, "target", "met"), tuple(rows))
    yield _confusion(ours, faults)
    yield Sheet("Mutants without an alarm, with what was said", ("run",), tuple((one,) for one in ours.missed))
    yield Sheet("Healthy trainings with an alarm", ("run",), tuple((one,) for one in ours.alarmed))


def _met(is_met: bool) -> str:
    return "yes" if is_met else "NO"


def _confusion(score: Score, faults: Mapping[str, str]) -> Sheet:
    rows = tuple(
        (name, faults[name], ", ".join(f"{cause} {count}" for cause, count in Counter(known).most_common()))
        for name, known in score.confused.items()
    )
    return Sheet("First cause by operator", ("operator", "fault", "first cause, in so many trainings"), rows)


def threshold_sheet(chosen: Iterable[tuple[Threshold, tuple[Tried, ...], Tried]]) -> Sheet:
    """Return what thresholds would be chosen.

    Args:
        chosen: Each threshold with what was tried and what is best.
    """
    rows = []
    for one, tried, best in chosen:
        now = next(known for known in tried if known.value == one.value)
        rows.append((f"{one.code} {one.name}", f"{one.value:g}", f"{best.value:g}", *_shares(now), *_shares(best)))
    columns = ("threshold", "now", "chosen", "alarms now", "found now", "alarms then", "found then")
    return Sheet("Thresholds by the tuning half: alarms on healthy and on faulty trainings", columns, tuple(rows))


def _shares(one: Tried) -> tuple[str, str]:
    return f"{one.alarms:.3f}", f"{one.found:.3f}"
