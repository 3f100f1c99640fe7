"""How numbers, places and times are written in every report."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from deepdebug.records import Diagnosis, Finding, Location, Number
from deepdebug.report.report import Report

UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
PLACES: Mapping[Location, str] = {
    "FW": "output",
    "W": "weights",
    "DW": "gradient",
    "M": "metrics",
    "DATA": "data",
    "CONFIG": "configuration",
}


ACTIONS: Mapping[str, str] = {  # DeepDiagnosis (ICSE 2022), Table IV, and ours
    "MSG0": "improper data",
    "MSG1": "change the loss",
    "MSG2": "change the activation",
    "MSG3": "change the learning rate",
    "MSG4": "change the initialisation",
    "MSG5": "change the number of layers",
    "SHAPE": "change a shape",
    "LABELS": "change the labels",
    "REGULARISE": "change the regularisation",
    "TRAIN": "change the training",
    "CONNECT": "connect the layers",
    "STRUCTURE": "change the structure",
}


def printable(text: str) -> str:
    """Replace control characters, which could steer a terminal or spoil an XML file."""
    return UNPRINTABLE.sub("\ufffd", text)


def number(value: Number) -> str:
    """Write a number with three significant digits; the digits before the point are all kept below a million.

    >>> number(0.123456), number(1234.5), number(1e-7), number(3), number(None)
    ('0.123', '1234', '1e-07', '3', '-')
    """
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    if math.isnan(value):
        return "NaN"
    if float(value).is_integer() and abs(value) < 1e9:
        return str(int(value))
    return f"{value:.0f}" if 1e3 <= abs(value) < 1e6 else f"{value:.3g}"


def action(name: str) -> str:
    """Say what a class of fixes means, such as "change the learning rate (MSG3)"."""
    return f"{ACTIONS[name]} ({name})" if name in ACTIONS else name


def one_line(text: str) -> str:
    r"""Put printable text on one line.

    >>> one_line("two\n  lines")
    'two lines'
    """
    return " ".join(printable(text).split())


def title(finding: Finding) -> str:
    """Name the symptom, such as "DD101 dead-units (DNS)"."""
    return f"{finding.code} {finding.symptom} ({finding.abbreviation})"


def place(finding: Finding) -> str:
    """Say where it shows, such as "layer 'dense', output"."""
    where = PLACES[finding.location]
    return where if finding.layer is None else f"layer '{finding.layer}', {where}"


def moment(finding: Finding) -> str:
    """Say when it was first seen; epochs count from 0, as in `History`."""
    return "before training" if finding.epoch < 0 else f"epoch {finding.epoch}, update {finding.step}"


def measured(finding: Finding) -> str:
    """Hold the measured number against its threshold; empty where the finding is not a matter of a number."""
    if finding.value is None:
        return ""
    limit = "" if finding.threshold is None else f", threshold {number(finding.threshold)}"
    return f"measured {number(finding.value)}{limit}"


def line(finding: Finding) -> str:
    """Write the finding as one line, for lists and for the console during training."""
    numbers = measured(finding)
    return one_line(
        f"{finding.code} {finding.symptom}, {finding.severity}, {place(finding)}, {moment(finding)}: {finding.message}"
        + (f" ({numbers})" if numbers else "")
    )


def cause_of(finding: Finding, report: Report) -> Diagnosis | None:
    """Return the diagnosis that explains the finding, if any."""
    key = (finding.code, finding.layer)
    return next(
        (one for one in report.diagnoses if any((member.code, member.layer) == key for member in one.findings)), None
    )


def check_name(check: str, report: Report) -> str:
    """Name a check by code and symptom, such as "DD101 dead-units"."""
    symptom = report.symptoms.get(check)
    return f"{check} {symptom}" if symptom else check


def status(report: Report) -> str:
    """Say how far training came, such as "10 of 10 epochs, numbered from 0, 1000 updates"."""
    run = report.run
    planned = run.facts.fit.planned_epochs
    done = str(len(run.epochs)) if planned is None else f"{len(run.epochs)} of {planned}"
    updates = run.latest.step if run.observations else 0
    end = "" if report.finished else "; the run did not reach its end"
    return f"{done} epochs, numbered from 0, {updates} updates{end}"
