"""What the test for clusters says, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deepdebug.report.hudd.words import chance, count, joined
from deepdebug.report.wording import number

if TYPE_CHECKING:
    from deepdebug.hudd.analysis import Analysis, Group

SAID = "no-cluster"  # code of the note that says what the verdict says


@dataclass(frozen=True, slots=True)
class Verdict:
    """What can be said of some clusters, or of one.

    Args:
        tone: "good", "bad" or "open", as the style sheet colours it.
        title: In a few words.
        text: In a sentence or two.
    """

    tone: str
    title: str
    text: str


def verdict(analysis: Analysis) -> Verdict:
    """Return what is to be said of all clusters together."""
    if not analysis.images:
        return Verdict("good", "No failures", "No image of the test set failed, so there is nothing to explain.")
    if not analysis.groups:
        return Verdict("open", "The failures were not grouped", "No cluster was found; the notes below say why.")
    if analysis.p_value is None:
        return Verdict(
            "open",
            "Too few failures to judge",
            "Whether there are clusters at all was not judged: there are too few failures for that. The groups below "
            "are a way to lay the images out. Look at each image yourself, or test with more images.",
        )
    if analysis.significant:
        return Verdict(
            "good",
            f"{count(len(analysis.groups), 'cluster')} of failures",
            f"The failures do fall into groups (p {_equals(analysis.p_value)}, which is how likely gaps like these "
            f"were in one single cloud of images; up to {number(analysis.level)} counts as significant). "
            f"{_apart_in_words(analysis)}",
        )
    return Verdict(
        "bad",
        "No cluster is significant",
        f"The failures cannot be told from one single cloud (p {_equals(analysis.p_value)}, which is how likely gaps "
        f"like these were in such a cloud; up to {number(analysis.level)} would be significant). Read the groups below "
        "as a way to lay the images out, not as causes. With few images real groups are easily missed; what is said of "
        "their parameters holds all the same.",
    )


def group_verdict(group: Group, analysis: Analysis) -> Verdict:
    """Return what is to be said of one cluster."""
    if group.p_value is None or analysis.p_value is None:
        return Verdict("open", "not judged", "Too few images to judge whether it is a cluster of its own.")
    value = f"p {_equals(group.p_value)}"
    if is_significant(group, analysis):
        text = f"{value}: so likely is a gap like the one around it where there is no cluster of its own."
        return Verdict("good", "significant", text)
    if group.p_value <= analysis.level:
        return Verdict(
            "bad", "not significant", f"{value} by itself, but there is no cluster in the failures as a whole."
        )
    together = next((one for one in standing_apart(analysis) if group.number in one), ())
    if together:
        others = joined(one for one in together if one != group.number)
        text = (
            f"A gap lies around this cluster and {others} together, but no clear one between them: perhaps it is one "
            "cause, which shows itself in several ways."
        )
        return Verdict("good", f"apart with {others}", text)
    text = f"{value}: no clear gap to what lies next to it. It may be part of a larger cause; see the nearest clusters."
    return Verdict("open", "no clear gap", text)


def standing_apart(analysis: Analysis) -> tuple[tuple[int, ...], ...]:
    """Return the numbers of clusters that have a gap around them, alone or together with the fewest others.

    Of two branches that make up all clusters only the smaller one is told, for the other is the rest.
    """
    if not analysis.significant:
        return ()
    sizes = {one.number: len(one.members) for one in analysis.groups}
    half = sum(sizes.values()) / 2
    alone = [(one.number,) for one in analysis.groups if is_significant(one, analysis)]
    joint = [
        one.groups
        for one in analysis.branches
        if one.p_value is not None and one.p_value <= analysis.level and sum(sizes[n] for n in one.groups) <= half
    ]
    found: list[tuple[int, ...]] = []
    for one in sorted([*alone, *joint], key=len):
        if not any(set(one) & set(known) for known in found):
            found.append(one)
    return tuple(sorted(found))


def _apart_in_words(analysis: Analysis) -> str:
    apart = standing_apart(analysis)
    if not apart:
        return "No cluster has a clear gap around it by itself, so take their borders as fluid."
    said = [f"cluster {one[0]}" if len(one) == 1 else f"clusters {joined(one)} together" for one in apart]
    return f"A clear gap lies around {'; around '.join(said)}."


def is_significant(group: Group, analysis: Analysis) -> bool:
    """Tell whether a cluster stands apart, in failures that have clusters at all."""
    return analysis.significant and group.p_value is not None and group.p_value <= analysis.level


def _equals(value: float) -> str:
    text = chance(value)
    return text if text.startswith("below") else f"= {text}"
