"""The page of a detector, read from its docstring."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass

from deepdebug.detectors.registry import Rule

HEADINGS = ("What it does", "Why it matters", "How to fix", "Args", "Example")
HEADING = re.compile(rf"^({'|'.join(HEADINGS)}):$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class RulePage:
    """What a user may want to know about one detector.

    Args:
        code: Its code.
        symptom: Name of the symptom.
        abbreviation: Abbreviation of the symptom.
        summary: What it finds, in one sentence.
        sections: Text by heading, in the order of the docstring.
    """

    code: str
    symptom: str
    abbreviation: str
    summary: str
    sections: Mapping[str, str]

    @property
    def title(self) -> str:
        """Code and names, such as "DD101 dead-units (DNS)"."""
        return f"{self.code} {self.symptom} ({self.abbreviation})"


def rule_page(rule: Rule) -> RulePage:
    """Read the page of a detector.

    >>> from deepdebug.detectors import find_rule
    >>> list(rule_page(find_rule("DD101")).sections)
    ['What it does', 'Why it matters', 'How to fix', 'Args', 'Example']
    """
    summary, *parts = HEADING.split(inspect.getdoc(rule) or "")
    sections = {name: textwrap.dedent(text).strip("\n") for name, text in zip(parts[::2], parts[1::2], strict=True)}
    return RulePage(rule.code, rule.symptom, rule.abbreviation, " ".join(summary.split()), sections)
