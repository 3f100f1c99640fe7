"""What the documentation of `deepdebug hudd` shows runs as it stands."""

import re
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deepdebug.case.folder import read_case
from deepdebug.cli.main import app
from tests.hudd.bright import images, model, write_case

PAGE = Path(__file__).parents[2] / "docs" / "hudd.md"
TEXT = PAGE.read_text(encoding="utf-8")


@pytest.mark.slow
def test_every_program_on_the_page_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x, label, _ = images()
    programs = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert len(programs) == 1
    names = {"model": model(), "x_test": x, "y_test": label}
    exec(compile(programs[0], str(PAGE), "exec"), names)  # noqa: S102 - our own documentation
    assert (tmp_path / "failures.html").is_file()


def test_case_file_on_the_page_is_one(tmp_path):
    case = write_case(tmp_path / "case", count=3)
    said = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    (case / "case.toml").write_text(said[0])
    found = read_case(case)
    assert found.failures == tomllib.loads(said[0])["case"]["failures"]
    assert (found.outputs, found.angles) == (("nose", "chin"), ("gaze_angle",))
    assert found.preprocessing.size == (64, 64)


def test_commands_and_options_on_the_page_exist():
    runner = CliRunner()
    known = runner.invoke(app, ["hudd", "run", "--help"], terminal_width=200).stdout
    options = set(re.findall(r"`(--[a-z-]+)", TEXT))
    assert len(options) > 12
    assert {one for one in options if one not in known} == set()
    for name in re.findall(r"`deepdebug hudd ([a-z]+) CASE`", TEXT):
        assert runner.invoke(app, ["hudd", name, "--help"]).exit_code == 0


def test_pages_that_it_points_to_exist():
    for target in re.findall(r"\]\(([a-z-]+\.md)\)", TEXT):
        assert (PAGE.parent / target).is_file()
