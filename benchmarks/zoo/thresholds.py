"""What each threshold would have to be, by the tuning half of the zoo alone.

A threshold is tried at several multiples of its value, with all others as they are, and its own detector alone is
asked about every recorded training. Chosen is the value that finds most faulty trainings among those that raise an
alarm in at most one healthy training of a hundred, and of equal ones that which changes least. Where none is so quiet,
it is the quietest.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.models444.scoring.results import ALARMS, WARNED
from benchmarks.zoo.job import Request

FACTORS = (0.25, 0.5, 0.71, 1.0, 1.41, 2.0, 4.0)
FAILED = "failed"  # said in place of a severity where a detector cannot work with a value
# The aim of 95 % healthy trainings without an alarm, shared out among the detectors that ever raise one in vain.
MOST_ALARMS = 0.01


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number that a detector goes by.

    Args:
        code: Code of the detector.
        name: Name of its field.
        value: What it is now.
    """

    code: str
    name: str
    value: float

    @property
    def candidates(self) -> tuple[float, ...]:
        """The values that are tried; what is at most 1 stays so."""
        tried = (factor * self.value for factor in FACTORS)
        return tuple(dict.fromkeys(min(one, 1.0) if 0 < self.value <= 1 else one for one in tried))


@dataclass(frozen=True, slots=True)
class Tried:
    """What a value does on the tuning half.

    Args:
        value: The value.
        alarms: Share of healthy trainings that the detector would call broken.
        warnings: Share of healthy trainings that it would warn about.
        found: Share of faulty trainings that it would call broken.
        warned: Share of faulty trainings that it would warn about.
        works: Whether the detector can work with it.
    """

    value: float
    alarms: float
    warnings: float
    found: float
    warned: float
    works: bool


def thresholds() -> Iterator[Threshold]:
    """Yield every fraction that a detector of the default preset goes by; whole numbers, as of checks, are none."""
    from deepdebug.presets import find_preset

    for detector in find_preset("default").detectors(None, ()):
        for field in fields(detector):  # type: ignore[arg-type]
            value = getattr(detector, field.name)
            if isinstance(value, float) and value:
                yield Threshold(detector.code, field.name, value)


def severities(name: str, seed: int, request: Request) -> Mapping[tuple[str, str, float], str]:
    """Return what every threshold at every candidate says of a training: the worst severity, "" for none.

    Args:
        name: Name of the model.
        seed: Its seed.
        request: Where its recording lies.
    """
    from benchmarks.models444.judging import DEFAULT, recorded, unpacked
    from deepdebug.judging import replay
    from deepdebug.presets import find_preset
    from deepdebug.recording_reader import read_recording

    with unpacked(recorded(request.recordings(name, seed), DEFAULT)) as folder:
        recording = read_recording(Path(folder))
    detectors = {one.code: one for one in find_preset("default").detectors(None, ())}
    judged = partial(replay, recording.run, facts=recording.facts, later_data=recording.later_data)
    found = {}
    for one in thresholds():
        for value in one.candidates:
            changed: Any = replace(detectors[one.code], **{one.name: value})  # type: ignore[type-var]
            log = judged([changed])
            has_failed = any("failed" in skipped.reason for skipped in log.skipped)
            found[one.code, one.name, value] = FAILED if has_failed else _worst(log.findings)
    return found


def table(
    healthy: Sequence[Mapping[tuple[str, str, float], str]], faulty: Sequence[Mapping[tuple[str, str, float], str]]
) -> Iterator[tuple[Threshold, tuple[Tried, ...], Tried]]:
    """Yield each threshold with what was tried, and what is to be chosen.

    Args:
        healthy: What was said of healthy trainings, see `severities`.
        faulty: The same of faulty ones.
    """
    for one in thresholds():
        tried = tuple(_tried(one, value, healthy, faulty) for value in one.candidates)
        yield one, tried, min(tried, key=partial(_rank, one))


def _rank(one: Threshold, tried: Tried) -> tuple[float, ...]:
    change = abs(math.log(tried.value / one.value))
    return (not tried.works, max(tried.alarms, MOST_ALARMS), -tried.found, -tried.warned, change)


def _tried(
    one: Threshold,
    value: float,
    healthy: Sequence[Mapping[tuple[str, str, float], str]],
    faulty: Sequence[Mapping[tuple[str, str, float], str]],
) -> Tried:
    key = (one.code, one.name, value)
    shares = [
        sum(known[key] in severe for known in part) / max(1, len(part))
        for part in (healthy, faulty)
        for severe in (ALARMS, WARNED)
    ]
    return Tried(value, *shares, works=all(known[key] != FAILED for part in (healthy, faulty) for known in part))


def _worst(findings: Sequence[Any]) -> str:
    order = ("", "info", "warn", "error", "fatal")
    return max((one.severity for one in findings), key=order.index, default="")
