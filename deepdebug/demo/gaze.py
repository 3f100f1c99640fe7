"""A trained model that fails on some images, the groups that deepdebug finds among them, and the truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from deepdebug.case.folder import TEST, TRAINING
from deepdebug.hudd.analysis import Analysis, Group
from deepdebug.hudd.opening import Request, open_case
from deepdebug.hudd.steps import answer_step, cluster_step, heatmap_step
from deepdebug.report.hudd.text import told
from deepdebug.retraining.reporting import report_step
from deepdebug.simulate import CASES, CAUSES
from deepdebug.simulate.build import simulate
from deepdebug.simulate.order import Order, Size
from deepdebug.simulate.results import read_truth_by_image
from deepdebug.simulate.sampling import IMPROVEMENT

NAME = "gaze"
SIZE = Size("demo", {TRAINING: 3_000, TEST: 1_500, IMPROVEMENT: 200}, epochs=8, as_files=True)
SEED = 0
MOSTLY = 0.5  # share of a group from which its main cause is worth a word


def show_gaze(out: Path, console: Console) -> Analysis:
    """Draw eyes, train a model to tell where they look, group its failures and compare the groups with the truth.

    Args:
        out: Folder for the case and the page about its failures.
        console: Where it is told.
    """
    console.rule(f"[bold]{NAME}")
    console.print(
        "A small convolutional network is to tell where an eye looks. The eyes are drawn; some conditions, such as a "
        "glare on the glasses, are missing in training and planted in the test. Why does it fail?\n"
    )
    case = out / NAME
    with console.status("Drawing eyes and training"):
        simulate(Order(CASES["GD"], SIZE, SEED, "gray", None), case)
    with console.status("Explaining and grouping the failures"):
        analysis = _grouped(Request(case, case / "T"))
    console.print("\n".join(told(analysis)), markup=False)
    console.print("\nThe simulator knows the causes, for it draws every failing eye again without one of them:\n")
    truth = read_truth_by_image(case / "GroundTruth" / f"{TEST}.csv")
    for group in analysis.groups:
        console.print(_truth_of(group, analysis, truth), markup=False)
    console.print(f"\nThe page to read: {case / 'T' / 'report.html'}", soft_wrap=True)
    return analysis


def _grouped(request: Request) -> Analysis:
    opened = open_case(request)
    answers = answer_step(request, opened)
    heatmaps = heatmap_step(request, opened, answers[TEST])
    analysis = cluster_step(request, opened, answers, heatmaps)
    report_step(request.out)
    return analysis


def _truth_of(group: Group, analysis: Analysis, truth: Mapping[str, tuple[str, ...]]) -> str:
    """Say which cause most members of a group have."""
    # A picture at the very border may fail here and not there, for numbers are rounded differently.
    causes = [truth.get(analysis.images[member], ()) for member in group.members]
    counted = Counter(cause for of_one in causes for cause in of_one).most_common(1)
    if not counted or counted[0][1] < MOSTLY * len(causes):
        return f"{group.number:>5}  several causes, or none"
    cause, count = counted[0]
    return f"{group.number:>5}  {CAUSES[cause].summary}: {count} of {len(causes)}"
