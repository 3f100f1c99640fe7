"""What deepdebug says: frozen records that travel from the detectors to the reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Severity = Literal["info", "warn", "error", "fatal"]
Confidence = Literal["weak", "strong", "certain"]
Location = Literal["FW", "W", "DW", "M", "DATA", "CONFIG"]
Number = int | float | str | None

SEVERITIES: tuple[Severity, ...] = ("info", "warn", "error", "fatal")


@dataclass(frozen=True, slots=True)
class Finding:
    """One symptom that crossed a threshold, at one place, at one time.

    Args:
        code: Detector code, "DD" and three digits.
        symptom: Kebab-case name of the symptom.
        abbreviation: Abbreviation of the published symptom table (DeepDiagnosis, ICSE 2022, Table III),
            such as "NS" or "DNS", or ours where the table has none.
        severity: "info" (advice), "warn" (likely a fault), "error" (very likely a fault) or "fatal"
            (training cannot recover).
        confidence: "weak" (one check), "strong" (persistent and confirmed on more rows) or "certain"
            (a contradiction that no data can mend).
        layer: Name of the layer, or `None` where the finding concerns the whole run.
        location: Where it shows: layer output "FW", weights "W", weight gradient "DW", metric "M",
            "DATA" or "CONFIG".
        epoch: Epoch, counted from 0, in which it was first seen; -1 stands for before the first update.
        step: Number of optimizer updates done when it was first seen.
        value: The measured number, or `None` where the finding is not a matter of a number.
        threshold: The number it was held against.
        message: One sentence with the place and the measured number.
        healthy: What the number looks like in a healthy run.
        evidence: Further numbers and words by name, for the decision tree and for reading.
        subject: Name of the input, label or output that it concerns, where that is not told by `layer`.
    """

    code: str
    symptom: str
    abbreviation: str
    severity: Severity
    confidence: Confidence
    layer: str | None
    location: Location
    epoch: int
    step: int
    value: float | None
    threshold: float | None
    message: str
    healthy: str = ""
    evidence: Mapping[str, Number] = field(default_factory=dict)
    subject: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as plain dictionaries, numbers and strings."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Fix:
    """What to do about a fault.

    Args:
        advice: The fix in words.
        snippet: The fix as Keras code for this very model.
    """

    advice: str
    snippet: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One root cause, the findings it explains, and its fix.

    Args:
        fault: The root cause in a few words.
        action: "MSG0" (improper data), "MSG1" (change loss), "MSG2" (change activation), "MSG3" (change learning
            rate), "MSG4" (change initialisation), "MSG5" (change number of layers), as in DeepDiagnosis Table IV,
            or one of ours: "SHAPE", "LABELS", "REGULARISE", "TRAIN", "CONNECT", "STRUCTURE".
        confidence: Confidence of the strongest finding it rests on, lowered where numbers contradict it.
        findings: The findings that this cause explains, the most telling first.
        fix: What to do.
        score: Rank score, larger is likelier; comparable inside one report only.
        supporting: Measured numbers that speak for the cause, as sentences.
        contradicting: Measured numbers that speak against it.
        path: The tests of the decision tree, in the order taken, each with its answer.
        silence: The code that switches these findings off.
        cause: Name of the root cause for programs to go by, such as "learning_rate_high"; "" in presets that have no
            such names. Defaults to `""`.
    """

    fault: str
    action: str
    confidence: Confidence
    findings: tuple[Finding, ...]
    fix: Fix
    score: float = 0.0
    supporting: tuple[str, ...] = ()
    contradicting: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    silence: str = ""
    cause: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the diagnosis as plain dictionaries, lists, numbers and strings."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A check that was not run, and why.

    Args:
        check: Detector code, or the name of the part that was left out ("probe", "report.html").
        reason: Why, in words that tell the user what would make it run.
    """

    check: str
    reason: str
