"""All families by name, those of `rq1` and the variants of `beyond`."""

from __future__ import annotations

from pathlib import Path

from benchmarks.hudd.beyond import VARIANTS
from benchmarks.hudd.jobs import DOWNLOADED
from benchmarks.hudd.photographed import photographed
from benchmarks.hudd.simulated import simulated
from benchmarks.hudd.sizes import Size
from benchmarks.hudd.task import Task


def task(family: str, seed: int, size: Size, data: Path) -> Task:
    """Return a family with one seed.

    Args:
        family: Its name.
        seed: Of everything.
        size: How much is made.
        data: Folder of the data sets.
    """
    if family in VARIANTS:
        return VARIANTS[family](seed, size, data)
    if family in DOWNLOADED:
        return photographed(family, seed, size, data)
    return simulated(family, seed, size)
