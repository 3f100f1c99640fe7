"""What is said of all clusters together: sets, layers, baselines and HUDD's first research question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from deepdebug.report.hudd.words import percent
from deepdebug.report.wording import number

if TYPE_CHECKING:
    from deepdebug.hudd.analysis import Analysis, Baseline, LayerFacts, VarianceReduction

OFTEN = 0.2  # share of random groups from which it needs an explanation
NEARLY_THE_SAME = 0.75  # adjusted mutual information
TIMES = "\N{MULTIPLICATION SIGN}"


def set_rows(analysis: Analysis) -> list[tuple[str, ...]]:
    """Return name, images, failures and their share of every set."""
    return [
        (name, f"{images:,}", f"{failures:,}", percent(failures / images) if images else "-")
        for name, images, failures in analysis.sets
    ]


def layer_rows(layers: Sequence[LayerFacts]) -> list[tuple[tuple[str, ...], bool]]:
    """Return the cells of every view and whether it is the chosen one."""
    return [
        (
            (
                one.name,
                f" {TIMES} ".join(map(str, one.shape)) or "-",
                number(one.clusters),
                number(one.wicd),
                number(one.agreement),
                number(one.agreement_with_others),
            ),
            one.chosen,
        )
        for one in layers
    ]


def baseline_rows(baselines: Sequence[Baseline]) -> list[tuple[tuple[str, ...], str]]:
    """Return the cells of every baseline and what follows from it."""
    return [((one.name, number(one.clusters), number(one.agreement)), _meaning(one)) for one in baselines]


def variance_sentence(found: VarianceReduction | None) -> str:
    """Say what HUDD's first research question gives, and how much of it is chance; empty where it was not asked."""
    if found is None:
        return ""
    often = "; with several parameters and few images, some parameter often varies less by chance"
    why = often if found.by_chance >= OFTEN else ""
    beyond = (
        "That is no more than chance gives."
        if found.share <= found.by_chance
        else "Only what lies above that speaks for the clusters."
    )
    return (
        f"In {percent(found.share)} of the clusters some parameter varies at most half as much as among all failures "
        f"(HUDD's first research question). In random groups of the same sizes it is {percent(found.by_chance)}{why}. "
        f"{beyond} In "
        f"{percent(found.significant)} of the clusters such a fall is not likely by chance (permutation test, false "
        f"discovery rate {percent(0.05)})."
    )


def _meaning(one: Baseline) -> str:
    if one.agreement >= NEARLY_THE_SAME:
        return f"The {one.name} alone give nearly the same clusters, so heatmaps add little here."
    return (
        f"The {one.name} alone give other clusters than the heatmaps; which are nearer to the causes, "
        "this number cannot say."
    )
