"""The result of judging a run, and the ways to look at it."""

from __future__ import annotations

import importlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deepdebug.errors import UsageError
from deepdebug.files import write_text
from deepdebug.observation import Run
from deepdebug.records import SEVERITIES, Diagnosis, Finding, Skipped
from deepdebug.version import __version__

FORMATS: Mapping[str, str] = {  # name: module with `render(report) -> str`
    "text": "deepdebug.report.console",
    "json": "deepdebug.report.json_report",
    "html": "deepdebug.report.html",
    "junit": "deepdebug.report.junit",
    "github": "deepdebug.report.github",
}
SUFFIXES: Mapping[str, str] = {".txt": "text", ".json": "json", ".html": "html", ".xml": "junit"}
CODE = re.compile(r"[A-Z]+\d+")


@dataclass(frozen=True, slots=True, repr=False)
class Report:
    """What deepdebug found in a run, what it checked and what it could not check.

    Args:
        run: The judged run.
        findings: The symptoms, the most severe first.
        diagnoses: The likely causes, the likeliest first.
        skipped: Checks that could never be made, and parts that were left out, with the reason.
        judged: Codes of the checks that were made at least once.
        symptoms: Name of each check by code.
        seconds: Seconds that deepdebug spent during training, or `None` where that is not known.
        preset: Name of the preset in use.
        version: Version of deepdebug that judged.
    """

    run: Run
    findings: tuple[Finding, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    judged: tuple[str, ...] = ()
    symptoms: Mapping[str, str] = field(default_factory=dict)
    seconds: float | None = None
    preset: str = "default"
    version: str = __version__

    @property
    def finished(self) -> bool:
        """Whether training reached its end; an interrupted or still running one has not."""
        return self.run.finished

    @property
    def checks_not_run(self) -> tuple[Skipped, ...]:
        """The checks among `skipped`, without the other parts that were left out."""
        return tuple(skipped for skipped in self.skipped if CODE.fullmatch(skipped.check))

    @property
    def counts(self) -> str:
        """How much was found, such as "3 findings (1 error, 2 warn) in 31 of 34 checks"."""
        severities = [finding.severity for finding in self.findings]
        parts = [f"{severities.count(name)} {name}" for name in reversed(SEVERITIES) if name in severities]
        number = {0: "no finding", 1: "1 finding"}.get(len(severities), f"{len(severities)} findings")
        checks = f"{len(self.judged)} of {len(self.judged) + len(self.checks_not_run)} checks"
        return f"{number} ({', '.join(parts)}) in {checks}" if parts else f"{number} in {checks}"

    @property
    def headline(self) -> str:
        """The result in a few words."""
        if self.findings and self.exit_code == 0:
            return "no fault found, some advice"
        if self.findings:
            return (
                f"most likely cause: {self.diagnoses[0].fault}" if self.diagnoses else "symptoms found, cause unknown"
            )
        return "no fault found" if self.judged else "nothing could be judged"

    @property
    def verdict(self) -> str:
        """The result in one sentence, with everything that was not checked when nothing was found."""
        if self.findings:
            return f"{self.headline}; {self.counts}"
        result = self.counts if self.judged else self.headline
        return f"{result}; not run: {_by_reason(self.skipped)}" if self.skipped else result

    @property
    def exit_code(self) -> int:
        """1 with a finding of severity "warn" or worse, 3 when nothing could be judged, else 0 (advice is no fault)."""
        if any(finding.severity != "info" for finding in self.findings):
            return 1
        return 0 if self.judged else 3

    @property
    def unexplained(self) -> tuple[Finding, ...]:
        """The findings that belong to no diagnosis."""
        explained = {_place(one) for diagnosis in self.diagnoses for one in diagnosis.findings}
        return tuple(finding for finding in self.findings if _place(finding) not in explained)

    def render(self, style: str) -> str:
        """Return the report in one of `FORMATS`.

        Raises:
            UsageError: When there is no such format.
        """
        if style not in FORMATS:
            raise UsageError(f"There is no report format {style!r}. Expected one of: {', '.join(FORMATS)}.")
        text: str = importlib.import_module(FORMATS[style]).render(self)
        return text

    def to_text(self) -> str:
        """Return the report as plain text."""
        return self.render("text")

    def to_json(self) -> str:
        """Return the report as strict JSON; the schema lies beside this module in `schema/report-1.json`."""
        return self.render("json")

    def to_dict(self) -> dict[str, Any]:
        """Return the content of `to_json` as dictionaries; NaN and the infinities are strings in it."""
        content: dict[str, Any] = json.loads(self.to_json())
        return content

    def to_html(self) -> str:
        """Return the report as one HTML page that needs no network."""
        return self.render("html")

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the report in the format of the suffix: .html, .json, .txt or .xml (JUnit).

        The file appears whole or not at all.

        Returns:
            The path.

        Raises:
            UsageError: When the suffix is another, or the file cannot be written.
        """
        target = Path(path)
        if target.suffix.lower() not in SUFFIXES:
            raise UsageError(
                f"The report cannot be saved as {str(target)!r}: expected a file name that ends in "
                f"{', '.join(SUFFIXES)}. For another format write `report.render(...)` yourself."
            )
        return write_whole(target, self.render(SUFFIXES[target.suffix.lower()]))

    def _repr_html_(self) -> str:
        from deepdebug.report.html import render_fragment

        return render_fragment(self)

    def __repr__(self) -> str:
        """Return one line; `str` gives the whole report."""
        return f"<Report on model '{self.run.facts.model}': {self.headline}; {self.counts}>"

    def __str__(self) -> str:
        return self.to_text()


def write_whole(target: Path, text: str) -> Path:
    """Write `text` beside `target`, then rename, so that no reader ever sees half a file.

    Raises:
        UsageError: When the file cannot be written.
    """
    return write_text(target, text, "report")


def _place(finding: Finding) -> tuple[str, str | None, str | None]:
    return finding.code, finding.layer, finding.subject


def _by_reason(skipped: tuple[Skipped, ...]) -> str:
    checks: dict[str, list[str]] = {}
    for one in skipped:
        checks.setdefault(one.reason, []).append(one.check)
    return "; ".join(f"{', '.join(names)} ({reason})" for reason, names in checks.items())
