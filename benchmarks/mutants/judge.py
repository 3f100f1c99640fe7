"""Trains one mutant under `Diagnose` and tells whether its fault was found."""

from __future__ import annotations

import time
from dataclasses import dataclass

import keras

from benchmarks.healthy.judge import watch
from benchmarks.mutants import describing, optimizing  # noqa: F401  (each registers its mutants)
from benchmarks.mutants.mutant import MUTANTS

SEVERE = ("warn", "error", "fatal")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one training.

    Args:
        mutant: Name of the mutant.
        seed: Seed.
        fault: The fault in words.
        codes: Severity and code of each finding of severity "warn" or worse.
        action: Action of the first diagnosis.
        cause: Fault of the first diagnosis in words.
        expected: The actions that would mend the fault.
        seconds: Seconds for building and training.
    """

    mutant: str
    seed: int
    fault: str
    codes: tuple[str, ...]
    action: str
    cause: str
    expected: tuple[str, ...]
    seconds: float

    @property
    def is_found(self) -> bool:
        """Whether anything of severity "warn" or worse was reported."""
        return bool(self.codes)

    @property
    def is_understood(self) -> bool:
        """Whether the first diagnosis acts on the fault."""
        return self.is_found and self.action in self.expected


def judge(name: str, seed: int) -> Outcome:
    """Build and train the mutant of that name with the seed."""
    started = time.perf_counter()
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    mutant = MUTANTS[name]
    report = watch(mutant.build(seed), may_fail=True).report
    first = report.diagnoses[0] if report.diagnoses else None
    return Outcome(
        mutant=name,
        seed=seed,
        fault=mutant.fault,
        codes=tuple(f"{found.severity} {found.code}" for found in report.findings if found.severity in SEVERE),
        action=first.action if first else "",
        cause=first.fault if first else "",
        expected=mutant.actions,
        seconds=time.perf_counter() - started,
    )
