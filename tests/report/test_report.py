import json
from dataclasses import replace
from pathlib import Path

import pytest

from deepdebug.errors import UsageError
from deepdebug.records import Diagnosis, Finding, Fix, Skipped
from deepdebug.report import Report
from deepdebug.report.report import write_whole
from tests.factory import healthy_run
from tests.golden.cases import clean, data_scale, dead_units, learning_rate, not_judged, with_findings


def test_clean_run_tells_its_coverage_and_why_checks_were_not_run():
    report = Report(
        run=healthy_run(),
        judged=("DD101", "DD301"),
        skipped=(Skipped("DD204", "no gradient"), Skipped("DD415", "no validation"), Skipped("DD205", "no gradient")),
    )
    assert report.verdict == ("no finding in 2 of 5 checks; not run: DD204, DD205 (no gradient); DD415 (no validation)")


def test_parts_that_are_no_checks_do_not_count_as_checks():
    report = Report(run=healthy_run(), judged=("DD101",), skipped=(Skipped("report.html", "no disk"),))
    assert report.verdict == "no finding in 1 of 1 checks; not run: report.html (no disk)"


def test_verdict_with_findings_names_the_likeliest_cause_and_counts():
    assert with_findings().verdict == (
        "most likely cause: learning rate too high; 3 findings (1 fatal, 1 error, 1 info) in 4 of 6 checks"
    )


def test_findings_without_a_cause_are_counted():
    report = replace(with_findings(), diagnoses=(), findings=(dead_units(),))
    assert report.verdict == "symptoms found, cause unknown; 1 finding (1 error) in 4 of 6 checks"


def test_run_that_could_not_be_judged_says_why():
    assert not_judged().verdict == "nothing could be judged; not run: DD101 (needs two checks after the warm-up)"


@pytest.mark.parametrize(
    ("report", "code"),
    [
        (clean(), 0),
        (replace(clean(), findings=(data_scale(),)), 0),
        (replace(clean(), findings=(replace(data_scale(), severity="warn"),)), 1),
        (with_findings(), 1),
        (not_judged(), 3),
    ],
    ids=["clean", "advice only", "warning", "faults", "not judged"],
)
def test_exit_code(report, code):
    assert report.exit_code == code


def test_advice_alone_is_no_fault():
    assert replace(clean(), findings=(data_scale(),)).headline == "no fault found, some advice"


def test_findings_of_no_diagnosis_are_unexplained():
    assert with_findings().unexplained == (data_scale(),)


def test_finding_that_a_diagnosis_explains_at_another_layer_is_unexplained():
    other = replace(dead_units(), layer="head")
    report = replace(with_findings(), findings=(other,), diagnoses=(learning_rate(),))
    assert report.unexplained == (other,)


def test_report_prints_as_text():
    assert str(with_findings()) == with_findings().to_text()


def test_dictionary_is_strict_json():
    content = with_findings().to_dict()
    assert json.loads(json.dumps(content, allow_nan=False)) == content
    assert content["findings"][0]["value"] == "NaN"


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("r.html", "<!DOCTYPE html>"),
        ("r.json", "{"),
        ("r.txt", "deepdebug: "),
        ("r.xml", "<?xml"),
        ("R.HTML", "<!DOCTYPE html>"),
    ],
)
def test_suffix_chooses_the_format(tmp_path, name, start):
    path = with_findings().save(tmp_path / "new" / name)
    assert path.read_text(encoding="utf-8").startswith(start)
    assert [each.name for each in path.parent.iterdir()] == [name]


def test_other_suffix_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(UsageError, match=r"'.*report.pdf': expected .* .txt, .json, .html, .xml"):
        clean().save(tmp_path / "report.pdf")


def test_unknown_format_is_refused_with_the_known_ones():
    with pytest.raises(UsageError, match=r"no report format 'pdf'. Expected one of: text, json, html, junit, github"):
        clean().render("pdf")


def test_file_that_cannot_be_written_is_wrong_use(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"cannot be written to '.*r.txt'"):
        clean().save(tmp_path / "file" / "r.txt")


def test_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    target = tmp_path / "r.txt"
    target.write_text("old", encoding="utf-8")

    def full(self: Path, *args: object, **kwargs: object) -> None:
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(UsageError, match="No space left on device"):
        write_whole(target, "new")
    assert [path.name for path in tmp_path.iterdir()] == ["r.txt"]
    assert target.read_bytes() == b"old"


def test_advice_alone_is_no_fault_in_the_headline():
    advice = Finding("DD412", "constant-data", "CST", "info", "certain", None, "DATA", -1, 0, 3.0, 0.0, "3 features")
    diagnosis = Diagnosis("Constant features", "MSG0", "certain", (advice,), Fix("Drop them.", ""))
    report = Report(healthy_run(3), (advice,), (diagnosis,), judged=("DD412",))
    assert report.headline == "no fault found, some advice"
