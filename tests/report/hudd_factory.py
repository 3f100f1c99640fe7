"""Clusters of failing images built by hand, and pictures to go with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from deepdebug.hudd.analysis import (
    Analysis,
    Baseline,
    Branch,
    Curve,
    Effect,
    Group,
    LayerFacts,
    VarianceReduction,
)
from deepdebug.hudd.notes import Note

CLASSES = ("open", "closed")


class FakePictures:
    """Images of noise whose brightness is their position; without relevance where `side` is `None`."""

    def __init__(self, side: int | None = 6) -> None:
        self.side = side
        self.asked: list[int] = []

    def image(self, position: int) -> npt.NDArray[Any]:
        self.asked.append(position)
        return np.full((6, 6, 1), position % 256, "uint8")

    def relevance(self, position: int) -> npt.NDArray[Any] | None:
        return None if self.side is None else np.random.default_rng(position).normal(size=(self.side, self.side))


def effect(name: str = "light", **changes: Any) -> Effect:
    """A parameter in which members have small values."""
    base = Effect(name, 0.03, 0.85, 0.0002, 0.004, (0.2, 0.27, 0.34), (0.25, 0.8, 1.1))
    return replace(base, **changes)


def no_effect(name: str = "noise") -> Effect:
    return Effect(name, 0.49, 0.01, 0.6, 0.8, (0.0, 0.5, 1.0), (0.01, 0.51, 0.99))


def pairs_of(members: Sequence[int], expected: Sequence[str], predicted: Sequence[str]) -> tuple[Any, ...]:
    counted = Counter((expected[one], predicted[one]) for one in members).most_common()
    return tuple((right, said, count) for (right, said), count in counted)


def analysis(sizes: Sequence[int] = (12, 8, 5), **changes: Any) -> Analysis:
    """Clusters of given sizes: of the first, most are open eyes taken for closed ones."""
    count = sum(sizes)
    expected = tuple(CLASSES[0] if one < sizes[0] - 2 else CLASSES[1] for one in range(count)) if sizes else ()
    predicted = tuple(CLASSES[1 - CLASSES.index(one)] for one in expected)
    ends = np.cumsum([0, *sizes])
    members = [tuple(range(start, end)) for start, end in pairwise(ends)]
    numbers = range(1, len(sizes) + 1)
    groups = tuple(
        Group(
            number, ours, 0.001, pairs_of(ours, expected, predicted),
            tuple((other, 0.5 + other / 4) for other in numbers if other != number),
            (effect(), no_effect()) if len(sizes) > 1 else (),
        )
        for number, ours in zip(numbers, members, strict=True)
    )  # fmt: skip
    base = Analysis(
        case="eyes", model="gaze.keras", settings=(("rules", "epsilon-plus"), ("seed", "0")),
        sets=(("TestSet", 1000, count),), left_out=(("broken.png", "The file is truncated."),),
        images=tuple(f"{one:03d}.png" for one in range(count)), losses=tuple(1 + one / 8 for one in range(count)),
        expected=expected, predicted=predicted,
        distances=tuple(float(place) / 16 for ours in members for place in range(len(ours))),
        places=tuple((float(one % 5), float(one // 5)) for one in range(count)), groups=groups,
        merges=merged(sizes), branches=branches_of(len(sizes)),
        curve=Curve((2, 3, 4, 5), (8.0, 4.0, 1.0, 0.5), (0.5, 0.25, 0.125, 0.0625), 3),
        layers=(
            LayerFacts("conv", (6, 6, 4), 3, 0.123, 0.876, 0.654),
            LayerFacts("dense", (9,), 4, 0.234, 0.765, 0.654),
        ),
        baselines=(Baseline("raw pixels", 4, 0.82), Baseline("pairs of expected and predicted class", 2, 0.41)),
        p_value=0.0021, level=0.05, variance_reduction=VarianceReduction(0.92, 0.85, 0.61),
        notes=(
            Note("approximate", "Distances were computed for some pairs only."),
            Note("constant-view", "All images are equal in the view 'flat'.", warning=True),
        ),
    )  # fmt: skip
    return replace(base, **changes)


def branches_of(count: int) -> tuple[Branch, ...]:
    """Return what lies below all merges but the last: the first two clusters, the first three, ..."""
    return tuple(Branch(tuple(range(1, last + 1)), 0.5) for last in range(2, count))


def merged(sizes: Sequence[int]) -> tuple[tuple[int, int, float, int], ...]:
    """Merge the clusters one after the other."""
    rows, last, total = [], 0, sizes[0] if sizes else 0
    for leaf in range(1, len(sizes)):
        total += sizes[leaf]
        rows.append((last, leaf, float(leaf), total))
        last = len(sizes) + leaf - 1
    return tuple(rows)


def regression(**changes: Any) -> Analysis:
    """Failures of a model that predicts numbers, of which nothing else is known."""
    plain = tuple(replace(one, pairs=(), effects=()) for one in analysis().groups)
    return analysis(
        groups=plain, expected=(), predicted=(), variance_reduction=None,
        baselines=(Baseline("raw pixels", 4, 0.82),), **changes,
    )  # fmt: skip
