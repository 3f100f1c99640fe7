"""The results of `rq2` as tables, and the curve over the number of labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from benchmarks.hudd.rq2.figures import ALL, TEST, UNSEEN, Figures, targets
from benchmarks.hudd.rq2.job import CEILING, MATCHED, NEAREST, OURS
from benchmarks.sheets import Sheet
from deepdebug.files import write_file
from deepdebug.retraining.statistics import Interval

PUBLISHED = {  # accuracy before and after in percent: Fahmy et al., IEEE TR 2021 and ICSE 2022
    "GD": (95.95, 96.23),
    "OC": (88.03, 94.41),
    "HPD": (44.07, 68.13),
    "OD": (84.12, 97.04),
    "FLD": (44.99, 75.23),
    "TS": (81.65, 93.03),
}


def sheets(figures: Figures) -> Iterator[Sheet]:
    """Yield all tables.

    Args:
        figures: The results with the selection factor of the paper.
    """
    yield _arms(figures)
    yield _causes(figures)
    yield _reached(figures)
    yield _published(figures)


def _arms(figures: Figures) -> Sheet:
    rows = []
    for family in figures.families:
        for arm in figures.arms(family):
            is_other = arm not in (OURS, CEILING)
            compared = (
                (figures.against(family, arm), figures.against_planted(family, arm)) if is_other else (None, None)
            )
            errors = figures.planted_errors(family, arm)
            rows.append(
                (
                    family,
                    _named(arm),
                    str(len(figures.results(family, arm))),
                    f"{figures.mean(family, arm, 'labels'):,.0f}",
                    *(_gain(figures, family, arm, part) for part in (UNSEEN, TEST)),
                    f"{figures.mean(family, arm, 'precision'):.2f}",
                    f"{np.mean(errors):.3f}",
                    *("-" if one is None else f"{one[0]:.2g}, {one[1]:.2f}" for one in compared),
                )
            )
    columns = (
        "case",
        "arm",
        "runs",
        "labels",
        "accuracy %, unseen test",
        "accuracy %, first test",
        "failing",
        "planted error",
        "p, A12",
        "p, A12, planted",
    )
    title = (
        "Accuracy before, and after with its 95 % interval; share of labelled images that fail; error on planted "
        "causes; Mann-Whitney p and A12 of HUDD against the arm, on all unseen images and on those with planted causes"
    )
    return Sheet(title, columns, tuple(rows))


def _causes(figures: Figures) -> Sheet:
    causes = tuple(dict.fromkeys(one for family in figures.families for one in figures.before(family)))
    names = tuple(sorted(one for one in causes if one != ALL))
    rows = []
    for family in figures.families:
        before = figures.before(family)
        rows.append((family, "before", *(_share(before.get(one)) for one in names)))
        for arm in figures.arms(family):
            known = (figures.accuracy(family, arm, one).mean if one in before else None for one in names)
            rows.append((family, _named(arm), *(_share(one) for one in known)))
    return Sheet(
        "Accuracy in % on the unseen images of each planted cause (C6, C7: no label can help)",
        ("case", "arm", *names),
        tuple(rows),
    )


def _reached(figures: Figures) -> Sheet:
    rows = []
    for target in targets(figures):
        cells = (": ".join(target.verdicts[one]) if one in target.verdicts else "-" for one in figures.families)
        rows.append((target.name, *cells))
    return Sheet("Targets", ("target", *figures.families), tuple(rows))


def _published(figures: Figures) -> Sheet:
    rows = []
    for name, (before, after) in PUBLISHED.items():
        ours = ("-", "-")
        if name in figures.families:
            known, reached = figures.before(name, TEST)[ALL], figures.accuracy(name, OURS, part=TEST)
            ours = f"{100 * known:.2f}", f"{100 * reached.mean:.2f}"
        rows.append((name, f"{before:.2f}", f"{after:.2f}", *ours))
    columns = ("case", "published before", "published HUDD", "here before", "here HUDD")
    return Sheet(
        "Beside the published figures; their images and models are others, so only the direction compares",
        columns,
        tuple(rows),
    )


def draw_curve(path: Path, by_factor: Mapping[float, Figures]) -> None:
    """Draw accuracy over the number of labels, a panel per family.

    Args:
        path: The PNG file.
        by_factor: The results by selection factor.
    """
    from matplotlib.figure import Figure

    families = next(iter(by_factor.values())).families
    figure = Figure(figsize=(3.1 * len(families), 3.2), layout="constrained")
    for place, family in enumerate(families):
        axes = figure.add_subplot(1, len(families), place + 1)
        arms = dict.fromkeys(arm for known in by_factor.values() for arm in known.arms(family) if arm != CEILING)
        for arm in arms:
            points = [
                (known.mean(family, arm, "labels"), known.accuracy(family, arm))
                for known in by_factor.values()
                if arm in known.arms(family)
            ]
            points.sort(key=lambda one: one[0])
            labels = [one[0] for one in points]
            axes.plot(labels, [100 * one[1].mean for one in points], marker="o", markersize=3, label=arm)
            axes.fill_between(
                labels, [100 * one[1].low for one in points], [100 * one[1].high for one in points], alpha=0.15
            )
        known = next(iter(by_factor.values()))
        axes.axhline(100 * known.before(family)[ALL], color="gray", linestyle=":", linewidth=1)
        axes.set_title(family)
        axes.set_xlabel("labels")
        if place == 0:
            axes.set_ylabel("accuracy, %")
            axes.legend(frameon=False, fontsize=8)
    write_file(path, lambda to: figure.savefig(to, format="png", dpi=130), "curve")


def _gain(figures: Figures, family: str, arm: str, part: str) -> str:
    before, after = figures.before(family, part)[ALL], figures.accuracy(family, arm, part=part)
    return f"{_share(before)} to {_percent(after)}"


def _named(arm: str) -> str:
    return {CEILING: "all labels", **{one: f"{OURS}, {one}" for one in (NEAREST, MATCHED)}}.get(arm, arm)


def _percent(mean: Interval) -> str:
    if mean.count < 2:
        return f"{100 * mean.mean:.1f}"
    return f"{100 * mean.mean:.1f} ({100 * mean.low:.1f} to {100 * mean.high:.1f})"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"
