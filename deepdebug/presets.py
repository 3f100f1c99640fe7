"""Presets: which detectors run, and how their findings become diagnoses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deepdebug import deepdiagnosis
from deepdebug.detectors.registry import Arrange, Detector, select_rules
from deepdebug.diagnosis import diagnose
from deepdebug.errors import UsageError
from deepdebug.observation import Run
from deepdebug.pace import SPACING
from deepdebug.records import Diagnosis, Finding

Choose = Callable[[Sequence[str] | None, Sequence[str]], tuple[Detector, ...]]
Conclude = Callable[[Run, Sequence[Finding]], tuple[Diagnosis, ...]]


@dataclass(frozen=True, slots=True)
class Preset:
    """A set of detectors and the tree that goes with them.

    Args:
        name: Name.
        detectors: Builds the detectors with their default thresholds; takes `select` (codes, starts of codes, symptoms
            or abbreviations, `None` for all) and `ignore` (the same, to leave out).
        diagnose: Groups the findings of a run by root cause.
        first_hit_wins: Whether nothing is judged after the first finding.
        arrange: Orders the findings of one moment; `None` leaves them in the order of the detectors.
        spacing: Updates between two looks at epoch ends where the user leaves it open, see `widest`.
    """

    name: str
    detectors: Choose
    diagnose: Conclude
    first_hit_wins: bool = False
    arrange: Arrange | None = None
    spacing: int = SPACING


def _default_detectors(select: Sequence[str] | None, ignore: Sequence[str]) -> tuple[Detector, ...]:
    return tuple(rule() for rule in select_rules(select, ignore))


def _published_detectors(select: Sequence[str] | None, ignore: Sequence[str]) -> tuple[Detector, ...]:
    """Choose by the default detectors, of which each published one shares code and names."""
    codes = {rule.code for rule in select_rules(select, ignore)}
    chosen = tuple(rule() for rule in deepdiagnosis.DETECTORS if rule.code in codes)
    if not chosen:
        known = ", ".join(sorted(rule.code for rule in deepdiagnosis.DETECTORS))
        raise UsageError(
            f"`select` got {select!r} and `ignore` {ignore!r}, which leave no check of the preset 'deepdiagnosis'. It "
            f"has {known}. Choose among these, or the preset 'default'."
        )
    return chosen


PRESETS = (
    Preset("default", _default_detectors, diagnose),
    Preset(
        "deepdiagnosis",
        _published_detectors,
        deepdiagnosis.diagnose,
        first_hit_wins=True,
        arrange=deepdiagnosis.in_loop_order,
        spacing=0,
    ),
)


def find_preset(name: str) -> Preset:
    """Return the preset of that name.

    Raises:
        UsageError: When there is none.

    Example:

    >>> find_preset("deepdiagnosis").first_hit_wins
    True
    """
    for preset in PRESETS:
        if preset.name == name:
            return preset
    known = " and ".join(f"'{preset.name}'" for preset in PRESETS)
    raise UsageError(f"`preset` got {name!r}, which is not a preset. Known are {known}.")
