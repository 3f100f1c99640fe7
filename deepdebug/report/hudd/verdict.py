"""What the test for clusters says, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deepdebug.report.hudd.words import chance, count
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
        found = sum(is_significant(one, analysis) for one in analysis.groups)
        sure = f", {found} of them significant" if len(analysis.groups) > 1 else ""
        return Verdict(
            "good",
            f"{count(len(analysis.groups), 'cluster')} of failures{sure}",
            f"The failures do fall into groups (p {_equals(analysis.p_value)}, which is how likely gaps like these "
            f"were in one single cloud of images; up to {number(analysis.level)} counts as significant).",
        )
    return Verdict(
        "bad",
        "No cluster is significant",
        f"The failures cannot be told from one single cloud (p {_equals(analysis.p_value)}, which is how likely gaps "
        f"like these were in such a cloud; up to {number(analysis.level)} would be significant). Read the groups below "
        "as a way to lay the images out, not as causes.",
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
    text = f"{value}: no clear gap to what lies next to it. It may be part of a larger cause; see the nearest clusters."
    return Verdict("bad", "not significant", text)


def is_significant(group: Group, analysis: Analysis) -> bool:
    """Tell whether a cluster stands apart, in failures that have clusters at all."""
    return analysis.significant and group.p_value is not None and group.p_value <= analysis.level


def _equals(value: float) -> str:
    text = chance(value)
    return text if text.startswith("below") else f"= {text}"
