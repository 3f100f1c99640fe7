"""One cluster as the page shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deepdebug.report.hudd.effects import Row, effect_rows
from deepdebug.report.hudd.headline import Headline, headline
from deepdebug.report.hudd.marks import Mark, mark
from deepdebug.report.hudd.means import Portrait, portrait
from deepdebug.report.hudd.mistakes import share_elsewhere
from deepdebug.report.hudd.pictures import Pictures, spread, thumbnail
from deepdebug.report.hudd.verdict import Verdict, group_verdict
from deepdebug.report.hudd.words import count, percent, tail
from deepdebug.report.wording import number

if TYPE_CHECKING:
    from deepdebug.hudd.analysis import Analysis, Group

MOST_TILES, FEWEST_TILES = 24, 3  # members shown of one cluster
ALL_TILES = 320  # members shown on the whole page, so that many clusters do not make it heavy
MOST_PAIRS = 6
MOST_NEAREST = 5


@dataclass(frozen=True, slots=True)
class Tile:
    """One member on the contact sheet.

    Args:
        picture: A data URI.
        name: Of the image.
        short: Its end.
        said: What was expected and predicted, or the loss.
        distance: To the medoid.
    """

    picture: str
    name: str
    short: str
    said: str
    distance: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """One cluster.

    Args:
        number: From 1 on.
        mark: How it is drawn.
        size: "41 failures".
        share: Of all failures.
        verdict: Whether it is one.
        headline: What sets it apart, in words.
        portrait: Its medoid, mean image and mean heatmap.
        tiles: Some members.
        members: How many there are.
        pairs: Rows of the confusion table.
        more_pairs: What the table leaves out; empty where that is nothing.
        effects: Parameters that differ.
        others: Parameters that do not.
        nearest: Numbers of other clusters and their distances.
    """

    number: int
    mark: Mark
    size: str
    share: str
    verdict: Verdict
    headline: Headline
    portrait: Portrait
    tiles: tuple[Tile, ...]
    members: int
    pairs: tuple[tuple[str, ...], ...]
    more_pairs: str
    effects: tuple[Row, ...]
    others: tuple[Row, ...]
    nearest: tuple[tuple[int, str], ...]


def cluster_view(group: Group, analysis: Analysis, pictures: Pictures) -> Cluster:
    """Return a cluster with everything drawn and written.

    Args:
        group: The cluster.
        analysis: What it is one of.
        pictures: All images and heatmaps.
    """
    effects, others = effect_rows(group)
    most = min(MOST_TILES, max(FEWEST_TILES, ALL_TILES // len(analysis.groups)))
    return Cluster(
        number=group.number,
        mark=mark(group.number),
        size=count(len(group.members), "failure"),
        share=percent(len(group.members) / len(analysis.images)),
        verdict=group_verdict(group, analysis),
        headline=headline(group, analysis),
        portrait=portrait(group.members, pictures),
        tiles=tuple(_tile(position, analysis, pictures) for position in spread(group.members, most)),
        members=len(group.members),
        pairs=tuple(_pair(group, analysis, pair) for pair in group.pairs[:MOST_PAIRS]),
        more_pairs=_more(group),
        effects=effects,
        others=others,
        nearest=tuple((other, number(distance)) for other, distance in group.nearest[:MOST_NEAREST]),
    )


def _tile(position: int, analysis: Analysis, pictures: Pictures) -> Tile:
    if analysis.expected:
        said = f"{analysis.expected[position]} \N{RIGHTWARDS ARROW} {analysis.predicted[position]}"
    else:
        said = f"loss {number(analysis.losses[position])}"
    name = analysis.images[position]
    picture = thumbnail(pictures.image(position))
    return Tile(picture, name, tail(name), said, number(analysis.distances[position]))


def _pair(group: Group, analysis: Analysis, pair: tuple[str, str, int]) -> tuple[str, ...]:
    expected, predicted, members = pair
    elsewhere = share_elsewhere(group, analysis, expected, predicted)
    others = "-" if elsewhere is None else percent(elsewhere)
    return expected, predicted, f"{members:,} ({percent(members / len(group.members))})", others


def _more(group: Group) -> str:
    left = group.pairs[MOST_PAIRS:]
    if not left:
        return ""
    return f"and {len(left)} more, with {count(sum(members for _, _, members in left), 'member')}"
