"""Which classes are mixed up in a cluster, in words and beside the other failures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deepdebug.report.hudd.words import percent
from deepdebug.report.wording import one_line

if TYPE_CHECKING:
    from deepdebug.hudd.analysis import Analysis, Group

PREVALENT = 0.5  # share of the members from which a mistake stands for all
TELLING = 0.2  # by how much that must exceed its share of the other failures


@dataclass(frozen=True, slots=True)
class Mistake:
    """What a model takes for what.

    Args:
        text: Such as "open taken for closed".
        inside: Share of the members.
        outside: Share of the other failures; `None` where there are none.
    """

    text: str
    inside: float
    outside: float | None

    @property
    def prevails(self) -> bool:
        """Whether most members have it."""
        return self.inside >= PREVALENT

    @property
    def is_telling(self) -> bool:
        """Whether most members have it, and clearly fewer of the other failures."""
        return self.prevails and self.inside - (self.outside or 0.0) >= TELLING

    @property
    def sentence(self) -> str:
        """The mistake with both shares."""
        here = "all members" if self.inside == 1 else f"{percent(self.inside)} of members"
        elsewhere = "" if self.outside is None else f", {percent(self.outside)} of other failures"
        return f"{self.text}: {here}{elsewhere}"


def mistake_phrase(group: Group, analysis: Analysis) -> str:
    """Say what is taken for what in a cluster.

    Args:
        group: A cluster of a classification.
        analysis: What it is one of.
    """
    found = list(_mistakes(group, analysis))
    best = next((one for one in found if one.is_telling), next((one for one in found if one.prevails), None))
    return best.sentence if best else f"No class pair prevails; most often {found[0].sentence}"


def is_telling(group: Group, analysis: Analysis) -> bool:
    """Tell whether some mistake sets a cluster apart from the other failures."""
    return any(one.is_telling for one in _mistakes(group, analysis))


def share_elsewhere(group: Group, analysis: Analysis, expected: str | None, predicted: str | None) -> float | None:
    """Return how frequent a mistake is among the other failures.

    Args:
        group: The cluster.
        analysis: What it is one of.
        expected: The right class, or `None` for any.
        predicted: The class that the model says, or `None` for any.

    Returns:
        A share; `None` where there are no other failures.
    """
    everywhere = zip(analysis.expected, analysis.predicted, strict=True)
    total = sum(_fits(pair, expected, predicted) for pair in everywhere)
    others = len(analysis.images) - len(group.members)
    return (total - _members(group, expected, predicted)) / others if others else None


def _mistakes(group: Group, analysis: Analysis) -> Iterator[Mistake]:
    """Yield the most frequent pair of classes, then the most frequent class that is said, then that which is right."""
    pair = group.pairs[0][:2]
    said = max((one for _, one, _ in group.pairs), key=lambda one: _members(group, None, one))
    right = max((one for one, _, _ in group.pairs), key=lambda one: _members(group, one, None))
    for expected, predicted, text in (
        (*pair, f"{one_line(pair[0])} taken for {one_line(pair[1])}"),
        (None, said, f"taken for {one_line(said)}"),
        (right, None, f"{one_line(right)} taken for other classes"),
    ):
        inside = _members(group, expected, predicted) / len(group.members)
        yield Mistake(text, inside, share_elsewhere(group, analysis, expected, predicted))


def _members(group: Group, expected: str | None, predicted: str | None) -> int:
    return sum(count for right, said, count in group.pairs if _fits((right, said), expected, predicted))


def _fits(pair: tuple[str, str], expected: str | None, predicted: str | None) -> bool:
    return expected in (None, pair[0]) and predicted in (None, pair[1])
