import xml.etree.ElementTree as ET
from dataclasses import replace

from deepdebug.report import junit
from deepdebug.report.wording import printable
from tests.golden.cases import HOSTILE, clean, data_scale, with_findings


def suite(report):
    (only,) = ET.fromstring(junit.render(report))  # noqa: S314 - our own XML
    return only


def test_findings_fail_and_advice_passes():
    cases = {case.get("name"): case for case in suite(with_findings()).iter("testcase")}
    failing = {name.split()[0] for name, case in cases.items() if case.find("failure") is not None}
    assert failing == {"DD101", "DD301"}
    assert cases["DD411 data-scale, data"].find("system-out") is not None


def test_check_without_finding_passes_and_check_not_run_is_skipped():
    cases = {case.get("name"): case for case in suite(clean()).iter("testcase")}
    assert list(cases["DD101 dead-units"]) == []
    assert cases["DD204 zero-gradient"].find("skipped").get("message") == "needs the gradient, which was switched off"


def test_counts_agree_with_the_cases():
    counted = suite(with_findings())
    cases = list(counted.iter("testcase"))
    assert counted.get("tests") == str(len(cases)) == "7"
    assert (counted.get("failures"), counted.get("skipped"), counted.get("errors")) == ("2", "3", "0")


def test_failure_holds_the_fix_as_code():
    failure = next(suite(with_findings()).iter("failure"))
    assert "optimizer=keras.optimizers.Adam(0.001)" in failure.text


def test_hostile_names_survive_as_printable_text():
    names = [case.get("name") for case in suite(with_findings()).iter("testcase")]
    assert any(printable(HOSTILE) in name for name in names)


def test_model_with_control_characters_in_its_name_gives_valid_xml():
    report = with_findings()
    facts = replace(report.run.facts, model="bad\x00\x1b\ud800name")
    assert suite(replace(report, run=replace(report.run, facts=facts), findings=(data_scale(),))) is not None
