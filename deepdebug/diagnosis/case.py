"""The records that the parts of the diagnosis hand to each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from deepdebug.diagnosis.tree import Answer
from deepdebug.observation import Run
from deepdebug.records import Finding, Fix


@dataclass(frozen=True, slots=True)
class Case:
    """A run, the findings in question, and what the tests of the tree said.

    Args:
        run: The run.
        findings: The findings in question, the most telling first.
        answers: Answers by name of the test.
    """

    run: Run
    findings: tuple[Finding, ...]
    answers: Mapping[str, Answer]

    @property
    def codes(self) -> frozenset[str]:
        """Codes of the findings in question."""
        return frozenset(finding.code for finding in self.findings)

    def layers(self, *codes: str) -> tuple[str, ...]:
        """Return the layers named by the findings with these codes (default: by any), in their order."""
        named = [one.layer for one in self.findings if one.layer is not None and (not codes or one.code in codes)]
        return tuple(dict.fromkeys(named))


@dataclass(frozen=True, slots=True)
class Evidence:
    """One measured fact that speaks for a cause (weight above 0) or against it (below 0)."""

    weight: float
    text: str


@dataclass(frozen=True, slots=True)
class Remedy:
    """A root cause in words, the action against it, and the fix.

    Args:
        fault: `Diagnosis.fault`.
        action: `Diagnosis.action`.
        fix: `Diagnosis.fix`.
    """

    fault: str
    action: str
    fix: Fix


Test = Callable[[Case], Evidence | None]


@dataclass(frozen=True, slots=True)
class Cause:
    """One root cause: which findings speak for it, and which measurements for or against it.

    Args:
        name: Name, the key of its remedy.
        weights: Codes of the findings that it explains, each with how strongly such a finding speaks for it.
        needs: Codes of which one must be present for the cause to be considered. Defaults to none: any of `weights`.
        tests: What is measured for and against it.
        consults: Names of the tests of the tree that these rest on, for the path.
        tier: 0 for causes that come before all, 1 for static contradictions, 2 for the others.
        per_layer: Whether each layer that has a finding in `needs` is a fault of its own.
    """

    name: str
    weights: Mapping[str, float]
    needs: frozenset[str] = frozenset()
    tests: tuple[Test, ...] = ()
    consults: tuple[str, ...] = ()
    tier: int = 2
    per_layer: bool = False
