"""How much of every family is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """Numbers of pictures, and how often a model sees those for training.

    Args:
        simulated: Training pictures, test pictures and epochs of the simulated families.
        photographed: The same of the families with real pictures, by family.
        most_failures: Failing pictures that are clustered; of more a sample is drawn. Defaults to 800.
        retrained: Like `simulated`, for `rq2`, whose models are trained again and again. Defaults to half as many.
    """

    simulated: tuple[int, int, int]
    photographed: Mapping[str, tuple[int, int, int]]
    most_failures: int = 800
    retrained: tuple[int, int, int] = (6_000, 6_000, 8)


SIZES: Mapping[str, Size] = {
    "tiny": Size(
        (400, 300, 4),
        {"MNIST": (600, 300, 2), "Fashion": (600, 300, 2), "CIFAR": (600, 300, 2)},
        most_failures=120,
        retrained=(400, 300, 4),
    ),
    "fast": Size(
        (12_000, 6_000, 8),
        {"MNIST": (24_000, 6_000, 5), "Fashion": (24_000, 6_000, 8), "CIFAR": (40_000, 6_000, 8)},
    ),
    "full": Size(
        (40_000, 20_000, 6),
        {"MNIST": (60_000, 10_000, 4), "Fashion": (60_000, 10_000, 5), "CIFAR": (50_000, 10_000, 12)},
        most_failures=2_000,
        retrained=(40_000, 20_000, 6),
    ),
}
