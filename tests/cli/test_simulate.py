import sys

import pytest

from deepdebug.cli import main as command_line
from deepdebug.cli.main import app
from deepdebug.simulate import build
from tests.simulate.tiny import TINY, no_network

__all__ = ["no_network"]


@pytest.fixture
def orders(monkeypatch):
    """Note what would be simulated."""
    noted = []

    def note(order, out, stage):
        noted.append((order, out))
        return "done"

    monkeypatch.setattr(build, "simulate", note)
    return noted


def run_main(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["deepdebug", "simulate", *arguments])
    with pytest.raises(SystemExit) as leaving:
        command_line.main()
    return leaving.value.code


def test_help_teaches_with_examples_on_their_own_lines(runner):
    text = runner.invoke(app, ["simulate", "--help"]).stdout
    for expected in (
        "deepdebug simulate eye cases/gaze                     a gaze classifier, in about a minute\n",
        "eye   GD   gaze direction, 8 classes (default)\n",
        "FLD  27 landmarks, a regression; wrong above 2 pixels of mean error\n",
        "A run that was stopped goes on when the command is repeated.",
        "2  wrong use, or OUT holds something else\n",
    ):
        assert expected in text


@pytest.mark.parametrize(
    ("arguments", "name"),
    [(("eye",), "GD"), (("face",), "HPD"), (("eye", "--case", "OC"), "OC"), (("face", "--case", "fld"), "FLD")],
)
def test_scene_and_case_decide_the_task(runner, orders, arguments, name):
    scene, *options = arguments
    assert runner.invoke(app, ["simulate", scene, "out", *options]).exit_code == 0
    assert orders[0][0].case.name == name


def test_defaults_are_those_of_the_help(runner, orders):
    runner.invoke(app, ["simulate", "eye", "out"])
    order, out = orders[0]
    assert (order.size.name, order.seed, order.colour, order.prevalence) == ("fast", 0, "gray", None)
    assert str(out) == "out"


def test_options_reach_the_order(runner, orders):
    options = ["--size", "full", "--seed", "7", "--colour", "rgb", "--prevalence", "0.005"]
    runner.invoke(app, ["simulate", "face", "out", *options])
    order = orders[0][0]
    assert (order.size.name, order.seed, order.colour, order.prevalence) == ("full", 7, "rgb", 0.005)
    assert type(order.colour) is str


def test_case_of_the_other_scene_is_refused_with_the_way_out(monkeypatch, capsys):
    assert run_main(monkeypatch, "eye", "out", "--case", "FLD") == 2
    assert capsys.readouterr().err == (
        "deepdebug: `--case` got 'FLD'; expected GD or OC for `eye`. FLD is drawn by `face`.\n"
    )


def test_unknown_case_is_refused_with_the_known_ones(monkeypatch, capsys):
    assert run_main(monkeypatch, "face", "out", "--case", "nose") == 2
    assert capsys.readouterr().err == "deepdebug: `--case` got 'nose'; expected HPD or OD or FLD for `face`.\n"


def test_prevalence_that_leaves_no_room_is_refused(monkeypatch, capsys):
    assert run_main(monkeypatch, "eye", "out", "--prevalence", "0.2") == 2
    assert "`--prevalence` got 0.2; GD has 7 planted causes" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [("ear", "out"), ("eye", "out", "--seed", "-1"), ("eye", "out", "--size", "huge"), ("eye",)]
)
def test_wrong_use_ends_with_2(monkeypatch, capsys, arguments):
    assert run_main(monkeypatch, *arguments) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_summary_goes_to_standard_output_and_no_progress_to_a_file(runner, tmp_path, monkeypatch, request):
    request.getfixturevalue("no_network")
    monkeypatch.setitem(sys.modules["deepdebug.simulate.order"].SIZES, "fast", TINY)
    result = runner.invoke(app, ["simulate", "eye", str(tmp_path / "case")])
    assert result.exit_code == 0
    assert result.stdout.startswith("GD: gaze direction, 8 sectors; tiny, seed 0, gray\n")
    assert result.stdout.endswith(f"\nThe case is in {tmp_path / 'case'}\n")
    assert result.stderr == ""


def test_folder_with_other_files_is_refused(monkeypatch, capsys, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    assert run_main(monkeypatch, "eye", str(tmp_path)) == 2
    assert "holds files that are no simulated case, such as 'thesis.txt'" in capsys.readouterr().err
