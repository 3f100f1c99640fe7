"""What a result wants to be read with: facts and warnings, as records instead of exceptions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Note:
    """One sentence about a result.

    Args:
        code: Kebab-case name of what happened, such as "knee-missing"; never changes, so that programs can ask for it.
        text: The sentence.
        warning: Whether the reader should doubt the result. Defaults to `False`.
    """

    code: str
    text: str
    warning: bool = False
