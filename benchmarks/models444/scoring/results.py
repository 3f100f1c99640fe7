"""What came of the models, as the score reads it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from benchmarks.models444.job import Request, read_result
from benchmarks.models444.manifest import Row
from benchmarks.models444.processes import DONE

Severity = Literal["info", "warn", "error", "fatal"]
ALARMS: tuple[Severity, ...] = ("error", "fatal")
WARNED: tuple[Severity, ...] = ("warn", "error", "fatal")


@dataclass(frozen=True, slots=True)
class Found:
    """A finding, see `deepdebug.Finding`.

    Args:
        code: Code of the detector.
        severity: Its severity.
        confidence: How sure it is.
        layer: Name of the layer, or `None`.
        epoch: Epoch in which it was first seen, from 0; -1 before training.
        step: Updates done by then.
        value: The measured number.
    """

    code: str
    severity: Severity
    confidence: str
    layer: str | None
    epoch: int
    step: int
    value: float | None


@dataclass(frozen=True, slots=True)
class Diagnosed:
    """A diagnosis, see `deepdebug.Diagnosis`.

    Args:
        cause: Name of the root cause; "" in the published preset.
        fault: The root cause in words.
        action: What kind of change mends it.
        codes: Of its findings.
        layers: Theirs.
    """

    cause: str
    fault: str
    action: str
    codes: tuple[str, ...]
    layers: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """All that deepdebug said of a model with one preset.

    Args:
        findings: The findings.
        diagnoses: The diagnoses, the likeliest first.
        alarm: Epoch after which the first lasting alarm was one, -1 before training; `None` without any.
        failed: Detectors that failed, which is a fault of ours.
    """

    findings: tuple[Found, ...]
    diagnoses: tuple[Diagnosed, ...]
    alarm: int | None = None
    failed: tuple[str, ...] = ()

    def has(self, severities: Iterable[Severity]) -> bool:
        """Return whether there is a finding of one of these severities."""
        return any(one.severity in severities for one in self.findings)

    @property
    def told(self) -> tuple[Diagnosed, ...]:
        """The diagnoses that a warning or an alarm speaks for, the likeliest first."""
        codes = {one.code for one in self.findings if one.severity in WARNED}
        return tuple(one for one in self.diagnoses if codes & set(one.codes))


@dataclass(frozen=True, slots=True)
class Seconds:
    """Time.

    Args:
        plain: Median seconds of an epoch without deepdebug.
        watched: The same with it.
        whole: Seconds of all of `fit` with it.
        watching: What deepdebug spent of these to look at the model and to judge.
        deepdebug: The same with what it took to write the reports.
        ends: Seconds from the beginning of `fit` to the first epoch, and to the end of each.
    """

    plain: float | None
    watched: float | None
    whole: float
    watching: float | None
    deepdebug: float | None
    ends: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Trained:
    """What came of one model.

    Args:
        row: The model.
        repeat: Number of the repetition, from 0.
        history: Metrics per epoch.
        seconds: Time.
        verdicts: What was said, by preset.
    """

    row: Row
    repeat: int
    history: Mapping[str, tuple[float | None, ...]]
    seconds: Seconds
    verdicts: Mapping[str, Said]


@dataclass(frozen=True, slots=True)
class Lost:
    """A model without a verdict.

    Args:
        id: Its name.
        repeat: Number of the repetition.
        status: How it ended: "crashed", "timed out" or "out of memory".
        reason: What it said last.
    """

    id: str
    repeat: int
    status: str
    reason: str


_TRAINED, _LOST = TypeAdapter(Trained), TypeAdapter(Lost)


def read_results(rows: Iterable[Row], request: Request) -> tuple[list[Trained], list[Lost]]:
    """Return the models that have a verdict, and those that ended without one; those not run yet are in neither.

    Args:
        rows: The rows.
        request: Which results.
    """
    trained, lost = [], []
    for row in rows:
        known = read_result(request.result(row))
        if known is None:
            continue
        if known["status"] == DONE:
            trained.append(_TRAINED.validate_python({**known, "row": row}))
        else:
            lost.append(_LOST.validate_python(known))
    return trained, lost


def read_repeats(rows: Iterable[Row], size: str, out: Path) -> tuple[list[list[Trained]], list[Lost]]:
    """Return the results of every repetition that there is, and all models that ended without one.

    Args:
        rows: The rows.
        size: Name of the size.
        out: Folder of the results.
    """
    rows, repeats, lost = list(rows), list[list[Trained]](), list[Lost]()
    while True:
        trained, others = read_results(rows, Request(size, len(repeats), out, out))
        if not trained and not others:
            return repeats, lost
        repeats.append(trained)
        lost += others
