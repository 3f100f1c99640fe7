"""From heatmaps of the failures to everything that is said about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from deepdebug.errors import UsageError
from deepdebug.hudd.alone import Alone, originals_alone, views_alone
from deepdebug.hudd.analysis import Analysis, Baseline, Branch, Curve, Group, LayerFacts, VarianceReduction
from deepdebug.hudd.baselines import pair_partition, pixel_view
from deepdebug.hudd.clusters import Clusters, ClusterSettings, Grouped, group, partition
from deepdebug.hudd.condensed import mean_square
from deepdebug.hudd.linkage import Labels
from deepdebug.hudd.notes import Note
from deepdebug.hudd.numbers import largest_number
from deepdebug.hudd.parameters import effects, variance_reduction
from deepdebug.hudd.plane import plane
from deepdebug.hudd.slicers import Slicer, domino
from deepdebug.hudd.space import ExactSpace, Space
from deepdebug.hudd.tested import Tested
from deepdebug.hudd.views import View
from deepdebug.hudd.wicd import wicd_curve

MIXTURE = "mixture"  # the slicer that needs to know the classes
PIXELS, PAIRS = "raw pixels", "pairs of expected and predicted class"


@dataclass(frozen=True, slots=True)
class Failures:
    """The failing images of a set.

    Args:
        tested: The model's answers about the failures alone.
        views: How they look: relevance, and whatever else they are clustered by.
        pixels: Array of shape (failures, ...): the images.
        parameters: What is known of them: arrays of shape (failures,) by name. Defaults to nothing.
        angles: Names of parameters that are angles in degrees. Defaults to none.
        notes: What the reader should know of the parameters. Defaults to nothing.
    """

    tested: Tested
    views: Sequence[View]
    pixels: npt.NDArray[Any]
    parameters: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    angles: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class About:
    """What an analysis says of where it comes from; see `Analysis`."""

    case: str
    model: str
    settings: tuple[tuple[str, str], ...]
    sets: tuple[tuple[str, int, int], ...]
    left_out: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Analysed:
    """An analysis, and the partitions that each view alone would give.

    Args:
        analysis: The analysis.
        alone: By the name of the view.
        chosen: Name of the view whose clusters were taken, in mode "hudd"; else `None`: all count.
    """

    analysis: Analysis
    alone: Mapping[str, Labels]
    chosen: str | None


def analyse(about: About, failures: Failures, settings: ClusterSettings, folder: Path | None = None) -> Analysed:
    """Cluster the failures and describe the clusters.

    Args:
        about: Where they come from.
        failures: The failures.
        settings: How they are clustered.
        folder: Where distances are kept. Defaults to `None`: nowhere.

    Raises:
        UsageError: When the settings cannot be used, or a value is not finite.
    """
    unknown = [name for name in failures.angles if failures.parameters and name not in failures.parameters]
    if unknown:
        raise UsageError(
            f"`angles` names {unknown[0]!r}, which is no parameter; expected some of {', '.join(failures.parameters)}."
        )
    if settings.slicer == MIXTURE:
        settings = replace(settings, slicer=_mixture(failures.tested))
    grouped = group(failures.views, settings, folder)
    clusters, space = grouped.clusters, grouped.space
    alone = _alone(failures, grouped, settings, folder)
    distances = _to_medoids(clusters, space)
    analysis = Analysis(
        case=about.case,
        model=about.model,
        settings=about.settings,
        sets=about.sets,
        left_out=about.left_out,
        images=failures.tested.images,
        losses=tuple(map(float, failures.tested.loss)),
        expected=_class_names(failures.tested, failures.tested.expected),
        predicted=_class_names(failures.tested, failures.tested.predicted),
        distances=tuple(distances.tolist()),
        places=() if space is None else tuple(map(tuple, plane(space, settings.seed).tolist())),
        groups=_groups(failures, clusters, distances, settings.seed),
        merges=_merges(clusters),
        branches=_branches(clusters),
        curve=_curve(grouped),
        layers=_layers(failures, clusters, alone),
        baselines=_baselines(failures, clusters, settings),
        p_value=clusters.significance.p_value,
        level=clusters.significance.level,
        variance_reduction=_variance_reduction(failures, clusters, settings.seed),
        notes=(*clusters.notes, *(Note("column-left-out", text) for text in failures.notes)),
    )
    return Analysed(analysis, {one.name: one.labels for one in alone}, clusters.view)


def _mixture(tested: Tested) -> Slicer:
    if tested.expected is None or tested.predicted is None:
        raise UsageError("The slicer 'mixture' goes by expected and predicted classes, which a regression has not.")
    return domino(tested.expected, tested.predicted)


def _alone(failures: Failures, grouped: Grouped, settings: ClusterSettings, folder: Path | None) -> tuple[Alone, ...]:
    if grouped.originals:
        return originals_alone(failures.views, grouped.originals)
    if isinstance(grouped.space, ExactSpace):
        return views_alone(failures.views, settings, folder)
    return ()


def _to_medoids(clusters: Clusters, space: Space | None) -> npt.NDArray[np.float64]:
    """Return the distance of every image to the medoid of its cluster; 0 for images in none."""
    found = np.zeros(len(clusters.labels))
    if space is None:
        return found
    for label, medoid in enumerate(clusters.medoids):
        members = clusters.labels == label
        found[members] = space.distances_to(int(medoid))[members]
    return found


def _groups(failures: Failures, clusters: Clusters, distances: npt.NDArray[np.float64], seed: int) -> tuple[Group, ...]:
    differing = effects(clusters.labels, failures.parameters, angles=failures.angles, seed=seed)
    apart = clusters.between
    return tuple(
        Group(
            number=label + 1,
            members=_members(clusters, label, distances),
            p_value=clusters.significance.clusters[label],
            pairs=_pairs(failures.tested, clusters.labels == label),
            nearest=tuple(
                (int(other) + 1, float(apart[label, other]))
                for other in np.argsort(apart[label], kind="stable")
                if other != label
            ),
            effects=differing[label],
        )
        for label in range(clusters.k)
    )


def _members(clusters: Clusters, label: int, distances: npt.NDArray[np.float64]) -> tuple[int, ...]:
    """Return the medoid, then the other members by their distance to it."""
    members = np.flatnonzero(clusters.labels == label)
    is_other = members != clusters.medoids[label]
    return tuple(members[np.lexsort((members, distances[members], is_other))].tolist())


def _pairs(tested: Tested, inside: npt.NDArray[np.bool_]) -> tuple[tuple[str, str, int], ...]:
    if tested.expected is None or tested.predicted is None:
        return ()
    pairs = zip(tested.expected[inside].tolist(), tested.predicted[inside].tolist(), strict=True)
    counted = sorted(Counter(pairs).items(), key=lambda one: (-one[1], one[0]))
    return tuple((tested.columns[right], tested.columns[said], count) for (right, said), count in counted)


def _merges(clusters: Clusters) -> tuple[tuple[int, int, float, int], ...]:
    merges = clusters.merges
    return tuple((int(one), int(other), float(height), int(size)) for one, other, height, size in merges)


def _branches(clusters: Clusters) -> tuple[Branch, ...]:
    return tuple(
        Branch(tuple(label + 1 for label in one.labels), one.p_value) for one in clusters.significance.branches
    )


def _curve(grouped: Grouped) -> Curve | None:
    tree, space, chosen = grouped.tree, grouped.space, grouped.clusters.k
    if tree is None or space is None:
        return None
    numbers = np.arange(2, max(largest_number(space, tree), chosen) + 1)
    if len(numbers) < 2:
        return None
    if grouped.originals:
        original = next(one for one in grouped.originals if one.dendrogram is tree)
        numbers = numbers[numbers < len(original.curve) + 2]
        values = original.curve[: len(numbers)]
    elif isinstance(space, ExactSpace):
        values = wicd_curve(tree, space.distances)[numbers] / np.sqrt(mean_square(space.distances))
    else:
        values = np.zeros(0)
    heights = tuple(tree.height_of(int(number)) for number in numbers)
    return Curve(tuple(numbers.tolist()), heights, tuple(values.tolist()), chosen)


def _layers(failures: Failures, clusters: Clusters, alone: Sequence[Alone]) -> tuple[LayerFacts, ...]:
    return tuple(
        LayerFacts(
            name=one.name,
            shape=view.rows.shape[1:] if view.vectors is not None else (),
            clusters=int(one.labels.max(initial=-1)) + 1,
            wicd=one.wicd,
            agreement=_agreement(one.labels, clusters.labels),
            agreement_with_others=_mean([_agreement(one.labels, other.labels) for other in alone if other is not one]),
            chosen=one.name == clusters.view,
        )
        for one, view in zip(alone, failures.views, strict=bool(alone))
    )


def _baselines(failures: Failures, clusters: Clusters, settings: ClusterSettings) -> tuple[Baseline, ...]:
    if clusters.k < 2:  # one cluster agrees with any other one
        return ()
    by_pixels = replace(settings, mode="default", slicer="hierarchy", linkage="ward", k=None)
    partitions = {PIXELS: partition([pixel_view(failures.pixels)], by_pixels)}
    if failures.tested.expected is not None and failures.tested.predicted is not None:
        partitions[PAIRS] = pair_partition(failures.tested.expected, failures.tested.predicted)
    return tuple(
        Baseline(name, int(labels.max(initial=-1)) + 1, _agreement(labels, clusters.labels))
        for name, labels in partitions.items()
    )


def _variance_reduction(failures: Failures, clusters: Clusters, seed: int) -> VarianceReduction | None:
    known = [np.asarray(column, np.float64) for column in failures.parameters.values()]
    if clusters.k < 2 or not any(len(np.unique(one[np.isfinite(one)])) > 1 for one in known):
        return None
    return variance_reduction(clusters.labels, failures.parameters, angles=failures.angles, seed=seed)


def _class_names(tested: Tested, numbers: npt.NDArray[Any] | None) -> tuple[str, ...]:
    return () if numbers is None else tuple(tested.columns[number] for number in numbers)


def _agreement(one: Labels, other: Labels) -> float:
    from sklearn.metrics import adjusted_mutual_info_score

    return float(adjusted_mutual_info_score(one, other))


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
