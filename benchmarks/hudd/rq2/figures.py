"""From the lines of all jobs to means, intervals and tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.hudd.rq2.job import ARMS, CEILING
from deepdebug.retraining.statistics import LARGE, Interval, difference, interval, superiority

OURS = "HUDD"
LEVEL = 0.05
NATURAL = ("C6", "C7")  # no label helps: the class is a matter of taste, or there is none
ALL = "all"


class Figures:
    """The results of all runs, by family and arm.

    Args:
        lines: The lines of the jobs.
    """

    def __init__(self, lines: Iterable[Mapping[str, Any]]) -> None:
        self._found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
        for line in lines:
            for result in line["results"]:
                self._found.setdefault((line["family"], result["arm"]), []).append({**result, "run": line["run"]})
        self.families = tuple(dict.fromkeys(family for family, _ in self._found))

    def arms(self, family: str) -> tuple[str, ...]:
        """Return the arms of a family, in the order of `ARMS`, the ceiling last."""
        return tuple(arm for arm in (*ARMS, CEILING) if (family, arm) in self._found)

    def results(self, family: str, arm: str) -> Sequence[Mapping[str, Any]]:
        """Return the results of all runs of an arm, without those that diverged."""
        return [one for one in self._found.get((family, arm), ()) if one["after"] is not None]

    def first(self, family: str, arm: str) -> Mapping[str, Any]:
        """Return the result of one run, for what does not differ between runs."""
        return self._found[family, arm][0]

    def accuracies(self, family: str, arm: str, cause: str = ALL) -> list[float]:
        """Return the accuracy of every run after retraining, over all images or those in the region of a cause."""
        return [one["after"][cause] for one in self.results(family, arm)]

    def accuracy(self, family: str, arm: str, cause: str = ALL) -> Interval:
        """Return its mean and interval."""
        return interval(self.accuracies(family, arm, cause))

    def precision(self, family: str, arm: str) -> float:
        """Return the mean share of labelled images that the original model gets wrong."""
        return float(np.mean([one["precision"] for one in self.results(family, arm)]))

    def mendable(self, family: str) -> tuple[str, ...]:
        """Return the causes that more labels can mend."""
        known = self.first(family, OURS)["before"]
        return tuple(cause for cause in known if cause not in (ALL, *NATURAL))

    def planted_error(self, family: str, arm: str | None) -> float:
        """Return the mean error over the mendable causes; of the original model where the arm is `None`."""
        causes = self.mendable(family)
        if arm is None:
            return float(np.mean([1 - self.first(family, OURS)["before"][cause] for cause in causes]))
        return float(np.mean([1 - self.accuracy(family, arm, cause).mean for cause in causes]))

    def against(self, family: str, arm: str) -> tuple[float, float] | None:
        """Return the p-value and A12 of HUDD against another arm; `None` with fewer than two runs of either."""
        ours, theirs = self.accuracies(family, OURS), self.accuracies(family, arm)
        if min(len(ours), len(theirs)) < 2:
            return None
        return difference(ours, theirs), superiority(ours, theirs)


@dataclass(frozen=True, slots=True)
class Target:
    """Something that was to be reached in every family.

    Args:
        name: What.
        verdicts: "met" or "missed" and the figure, by family.
    """

    name: str
    verdicts: Mapping[str, tuple[str, str]]


def targets(figures: Figures) -> list[Target]:
    """Return what was to be reached, and what was.

    Args:
        figures: All results.
    """
    found = []
    for arm in ("BL1", "BL2"):
        verdicts = {}
        for family in figures.families:
            known = figures.against(family, arm)
            if known is not None:
                is_met = known[0] < LEVEL and known[1] > LARGE
                verdicts[family] = _verdict(is_met, f"p {known[0]:.2g}, A12 {known[1]:.2f}")
        found.append(Target(f"better than {arm}: p < {LEVEL}, A12 > {LARGE}", verdicts))
    halved, control, never = {}, {}, {}
    for family in figures.families:
        before, after = figures.planted_error(family, None), figures.planted_error(family, OURS)
        halved[family] = _verdict(after <= before / 2, f"{before:.3f} to {after:.3f}")
        known_before = figures.first(family, OURS)["before"]
        if "C6" in known_before:
            gained = figures.accuracy(family, OURS, "C6")
            is_met = gained.low <= known_before["C6"]
            control[family] = _verdict(
                is_met, f"{known_before['C6']:.3f} to {gained.mean:.3f}, at least {gained.low:.3f}"
            )
        worst = min(figures.accuracies(family, OURS))
        never[family] = _verdict(worst >= known_before[ALL], f"worst run {worst:.3f}, before {known_before[ALL]:.3f}")
    found.append(Target("error on planted causes at least halved", halved))
    found.append(Target("C6 not credited: its gain is within chance", control))
    found.append(Target("accuracy never lower than before", never))
    return [one for one in found if one.verdicts]


def _verdict(is_met: bool, figure: str) -> tuple[str, str]:
    return ("met" if is_met else "missed"), figure
