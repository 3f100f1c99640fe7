"""From the lines of all jobs to means, intervals and tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.hudd.rq2.job import CEILING, KNOWN, OURS
from deepdebug.retraining.statistics import LARGE, Interval, difference, interval, superiority

LEVEL = 0.05
CONTROL = "C6"
NATURAL = (CONTROL, "C7")  # no label helps: the class is a matter of taste, or there is none
ALL, TEST, UNSEEN = "all", "test", "unseen"


class Figures:
    """The results of all runs, by family and arm.

    Args:
        lines: The lines of the jobs.

    Attributes:
        families: Their names.
        programs: The hashes of the program that made them.
        models: The hashes of the models that were retrained, by family.
    """

    def __init__(self, lines: Iterable[Mapping[str, Any]]) -> None:
        self._found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
        self.programs: set[str] = set()
        self.models: dict[str, set[str]] = {}
        for line in lines:
            for result in line["results"]:
                self.programs.add(result["program"])
                self.models.setdefault(line["family"], set()).add(result["start"])
                self._found.setdefault((line["family"], result["arm"]), []).append({**result, "run": line["run"]})
        self.families = tuple(dict.fromkeys(family for family, _ in self._found))

    def arms(self, family: str) -> tuple[str, ...]:
        """Return the arms of a family, in the order of `KNOWN`, the ceiling last."""
        return tuple(arm for arm in (*KNOWN, CEILING) if (family, arm) in self._found)

    def results(self, family: str, arm: str) -> Sequence[Mapping[str, Any]]:
        """Return the results of all runs of an arm, without those that diverged."""
        return [one for one in self._found.get((family, arm), ()) if one["after"] is not None]

    def first(self, family: str, arm: str) -> Mapping[str, Any]:
        """Return the result of one run, for what does not differ between runs."""
        return self._found[family, arm][0]

    def before(self, family: str, part: str = UNSEEN) -> Mapping[str, float]:
        """Return the accuracy of the original model, over all images and in the region of each cause."""
        found: Mapping[str, float] = self.first(family, OURS)["before"][part]
        return found

    def accuracies(self, family: str, arm: str, cause: str = ALL, part: str = UNSEEN) -> list[float]:
        """Return the accuracy of every run after retraining, over all images or those in the region of a cause."""
        return [one["after"][part][cause] for one in self.results(family, arm)]

    def accuracy(self, family: str, arm: str, cause: str = ALL, part: str = UNSEEN) -> Interval:
        """Return its mean and interval."""
        return interval(self.accuracies(family, arm, cause, part))

    def mean(self, family: str, arm: str, name: str) -> float:
        """Return the mean over the runs of something that is said of each, such as "precision" or "labels"."""
        return float(np.mean([one[name] for one in self.results(family, arm)]))

    def mendable(self, family: str) -> tuple[str, ...]:
        """Return the causes that more labels can mend."""
        return tuple(cause for cause in self.before(family) if cause not in (ALL, *NATURAL))

    def planted_errors(self, family: str, arm: str) -> list[float]:
        """Return the mean error over the mendable causes of every run."""
        by_cause = [self.accuracies(family, arm, cause) for cause in self.mendable(family)]
        return [float(np.mean([1 - one for one in run])) for run in zip(*by_cause, strict=True)]

    def planted_error_before(self, family: str) -> float:
        """Return the mean error over the mendable causes of the original model."""
        return float(np.mean([1 - self.before(family)[cause] for cause in self.mendable(family)]))

    def against(self, family: str, arm: str) -> tuple[float, float] | None:
        """Return p-value and A12 of HUDD's accuracy against another arm's; `None` with fewer than two runs."""
        return _compared(self.accuracies(family, OURS), self.accuracies(family, arm))

    def against_planted(self, family: str, arm: str) -> tuple[float, float] | None:
        """Return the same for the accuracy on images with mendable causes."""
        ours, theirs = ([1 - error for error in self.planted_errors(family, one)] for one in (OURS, arm))
        return _compared(ours, theirs)


def _compared(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float] | None:
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
    """Return what was to be reached, and what was, on the test set that no step has seen.

    Args:
        figures: All results.
    """
    usable = [family for family in figures.families if figures.results(family, OURS)]
    found = []
    for arm in ("BL1", "BL2"):
        for name, compare in (("better", figures.against), ("better on planted causes", figures.against_planted)):
            known = {family: compare(family, arm) for family in usable}
            verdicts = {
                family: _verdict(one[0] < LEVEL and one[1] > LARGE, f"p {one[0]:.2g}, A12 {one[1]:.2f}")
                for family, one in known.items()
                if one is not None
            }
            found.append(Target(f"{name} than {arm}: p < {LEVEL}, A12 > {LARGE}", verdicts))
    found.append(Target("error on planted causes at least halved", {one: _halved(figures, one) for one in usable}))
    controlled = {one: _control(figures, one) for one in usable if CONTROL in figures.before(one)}
    found.append(Target("C6 not credited: its gain is within chance", controlled))
    found.append(Target("accuracy never lower than before", {one: _never_lower(figures, one) for one in usable}))
    return [one for one in found if one.verdicts]


def _halved(figures: Figures, family: str) -> tuple[str, str]:
    before, after = figures.planted_error_before(family), float(np.mean(figures.planted_errors(family, OURS)))
    return _verdict(after <= before / 2, f"{before:.3f} to {after:.3f}")


def _control(figures: Figures, family: str) -> tuple[str, str]:
    before, after = figures.before(family)[CONTROL], figures.accuracy(family, OURS, CONTROL)
    return _verdict(after.low <= before, f"{before:.3f} to {after.mean:.3f}, at least {after.low:.3f}")


def _never_lower(figures: Figures, family: str) -> tuple[str, str]:
    before, worst = figures.before(family)[ALL], min(figures.accuracies(family, OURS))
    return _verdict(worst >= before, f"worst run {worst:.3f}, before {before:.3f}")


def _verdict(is_met: bool, figure: str) -> tuple[str, str]:
    return ("met" if is_met else "missed"), figure
