"""What each detector adds: RQ4 of DeepDiagnosis, for the published preset and for ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.models444.manifest import Row
from benchmarks.models444.scoring.results import ALARMS, WARNED, Said, Severity, Trained

# Our detectors of each published symptom, and for how many models of AUTOTRAINER and real-world programs DeepDiagnosis
# reported it (ICSE 2022, RQ4).
PUBLISHED: Mapping[str, tuple[frozenset[str], tuple[int, int]]] = {
    name: (frozenset(codes.split()), counts)
    for name, codes, counts in (
        ("exploding", "DD103 DD201 DD202", (50, 23)),
        ("saturated activation", "DD102", (5, 7)),
        ("dead node", "DD101", (8, 5)),
        ("out of range", "DD104", (0, 5)),
        ("unchanged weights", "DD107 DD203 DD204", (23, 2)),
        ("invalid accuracy", "DD302", (0, 2)),
        ("accuracy not increasing", "DD304", (21, 1)),
        ("vanishing gradient", "DD205", (31, 1)),
    )
}


@dataclass(frozen=True, slots=True)
class Part:
    """What a group of detectors adds.

    Args:
        name: A published symptom, or the code of a detector.
        hits: Buggy models and programs it reported.
        alarms: Normal models it reported.
        only_hits: Buggy ones that nothing else reported.
        only_alarms: Normal ones that nothing else reported.
    """

    name: str
    hits: tuple[int, int]
    alarms: int
    only_hits: tuple[int, int]
    only_alarms: int


def published_symptoms(trained: Sequence[Trained], preset: str) -> Iterator[Part]:
    """Yield what the detectors of each published symptom add.

    Args:
        trained: The results.
        preset: Name of the preset; what the default one does not call an error does not count.
    """
    for name, (codes, _) in PUBLISHED.items():
        yield _part(name, codes, trained, preset)


def every_detector(trained: Sequence[Trained], preset: str) -> Iterator[Part]:
    """Yield what each detector that reported anything adds.

    Args:
        trained: The results.
        preset: Name of the preset.
    """
    for code in sorted({code for one in trained for code in _codes(one.verdicts[preset], preset, one.row)}):
        yield _part(code, frozenset({code}), trained, preset)


def _part(name: str, codes: frozenset[str], trained: Sequence[Trained], preset: str) -> Part:
    said = [(one.row, _codes(one.verdicts[preset], preset, one.row)) for one in trained]
    with_it = [row for row, found in said if found & codes]
    only_it = [row for row, found in said if found and found <= codes]
    (hits, alarms), (only_hits, only_alarms) = _counts(with_it), _counts(only_it)
    return Part(name, hits, alarms, only_hits, only_alarms)


def _codes(said: Said, preset: str, row: Row) -> set[str]:
    """Return the detectors whose word makes a verdict: alarms on models, warnings too on programs."""
    severities: tuple[Severity, ...] = ALARMS if row.kind != "program" else WARNED
    every: tuple[Severity, ...] = ("info", *WARNED)
    wanted = severities if preset == "default" else every
    return {found.code for found in said.findings if found.severity in wanted}


def _counts(rows: Sequence[Row]) -> tuple[tuple[int, int], int]:
    programs = sum(row.kind == "program" for row in rows)
    buggy = sum(row.is_buggy for row in rows) - programs
    return (buggy, programs), len(rows) - buggy - programs
