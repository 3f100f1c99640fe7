"""The score as pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.models444.scoring.agreements import EVERY, KNOWN, NOT_LOST, OUTCOME, PUBLISHED
from benchmarks.models444.scoring.score import Score
from benchmarks.models444.scoring.tools import ALL
from deepdebug.files import write_file

PANELS = ((NOT_LOST, PUBLISHED), (KNOWN, PUBLISHED), (EVERY, PUBLISHED), (EVERY, OUTCOME))


def draw(score: Score, path: Path) -> None:
    """Draw the balanced accuracy of every tool with its interval, a panel per part and label.

    Args:
        score: The score.
        path: The PNG file.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.0 * len(PANELS), 2.8), layout="constrained")
    for axes, (part, label) in zip(figure.subplots(1, len(PANELS), sharey=True), PANELS, strict=True):
        _panel(axes, score, part, label)
    write_file(path, lambda to: figure.savefig(to, format="png", dpi=130), "picture")


def _panel(axes: Any, score: Score, part: str, label: str) -> None:
    known = [one for one in score.compared if (one.label, one.part) == (label, part) and one.tool != ALL]
    found = [one.agreement.measures["balanced accuracy"] for one in known]
    places = range(len(known))
    values = [one.value for one in found]
    around = [[one.value - one.low for one in found], [one.high - one.value for one in found]]
    axes.errorbar(values, places, xerr=around, fmt="o", color="black", markersize=4, linewidth=1.2)
    axes.axvline(0.5, color="gray", linestyle=":", linewidth=1)
    axes.set_yticks(list(places), [one.tool for one in known])
    axes.set_xlim(0.4, 1.02)
    axes.set_ylim(len(known) - 0.5, -0.5)
    axes.set_title(f"{part}\n{label} label", fontsize=9)
    axes.set_xlabel("balanced accuracy")
