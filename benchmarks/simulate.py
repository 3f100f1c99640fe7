"""How quickly the simulator draws: images per second on one core.

    python -m benchmarks.simulate

Counted is processor time, so that neither other programs nor several threads change the figure; the best of the
repeats counts.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import numpy as np
from rich.console import Console
from rich.table import Table

from deepdebug.simulate import CASES, Case, render, sample

GOAL = 5_000  # images per second
COLUMNS = ("case", "scene", "images/s", f"goal {GOAL:,}", "with parameters")


def speeds(case: Case, images: int, repeats: int) -> tuple[float, float]:
    """Return the images per second of drawing alone, and of drawing with the choice of parameters."""
    index = np.arange(images)
    render(case.scene, sample(case, 0, "TestSet", index[:64]).parameters)
    alone, both = [], []
    for _ in range(repeats):
        start = time.process_time()
        parameters = sample(case, 0, "TestSet", index).parameters
        middle = time.process_time()
        render(case.scene, parameters)
        end = time.process_time()
        alone.append(images / (end - middle))
        both.append(images / (end - start))
    return max(alone), max(both)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure as the command line asks."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulate", description=__doc__.split("\n")[0])
    parser.add_argument("--images", type=int, default=4096, help="images drawn at once (default 4096)")
    parser.add_argument("--repeats", type=int, default=5, help="how often each is drawn (default 5)")
    options = parser.parse_args(arguments)
    table = Table(title="64x64 gray, one core")
    for column in COLUMNS:
        table.add_column(column, justify="left" if column in ("case", "scene") else "right")
    for case in CASES.values():
        alone, both = speeds(case, options.images, options.repeats)
        table.add_row(case.name, case.scene, f"{alone:,.0f}", "met" if alone >= GOAL else "missed", f"{both:,.0f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
