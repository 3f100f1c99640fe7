"""The results as tables, for a terminal or in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from rich.console import Console

from benchmarks.hudd.arms import DEFAULT, FINE, FUSED, KNOWN, PUBLISHED, TWICE
from benchmarks.hudd.jobs import TUNING
from benchmarks.hudd.scores import FEWEST
from benchmarks.hudd.summary import SCORES, Estimate, Figures, f1_of, reduced, shortcut_f1
from benchmarks.hudd.targets import targets
from benchmarks.sheets import Sheet, as_markdown, print_sheets

MAIN = (PUBLISHED, DEFAULT, FINE, FUSED)


def sheets(figures: Figures) -> Iterator[Sheet]:
    """Yield all tables that have something to show.

    Args:
        figures: All results.
    """
    for make in (_tested, _first_table, _agreement, _limits, _others, _parameters, _causes, _reached):
        sheet = make(figures)
        if sheet.rows:
            yield sheet


def show(figures: Figures, console: Console) -> None:
    """Print all tables."""
    print_sheets(sheets(figures), console)


def markdown(figures: Figures) -> str:
    """Return all tables in Markdown."""
    return as_markdown(sheets(figures))


def _text(found: Estimate | None, form: str = "{:.2f}") -> str:
    """Return a mean and half the width of its interval."""
    if found is None:
        return "-"
    return form.format(found.mean) + ("" if found.half is None else f" ± {form.format(found.half)}")


def _plain(found: Estimate | None, form: str = "{:.2f}") -> str:
    return "-" if found is None else form.format(found.mean)


def _tested(figures: Figures) -> Sheet:
    rows = []
    for family in figures.families:
        lines = [line for line in figures.lines if line["family"] == family]
        mean = {name: float(np.mean([line[name] for line in lines])) for name in ("accuracy", "failing", "clustered")}
        by = (f"{cause} {np.mean([line['failing_by'][cause] for line in lines]):.0f}" for cause in lines[0]["causes"])
        single = np.mean([line["single"] / max(1, line["clustered"]) for line in lines])
        numbers = (f"{mean['accuracy']:.3f}", f"{mean['failing']:.0f}", f"{mean['clustered']:.0f}", f"{single:.0%}")
        rows.append((_named(family), str(len(lines)), *numbers, ", ".join(by)))
    columns = ("family", "seeds", "accuracy", "failing", "clustered", "one cause", "clustered failures by cause")
    return Sheet("Models and failures (means over seeds)", columns, tuple(rows))


def _named(family: str) -> str:
    return f"{family} (tuning)" if family == TUNING else family


def _first_table(figures: Figures) -> Sheet:
    rows = []
    for family in figures.families:
        clustered = np.mean([line["clustered"] for line in figures.lines if line["family"] == family])
        cells = []
        for arm in (DEFAULT, FINE, PUBLISHED):
            for score, form in (("clusters", "{:.1f}"), ("inspected", "{:.2f}")):
                cells.append(_plain(figures.of(family, arm, score), form))
        rows.append((_named(family), f"{clustered:.0f}", *cells))
    heads = tuple(f"{head}, {arm}" for arm in (DEFAULT, FINE, PUBLISHED) for head in ("clusters", "% inspected"))
    return Sheet(
        "Cost of inspection, five images per cluster (HUDD's Table 1)",
        ("family", "clustered failures", *heads),
        tuple(rows),
    )


def _agreement(figures: Figures) -> Sheet:
    rows = [
        (
            arm,
            *(_text(figures.of(family, arm)) for family in figures.families),
            _text(figures.over_families(arm)),
            _text(figures.over_families(arm, leave_out=[TUNING])),
        )
        for arm in figures.arms
    ]
    title = "AMI of clusters and causes: mean and 95 % interval (t distribution over seeds)"
    return Sheet(title, ("arm", *map(_named, figures.families), "mean", f"mean without {TUNING}"), tuple(rows))


def _limits(figures: Figures) -> Sheet:
    rows = []
    for family in figures.families:
        lines = [line for line in figures.lines if line["family"] == family]
        planted = [[line["failing_by"][cause] for cause in line["causes"][: line["planted"]]] for line in lines]
        causes = np.mean([sum(number >= FEWEST for number in numbers) for numbers in planted])
        scores = ("clusters", "homogeneity", "completeness", "ami", "ami_split")
        cells = [_plain(figures.of(family, DEFAULT, score)) for score in scores]
        rows.append(
            (_named(family), f"{causes:.1f}", *cells, *(_plain(figures.of(family, arm)) for arm in (KNOWN, TWICE)))
        )
    columns = (
        "family", "causes", "clusters, Z", "homogeneity", "completeness", "AMI", "AMI of as many pure clusters",
        "AMI, K known", "AMI, 2K known",
    )  # fmt: skip
    return Sheet("What limits Z: mixed clusters (homogeneity) or divided causes (completeness)", columns, tuple(rows))


def _others(figures: Figures) -> Sheet:
    names = ("purity", "coverage", "coverage_strict", "f1", "first_explained", "first", "clusters", "inspected")
    rows = []
    for arm in figures.arms:
        cells = [_plain(figures.over_families(arm, SCORES[name])) for name in names]
        rows.append((arm, *cells[:4], _plain(figures.over_families(arm, shortcut_f1)), *cells[4:]))
    columns = (
        "arm", "purity", "coverage", "coverage, all", "mean F1 per cause", "F1 of the patch", "precision@10",
        "precision@10, all", "clusters", "% inspected",
    )  # fmt: skip
    title = "Other scores, means over families and seeds (explained failures; where `all` is said, all failures)"
    return Sheet(title, columns, tuple(rows))


def _parameters(figures: Figures) -> Sheet:
    arms = [arm for arm in (*MAIN, "pairs", "random") if figures.over_families(arm, reduced("share"))]
    rows = []
    for family in figures.families:
        if figures.of(family, DEFAULT, reduced("share")) is None:
            continue
        cells = []
        for arm in arms:
            parts = [figures.of(family, arm, reduced(part)) for part in ("share", "by_chance", "significant")]
            cells.append(" / ".join(_plain(one and Estimate(100 * one.mean, None, 1), "{:.0f}") for one in parts))
        rows.append((_named(family), *cells))
    title = (
        "% of clusters with a parameter whose variance falls by half (HUDD's RQ1) / of random groups of the same sizes "
        "/ of clusters where that is not by chance"
    )
    return Sheet(title, ("family", *arms), tuple(rows))


def _causes(figures: Figures) -> Sheet:
    arms = (PUBLISHED, DEFAULT, FUSED, "F", "I", "pixels")
    rows = []
    for family in figures.families:
        causes = next(line["causes"] for line in figures.lines if line["family"] == family)
        for cause in causes:
            cells = [_plain(figures.of(family, arm, f1_of(cause))) for arm in arms]
            if set(cells) != {"-"}:
                rows.append((f"{family} {cause}", *cells))
    return Sheet("F1 of the best cluster of each cause, among explained failures", ("cause", *arms), tuple(rows))


def _reached(figures: Figures) -> Sheet:
    rows = []
    for one in targets(figures):
        found = "-" if one.found is None else f"{one.found:.3f}" + (f" ({one.where})" if one.where else "")
        sign = "at least" if one.at_least else "at most"
        rows.append((one.name, f"{sign} {one.wanted:.2f}", found, one.verdict))
    return Sheet("Targets", ("target", "wanted", "found", "verdict"), tuple(rows))


def left_out(figures: Figures) -> Sequence[str]:
    """Return what was not there, and why."""
    return sorted({f"{name}: {reason}" for line in figures.lines for name, reason in line["left_out"].items()})
