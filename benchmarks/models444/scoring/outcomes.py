"""What a model reached, as a second label beside the published one: some "normal" models have 11 % accuracy."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.models444.scoring.results import Trained

# Share of the commonest class: what a model reaches that has learned nothing.
CHANCE = {"Blob": 1 / 3, "Circle": 1 / 2, "MNIST": 0.1135, "CIFAR": 0.1}
# Half of what there is to learn. The published accuracies (ICSE 2021, tables of original accuracy) lie apart there: the
# worst normal models of Blob, MNIST and CIFAR-10 have 0.68, 0.78 and 0.73 of it, the median buggy ones none.
LEAST_SKILL = 0.5
LAST = 0.1  # share of the epochs over which the last accuracy is taken, for single epochs jump


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a model reached on rows that it was not trained with.

    Args:
        best: Highest accuracy of any epoch; the median over repetitions.
        final: Median accuracy over the last tenth of the epochs; the median over repetitions.
        skill: `final` from what a constant answer reaches, 0, to what the best model of the same data does, 1.
    """

    best: float
    final: float
    skill: float

    @property
    def is_faulty(self) -> bool:
        """Whether it learned less than half of what there is to learn."""
        return not self.skill >= LEAST_SKILL


def outcomes(repeats: Iterable[Iterable[Trained]]) -> Mapping[str, Outcome]:
    """Return what each model of a data set with accuracies reached, by id.

    What can be reached is what the best model of the same data does, so a part of the set may have other outcomes.

    Args:
        repeats: The results of every repetition.
    """
    reached: dict[str, list[tuple[float, float]]] = {}
    dataset = {}
    for trained in repeats:
        for one in trained:
            if one.row.dataset in CHANCE:
                reached.setdefault(one.row.id, []).append(_accuracies(one.history))
                dataset[one.row.id] = one.row.dataset
    middle = {
        name: (statistics.median(best for best, _ in known), statistics.median(final for _, final in known))
        for name, known in reached.items()
    }
    most = {
        kind: max(final for name, (_, final) in middle.items() if dataset[name] == kind)
        for kind in set(dataset.values())
    }
    return {
        name: Outcome(best, final, _skill(final, CHANCE[dataset[name]], most[dataset[name]]))
        for name, (best, final) in middle.items()
    }


def _accuracies(history: Mapping[str, Sequence[float | None]]) -> tuple[float, float]:
    """Return the best and the last accuracy; one that is not finite is none at all."""
    known = [value if value is not None and math.isfinite(value) else 0.0 for value in history["val_accuracy"]]
    last = known[-max(1, round(LAST * len(known))) :]
    return max(known), statistics.median(last)


def _skill(accuracy: float, chance: float, most: float) -> float:
    return (accuracy - chance) / (most - chance) if most > chance else 0.0
