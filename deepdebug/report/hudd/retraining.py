"""What retraining brought, as the page shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from deepdebug.report.hudd.pictures import thumbnail
from deepdebug.report.hudd.words import SPACE, chance, count, joined, percent, tail
from deepdebug.report.wording import number

if TYPE_CHECKING:
    from deepdebug.retraining.comparing import Change
    from deepdebug.retraining.statistics import Interval
    from deepdebug.retraining.summary import ArmResult, ChangedImage, ClusterResult, Retrained

Pixels = Mapping[str, npt.NDArray[Any]]  # name of a kind of images -> (images, height, width, channels)
CHOSEN = "chosen-"  # see `deepdebug.retraining.summary`
WIDTH = 220  # of the bars, in units of the picture
MARGIN = 0.15  # of the range of accuracies, on both sides
LEVEL = 0.05  # from which p value on a difference counts as chance
LEAST = 0.01  # range of accuracies that is drawn at least
OURS = "HUDD"
CAUSES = {"class": "Class", "cluster": "Root-cause cluster", "planted cause": "Planted cause"}
ARMS = {
    "HUDD": "images near the clusters",
    "BL1": "random images, of which only failing ones are used",
    "BL2": "random images",
    "entropy": "images that the model is least sure about",
}


@dataclass(frozen=True, slots=True)
class Arm:
    """A row of the comparison.

    Args:
        name: Of the arm.
        about: What it has labelled.
        cells: Runs, labels, accuracy, p value and A12.
        low: Left end of the interval.
        high: Right end.
        mean: Place of the mean; `None` where there is none.
        dots: Places of the runs.
    """

    name: str
    about: str
    cells: tuple[str, ...]
    low: float
    high: float
    mean: float | None
    dots: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Changed:
    """An image about which the models disagree.

    Args:
        picture: A data URI.
        name: Of the image.
        short: Its end.
        said: What is right, and what both models say.
    """

    picture: str
    name: str
    short: str
    said: str


@dataclass(frozen=True, slots=True)
class Section:
    """The section about retraining.

    Args:
        told: What it brought, in a sentence or two.
        arms: The comparison.
        before: Place of the original accuracy.
        ends: The accuracies at both ends of the bars.
        kept_out: Runs that diverged.
        notes: What else a reader should know.
        shown: Name of the run that the rest is about.
        model: File of its model.
        clusters: Rows: cluster, failures, chosen of the quota, mended.
        chosen: Number of each cluster and images that were chosen for it.
        tables: Title and rows for classes and planted causes.
        fixed: Images that only the retrained model gets right.
        broken: Images that only the original one gets right.
        settings: How was trained.
        watched: Runs in which `Diagnose` found something, with the number of findings.
        is_chosen: Whether an arm has chosen its images by the failures of the test set.
    """

    told: str
    arms: tuple[Arm, ...]
    before: float
    ends: tuple[str, str]
    kept_out: tuple[str, ...]
    notes: tuple[str, ...]
    shown: str
    model: str
    clusters: tuple[tuple[str, ...], ...]
    chosen: tuple[tuple[int, tuple[Changed, ...]], ...]
    tables: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...]
    fixed: tuple[Changed, ...]
    broken: tuple[Changed, ...]
    settings: tuple[tuple[str, str], ...]
    watched: tuple[str, ...]
    is_chosen: bool


def section(retrained: Retrained, pictures: Pixels) -> Section:
    """Return the section with everything drawn and written.

    Args:
        retrained: What retraining brought.
        pictures: What `fixed` and `broken` look like, by these names.
    """
    scale = _Scale(retrained)
    return Section(
        told=told(retrained),
        arms=tuple(_arm(one, scale) for one in retrained.arms),
        before=scale.place(retrained.before),
        ends=(points(scale.low), points(scale.high)),
        kept_out=tuple(name for one in retrained.arms for name in one.diverged),
        notes=tuple(f"{one.arm}: {text}" for one in retrained.arms for text in one.notes),
        shown=retrained.shown,
        model=retrained.model,
        clusters=tuple(_cluster_rows(retrained)),
        chosen=tuple((one.number, _chosen(one, pictures)) for one in retrained.clusters if one.images),
        tables=tuple(
            (CAUSES[kind], tuple(change_row(one) for one in groups))
            for kind, groups in retrained.changes
            if kind in ("class", "planted cause")
        ),
        fixed=_changed(retrained.fixed, pictures.get("fixed")),
        broken=_changed(retrained.broken, pictures.get("broken")),
        settings=tuple((name.replace("_", " "), _setting(value)) for name, value in retrained.settings),
        watched=tuple(f"{name} ({count(found, 'finding')})" for name, found in retrained.findings),
        is_chosen=any(one.arm == OURS for one in retrained.arms),
    )


def _setting(value: str) -> str:
    return "of the model" if value == "None" else value


def told(retrained: Retrained) -> str:
    """Return what retraining brought, in a sentence or two.

    Args:
        retrained: What it brought.
    """
    first = retrained.arms[0]
    if first.mean is None:
        return (
            f"No retraining of {first.arm} can be used: in none did an epoch end with a finite loss. Read the report "
            "of `Diagnose` beside each."
        )
    said = f"With {first.labels:,} new labels, {first.arm} gets {_accuracy(first.mean)} of the test set right"
    said += f" instead of {points(retrained.before)}."
    # The p values are those of HUDD against the others, so they say nothing where another arm comes first.
    others = retrained.arms[1:] if first.arm == OURS else ()
    known = [(one.arm, one.p_value, one.superiority) for one in others]
    judged = [(arm, p < LEVEL, a12) for arm, p, a12 in known if p is not None and a12 is not None]
    better = [arm for arm, clear, a12 in judged if clear and a12 > 0.5]
    worse = [arm for arm, clear, a12 in judged if clear and a12 < 0.5]
    open_ = [arm for arm, _, _ in judged if arm not in (*better, *worse)]
    for names, words in ((better, "better than"), (worse, "worse than"), (open_, "not told apart by chance from")):
        if names:
            said += f" It is {words} {joined(names)} with as many labels."
    fewest = min((len(one.accuracies) for one in retrained.arms), default=0)
    if open_ and 2 / comb(2 * fewest, fewest) >= LEVEL:
        said += f" With {fewest} runs of an arm no difference can be clear; repeat it with --runs 10."
    return said


def points(share: float) -> str:
    """Write an accuracy with the digit in which models differ.

    >>> points(0.96234).replace("\N{NO-BREAK SPACE}", " ")
    '96.2 %'
    """
    return f"{100 * share:.1f}{SPACE}%"


def table(retrained: Retrained) -> list[tuple[str, ...]]:
    """Return the comparison of the arms as rows of texts.

    Args:
        retrained: What retraining brought.
    """
    return [(one.arm, *_cells(one)) for one in retrained.arms]


class _Scale:
    """Maps accuracies to places."""

    def __init__(self, retrained: Retrained) -> None:
        known = [retrained.before, *(value for one in retrained.arms for value in one.accuracies)]
        known += [end for one in retrained.arms if one.mean is not None for end in _ends(one.mean)]
        span = max(max(known) - min(known), LEAST)
        self.low = max(0.0, min(known) - MARGIN * span)
        self.high = min(1.0, max(known) + MARGIN * span)

    def place(self, accuracy: float) -> float:
        """Return the place of an accuracy."""
        inside = min(max(accuracy, self.low), self.high)
        return round((inside - self.low) / (self.high - self.low) * WIDTH, 1)


def _arm(one: ArmResult, scale: _Scale) -> Arm:
    mean = one.mean
    return Arm(
        name=one.arm,
        about=ARMS.get(one.arm, ""),
        cells=_cells(one),
        low=0.0 if mean is None else scale.place(mean.low),
        high=0.0 if mean is None else scale.place(mean.high),
        mean=None if mean is None else scale.place(mean.mean),
        dots=tuple(scale.place(value) for value in one.accuracies),
    )


def _cells(one: ArmResult) -> tuple[str, ...]:
    return (
        f"{one.runs - len(one.diverged):,}",
        f"{one.labels:,}",
        "-" if one.mean is None else _accuracy(one.mean),
        "-" if one.p_value is None else chance(one.p_value),
        "-" if one.superiority is None else number(one.superiority),
    )


def _accuracy(mean: Interval) -> str:
    if mean.count < 2:
        return points(mean.mean)
    low, high = _ends(mean)
    return f"{points(mean.mean)} ({100 * low:.1f} to {points(high)})"


def _ends(mean: Interval) -> tuple[float, float]:
    """Return the ends of an interval of accuracies; those of few runs reach beyond what an accuracy can be."""
    return max(mean.low, 0.0), min(mean.high, 1.0)


def _cluster_rows(retrained: Retrained) -> list[tuple[str, ...]]:
    return [
        (
            str(one.number),
            f"{one.failures:,}",
            f"{one.chosen:,} of {one.quota:,}",
            "-" if one.mended is None else f"{one.mended:,} ({percent(one.mended / one.failures)})",
        )
        for one in retrained.clusters
    ]


def change_row(one: Change) -> tuple[str, ...]:
    """Return how often two models are right about a group of images, as texts.

    Args:
        one: The group.
    """
    return (
        one.name,
        f"{one.images:,}",
        points(one.before),
        points(one.after),
        f"{one.fixed:,}",
        f"{one.broken:,}",
        chance(one.p_value),
    )


def _chosen(cluster: ClusterResult, pictures: Pixels) -> tuple[Changed, ...]:
    pixels = pictures.get(f"{CHOSEN}{cluster.number}")
    if pixels is None:
        return ()
    return tuple(
        Changed(thumbnail(one), name, tail(name), "") for name, one in zip(cluster.images, pixels, strict=True)
    )


def _changed(images: Sequence[ChangedImage], pictures: npt.NDArray[Any] | None) -> tuple[Changed, ...]:
    if pictures is None:
        return ()
    arrow = " \N{RIGHTWARDS ARROW} "
    return tuple(
        Changed(
            thumbnail(picture),
            one.name,
            tail(one.name),
            f"{one.expected}: " * bool(one.expected) + one.before + arrow + one.after,
        )
        for one, picture in zip(images, pictures, strict=True)
    )


def counted(retrained: Retrained) -> str:
    """Return how many images a retraining mended and broke.

    Args:
        retrained: What retraining brought.
    """
    whole = next((groups[0] for kind, groups in retrained.changes if kind == "all"), None)
    if whole is None:
        return ""
    return f"{count(whole.fixed, 'image')} mended, {whole.broken:,} broken (McNemar p {chance(whole.p_value)})"
