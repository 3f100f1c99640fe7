"""The report as JUnit XML, which every CI server can show: one test case per check."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from deepdebug.records import Finding, Skipped
from deepdebug.report import wording
from deepdebug.report.report import Report


def render(report: Report) -> str:
    """Return the XML document: a finding of severity "warn" or worse is a failure, a check not run is skipped."""
    found = {finding.code for finding in report.findings}
    suite = ET.Element("testsuite", name="deepdebug")
    for finding in report.findings:
        _finding(suite, finding, report)
    for code in report.judged:
        if code not in found:
            _case(suite, wording.check_name(code, report), report)
    for skipped in report.skipped:
        _skipped(suite, skipped, report)
    cases = list(suite)
    suite.set("tests", str(len(cases)))
    suite.set("failures", str(sum(case.find("failure") is not None for case in cases)))
    suite.set("errors", "0")
    suite.set("skipped", str(len(report.skipped)))
    ET.SubElement(suite, "system-out").text = wording.printable(report.verdict)
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _case(suite: ET.Element, name: str, report: Report) -> ET.Element:
    model = f"deepdebug.{report.run.facts.model}"
    return ET.SubElement(suite, "testcase", classname=wording.printable(model), name=wording.printable(name))


def _finding(suite: ET.Element, finding: Finding, report: Report) -> None:
    case = _case(suite, f"{finding.code} {finding.symptom}, {wording.place(finding)}", report)
    cause = wording.cause_of(finding, report)
    fix = "" if cause is None else f"\nLikely cause: {cause.fault}. {cause.fix.advice}\n{cause.fix.snippet}"
    text = wording.printable(wording.line(finding) + fix)
    if finding.severity == "info":
        ET.SubElement(case, "system-out").text = text
    else:
        message = wording.printable(finding.message)
        ET.SubElement(case, "failure", type=finding.severity, message=message).text = text


def _skipped(suite: ET.Element, skipped: Skipped, report: Report) -> None:
    case = _case(suite, wording.check_name(skipped.check, report), report)
    ET.SubElement(case, "skipped", message=wording.printable(skipped.reason))
