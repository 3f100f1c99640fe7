"""The one place in which a detector turns what it saw into a `Finding`."""

from __future__ import annotations

from collections.abc import Mapping

from deepdebug.detectors.registry import Detector
from deepdebug.observation import Observation
from deepdebug.records import Confidence, Finding, Location, Number, Severity


def finding(
    detector: Detector,
    seen: Observation | None,
    severity: Severity,
    message: str,
    *,
    location: Location,
    layer: str | None = None,
    subject: str | None = None,
    confidence: Confidence = "strong",
    value: float | None = None,
    threshold: float | None = None,
    healthy: str = "",
    evidence: Mapping[str, Number] | None = None,
) -> Finding:
    """Return a finding of `detector`.

    Args:
        detector: The detector that speaks.
        seen: The observation in which it shows, or `None` for what held before the first update.
        severity: As in `Finding`, like the other arguments; the message gets a capital letter.
        message: One sentence with the place and the measured number.
        location: Where it shows.
        layer: Name of the layer. Defaults to `None`: the whole run.
        subject: Name of the input, label or output, where `layer` does not tell it. Defaults to `None`.
        confidence: How sure it is. Defaults to `"strong"`.
        value: The measured number. Defaults to `None`.
        threshold: The number it was held against. Defaults to `None`.
        healthy: What the number looks like in a healthy run. Defaults to `""`.
        evidence: Further numbers and words by name. Defaults to `None`: none.
    """
    return Finding(
        code=detector.code,
        symptom=detector.symptom,
        abbreviation=detector.abbreviation,
        severity=severity,
        confidence=confidence,
        layer=layer,
        location=location,
        epoch=-1 if seen is None else seen.epoch,
        step=0 if seen is None else seen.step,
        value=value,
        threshold=threshold,
        message=message[:1].upper() + message[1:],
        healthy=healthy,
        evidence=evidence or {},
        subject=subject,
    )
