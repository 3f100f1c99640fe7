import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from deepdebug.cli import main as command_line
from deepdebug.cli.main import app
from deepdebug.version import __version__


def run_main(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["deepdebug", *arguments])
    with pytest.raises(SystemExit) as leaving:
        command_line.main()
    return leaving.value.code


def test_version_is_printed(runner):
    result = runner.invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"deepdebug {__version__}\n")


def test_help_teaches_with_examples_on_their_own_lines(runner):
    text = runner.invoke(app, ["--help"]).stdout
    for expected in (
        'model.fit(x, y, callbacks=[Diagnose(log_dir="runs/mlp")])\n',
        "deepdebug diagnose runs/mlp\n",
        "deepdebug explain DD101\n",
    ):
        assert expected in text


def test_help_of_diagnose_names_the_exit_codes(runner):
    text = runner.invoke(app, ["diagnose", "--help"]).stdout
    assert "deepdebug diagnose runs/mlp --output report.html     a page to look at\n" in text
    assert "3  nothing could be judged\n" in text


def test_error_of_ours_is_one_message_without_a_traceback(monkeypatch, capsys):
    assert run_main(monkeypatch, "explain", "DD999") == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("deepdebug: `select` got 'DD999'")
    assert "Traceback" not in captured.err


def test_unknown_option_is_wrong_use(monkeypatch, capsys):
    assert run_main(monkeypatch, "diagnose", "--colour") == 2
    assert "--colour" in capsys.readouterr().err


def test_defect_of_ours_never_looks_like_findings(monkeypatch, capsys):
    def fail() -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(command_line, "app", fail)
    assert run_main(monkeypatch) == 2
    assert "ZeroDivisionError: a defect" in capsys.readouterr().err


def test_findings_give_exit_code_1(monkeypatch, recorded, small_preset):
    assert run_main(monkeypatch, "diagnose", recorded(5)) == 1


def test_demo_writes_to_the_folder_that_was_asked_for(monkeypatch, runner):
    folders = []
    demo = ModuleType("deepdebug.demo")
    demo.main = folders.append
    monkeypatch.setitem(sys.modules, "deepdebug.demo", demo)
    assert runner.invoke(app, ["demo", "--out", "here"]).exit_code == 0
    assert folders == [Path("here")]


def test_package_can_be_run_as_a_module():
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "deepdebug", "--version"], capture_output=True, text=True, check=True, cwd=root
    )
    assert done.stdout == f"deepdebug {__version__}\n"
