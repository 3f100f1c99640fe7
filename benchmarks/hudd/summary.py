"""From the results of all jobs to means and intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

Line = Mapping[str, Any]
Result = Mapping[str, Any]
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over seeds.

    Args:
        mean: The mean.
        half: Half the width of the 95 % interval (t distribution over seeds); `None` with one seed.
        seeds: Number of seeds.
    """

    mean: float
    half: float | None
    seeds: int


def estimate(values: Sequence[float]) -> Estimate:
    """Return mean and interval of one value per seed.

    >>> estimate([0.5, 0.7])
    Estimate(mean=0.6, half=1.2706204736174698, seeds=2)
    """
    count = len(values)
    mean = float(np.mean(values))
    if count < 2:
        return Estimate(mean, None, count)
    error = float(np.std(values, ddof=1)) / math.sqrt(count)
    return Estimate(mean, float(stats.t.ppf((1 + LEVEL) / 2, count - 1)) * error, count)


class Figures:
    """All results, by family, arm and seed.

    Args:
        lines: The lines of the jobs.
    """

    def __init__(self, lines: Iterable[Line]) -> None:
        self.lines = list(lines)
        self._results: dict[tuple[str, str, int], Result] = {
            (line["family"], result["arm"], line["seed"]): {**result, "shortcut": line["shortcut"]}
            for line in self.lines
            for result in line["results"]
        }
        self.families = tuple(dict.fromkeys(line["family"] for line in self.lines))
        self.arms = tuple(dict.fromkeys(arm for _, arm, _ in self._results))

    def values(self, family: str, arm: str, score: str | Callable[[Result], float | None]) -> dict[int, float]:
        """Return a score by seed, of those seeds that have it.

        Args:
            family: The family.
            arm: The arm.
            score: Name of the score, or a function of a result.
        """
        found = {}
        for (one, other, seed), result in self._results.items():
            if (one, other) == (family, arm):
                value = score(result) if callable(score) else result[score]
                if value is not None:
                    found[seed] = float(value)
        return found

    def of(self, family: str, arm: str, score: str | Callable[[Result], float | None] = "ami") -> Estimate | None:
        """Return mean and interval of a score in a family; `None` where there is none."""
        values = list(self.values(family, arm, score).values())
        return estimate(values) if values else None

    def over_families(
        self, arm: str, score: str | Callable[[Result], float | None] = "ami", leave_out: Sequence[str] = ()
    ) -> Estimate | None:
        """Return mean and interval of the mean over families, with the seeds that all families have.

        Args:
            arm: The arm.
            score: Name of the score, or a function of a result. Defaults to "ami".
            leave_out: Families that do not count. Defaults to none.
        """
        found = [self.values(family, arm, score) for family in self.families if family not in leave_out]
        found = [values for values in found if values]
        seeds = set.intersection(*map(set, found)) if found else set()
        return (
            estimate([float(np.mean([values[seed] for values in found])) for seed in sorted(seeds)]) if seeds else None
        )


def shortcut_f1(result: Result) -> float | None:
    """Return F1 of the cause that is a shortcut; `None` where there is none or it makes fewer than five fail."""
    found: float | None = result["f1"].get(result["shortcut"])
    return found


def f1_of(cause: str) -> Callable[[Result], float | None]:
    """Return the score that is F1 of one cause; `None` where it makes fewer than five fail."""

    def score(result: Result) -> float | None:
        found: float | None = result["f1"].get(cause)
        return found

    return score


def reduced(part: str) -> Callable[[Result], float | None]:
    """Return the score that is one part of the reduction of variance: "share", "by_chance" or "significant"."""

    def score(result: Result) -> float | None:
        return None if result["reduction"] is None else result["reduction"][part]

    return score


SCORES: Mapping[str, str | Callable[[Result], float | None]] = {
    **{
        name: name
        for name in (
            "ami", "ami_natural", "ami_split", "homogeneity", "completeness", "purity", "coverage", "coverage_strict",
            "first", "first_explained", "clusters", "inspected",
        )
    },
    "shortcut_f1": shortcut_f1,
    "shortcut_f1_strict": lambda result: result["f1_strict"].get(result["shortcut"]),
    "f1": lambda result: float(np.mean(list(result["f1"].values()))) if result["f1"] else None,
    **{f"reduced_{part}": reduced(part) for part in ("share", "by_chance", "significant")},
}  # fmt: skip


def record(figures: Figures) -> dict[str, Any]:
    """Return what is kept of the results: means and intervals."""
    found: dict[str, Any] = {}
    for family in figures.families:
        lines = [line for line in figures.lines if line["family"] == family]
        found[family] = {
            "seeds": [line["seed"] for line in lines],
            **{name: float(np.mean([line[name] for line in lines])) for name in ("accuracy", "failing", "clustered")},
            "single": float(np.mean([line["single"] for line in lines])),
            "failing_by": {
                cause: float(np.mean([line["failing_by"][cause] for line in lines])) for cause in lines[0]["causes"]
            },
            "seconds": float(np.mean([sum(line["seconds"].values()) for line in lines])),
            "arms": {arm: kept for arm in figures.arms if (kept := _kept(figures, family, arm))},
        }
    means = {
        arm: {name: _pair(figures.over_families(arm, score)) for name, score in SCORES.items()} for arm in figures.arms
    }
    return {"families": found, "over_families": means}


def _kept(figures: Figures, family: str, arm: str) -> dict[str, list[float | None]]:
    found = {name: _pair(figures.of(family, arm, score)) for name, score in SCORES.items()}
    return {name: pair for name, pair in found.items() if pair is not None}


def _pair(found: Estimate | None) -> list[float | None] | None:
    """Return mean and half width, with four digits."""
    return None if found is None else [round(found.mean, 4), None if found.half is None else round(found.half, 4)]
