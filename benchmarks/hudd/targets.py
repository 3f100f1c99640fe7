"""What was to be reached, and what was."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.hudd.arms import DEFAULT, FINE, FUSED, PUBLISHED
from benchmarks.hudd.summary import Estimate, Figures, shortcut_f1


@dataclass(frozen=True, slots=True)
class Target:
    """Something that was to be reached.

    Args:
        name: What.
        wanted: The figure.
        found: What came out; `None` where it was not measured.
        at_least: Whether more is better. Defaults to `True`.
        where: Where it came out so. Defaults to nothing.
    """

    name: str
    wanted: float
    found: float | None
    at_least: bool = True
    where: str = ""

    @property
    def verdict(self) -> str:
        """Return "met", "missed" or "not measured"."""
        if self.found is None or math.isnan(self.found):
            return "not measured"
        reached = self.found >= self.wanted if self.at_least else self.found <= self.wanted
        return "met" if reached else "missed"


def targets(figures: Figures) -> list[Target]:
    """Return what was to be reached, and what was.

    Args:
        figures: All results.
    """
    found = []
    for arm, wanted in ((DEFAULT, 0.76), (FUSED, 0.82)):
        found.append(Target(f"mean AMI over families, {arm}", wanted, _mean(figures.over_families(arm))))
    for arm in (DEFAULT, FUSED):
        singles = [one for one in figures.arms if one.startswith("layer ") or one in ("F", "I")[: 2 * (arm == FUSED)]]
        found.append(_worst(figures, arm, [PUBLISHED], f"AMI of {arm} above mode hudd, worst family", 0.25))
        found.append(_worst(figures, arm, singles, f"AMI of {arm} above its best single view, worst family", 0.0))
    for arm in (DEFAULT, FUSED):
        over = _mean(figures.over_families(arm, shortcut_f1))
        found.append(Target(f"F1 of the shortcut (patch), mean over families, {arm}", 0.9, over))
    found.append(Target(f"coverage, mean over families, {FINE}", 0.7, _mean(figures.over_families(FINE, "coverage"))))
    shares = [one.mean for one in (figures.of(family, DEFAULT, "inspected") for family in figures.families) if one]
    median = float(np.median(shares)) if shares else None
    found.append(Target(f"% inspected, median over families, {DEFAULT}", 6.87, median, at_least=False))
    return found


def _mean(found: Estimate | None) -> float | None:
    return None if found is None else found.mean


def _worst(figures: Figures, arm: str, others: Sequence[str], name: str, wanted: float) -> Target:
    """Return by how much an arm is ahead of the best of others where it is least ahead."""
    ahead: dict[str, tuple[float, str]] = {}
    for family in figures.families:
        own = figures.of(family, arm)
        rivals = {one: known.mean for one in others if (known := figures.of(family, one)) is not None}
        if own is not None and rivals:
            best = max(rivals, key=rivals.__getitem__)
            ahead[family] = own.mean - rivals[best], best
    if not ahead:
        return Target(name, wanted, None)
    worst = min(ahead, key=lambda family: ahead[family][0])
    return Target(name, wanted, ahead[worst][0], where=f"{worst}, against {ahead[worst][1]}")
