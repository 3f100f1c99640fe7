"""The clusters of failing images as plain text, for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from deepdebug.report.hudd.headline import headline
from deepdebug.report.hudd.verdict import SAID, verdict
from deepdebug.report.wording import printable

if TYPE_CHECKING:
    from deepdebug.hudd.analysis import Analysis


def told(analysis: Analysis) -> Iterator[str]:
    """Yield the verdict, one line for each cluster, and what the reader should know.

    Args:
        analysis: What was found.
    """
    found = verdict(analysis)
    yield f"{found.title}. {found.text}"
    if analysis.groups:
        yield f"\n{'group':>5}{'images':>8}  what sets it apart"
    for group in analysis.groups:
        said = headline(group, analysis)
        yield printable(f"{group.number:>5}{len(group.members):>8,}  {'; '.join((said.text, *said.more[:1]))}")
    for note in analysis.notes:
        if note.code != SAID:
            yield printable(f"{'Warning: ' if note.warning else ''}{note.text}")
