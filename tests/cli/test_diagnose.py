import json
import sys
from pathlib import Path

import pytest
import typer

from deepdebug.cli.diagnose import diagnose, rejudge
from deepdebug.cli.main import app
from deepdebug.config import Settings
from deepdebug.errors import RecordingError, UsageError
from deepdebug.recording_reader import read_recording

pytestmark = pytest.mark.usefixtures("small_preset")


def test_recording_with_findings_gives_text_and_exit_code_1(recorded, runner):
    result = runner.invoke(app, ["diagnose", recorded(5)])
    assert result.exit_code == 1
    assert result.stdout.startswith("deepdebug: most likely cause: patience\n")
    assert "DD901 long-run (LNG), metrics, epoch 3, update 400" in result.stdout
    assert "DD902 never: needs something" in result.stdout


def test_clean_recording_gives_exit_code_0(recorded, runner):
    result = runner.invoke(app, ["diagnose", recorded(2)])
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, "deepdebug: no fault found")


def test_recording_that_cannot_be_judged_gives_exit_code_3(recorded, runner):
    assert runner.invoke(app, ["diagnose", recorded(5), "--ignore", "DD901"]).exit_code == 3


def test_selected_checks_are_the_only_ones(recorded, runner):
    result = runner.invoke(app, ["diagnose", recorded(5), "--select", "DD902", "--format", "json"])
    assert json.loads(result.stdout)["checks"]["symptoms"] == {"DD902": "never"}


def test_codes_come_with_commas_or_repeated_options(recorded, runner):
    folder = recorded(5)
    for options in (["--ignore", "DD901,DD902"], ["--ignore", "DD901", "--ignore", "DD902"]):
        result = runner.invoke(app, ["diagnose", folder, "--format", "json", *options])
        assert json.loads(result.stdout)["checks"]["symptoms"] == {}


@pytest.mark.parametrize(
    ("style", "start"),
    [("text", "deepdebug: "), ("json", "{"), ("html", "<!DOCTYPE html>"), ("junit", "<?xml"), ("github", "::warning")],
)
def test_format_can_be_chosen(recorded, runner, style, start):
    assert runner.invoke(app, ["diagnose", recorded(5), "--format", style]).stdout.startswith(start)


def test_output_file_takes_the_format_of_its_name(recorded, runner):
    result = runner.invoke(app, ["diagnose", recorded(5), "--output", "out/report.html"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert Path("out/report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_format_option_wins_over_the_name_of_the_file(recorded, runner):
    runner.invoke(app, ["diagnose", recorded(5), "--output", "annotations", "--format", "github"])
    assert Path("annotations").read_text(encoding="utf-8").startswith("::warning")


def test_name_that_tells_no_format_is_refused(recorded, runner):
    result = runner.invoke(app, ["diagnose", recorded(5), "--output", "report.pdf"])
    assert isinstance(result.exception, UsageError)
    assert "`--output` got 'report.pdf'" in str(result.exception)


def test_newest_run_is_judged_unless_another_is_asked_for(recorded, runner):
    folder = recorded(5, 2)
    assert runner.invoke(app, ["diagnose", folder]).exit_code == 0
    assert runner.invoke(app, ["diagnose", folder, "--run", "1"]).exit_code == 1
    assert runner.invoke(app, ["diagnose", folder, "--run", "-2"]).exit_code == 1


@pytest.mark.parametrize("number", ["0", "3", "-3"])
def test_run_that_is_not_there_is_refused(recorded, runner, number):
    result = runner.invoke(app, ["diagnose", recorded(5, 2), "--run", number])
    assert isinstance(result.exception, UsageError)
    assert f"`--run` got {number}; the recording holds 2" in str(result.exception)


def test_killed_run_is_judged_as_far_as_it_came(recorded, runner):
    file = Path(recorded(5, end=False)) / "observations.jsonl"
    file.write_bytes(file.read_bytes()[:-10])
    result = runner.invoke(app, ["diagnose", str(file)])
    assert result.exit_code == 1
    assert "recording: line 7 is cut off" in result.stdout
    assert "4 of 10 epochs, numbered from 0, 400 updates; the run did not reach its end" in result.stdout


def test_unknown_preset_is_refused(recorded, runner):
    result = runner.invoke(app, ["diagnose", recorded(5), "--preset", "other"])
    assert isinstance(result.exception, UsageError)


def test_settings_of_the_project_apply(recorded, runner):
    folder = recorded(5)
    Path("pyproject.toml").write_text('[tool.deepdebug]\nignore = ["DD901"]\n', encoding="utf-8")
    assert runner.invoke(app, ["diagnose", folder]).exit_code == 3


def test_missing_recording_is_an_error_of_ours(recorded, runner):
    assert isinstance(runner.invoke(app, ["diagnose", "nowhere"]).exception, RecordingError)


def test_seconds_of_the_recording_are_reported(recorded):
    assert rejudge(read_recording(recorded(2)), Settings()).seconds == 0.5


def test_terminal_is_shown_the_report_in_colours(recorded, monkeypatch, capsys):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with pytest.raises(typer.Exit):
        diagnose(Path(recorded(5)))
    assert "\x1b[1;31mdeepdebug: most likely cause: patience" in capsys.readouterr().out
