"""The script that starts a new check writes files that are ready to be filled in."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tests.factory import change_layer, healthy_run

ROOT = Path(__file__).parents[1]


def load(name: str, file: Path):
    specification = importlib.util.spec_from_file_location(name, file)
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module  # a dataclass looks its own module up
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def script():
    yield load("new_detector", ROOT / "scripts" / "new_detector.py")
    del sys.modules["new_detector"]


@pytest.fixture
def root(tmp_path):
    for folder in ("deepdebug/detectors", "tests/detectors"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "tests" / "factory.py").touch()  # by which the linter knows what is ours
    return tmp_path


def test_written_check_runs(script, root):
    file, _ = script.write(root, "DD199", "noisy-units", "UCS")
    rule = load("noisy_units", file).NoisyUnits
    (finding,) = rule().detect(change_layer(healthy_run(), "hidden", dead_fraction=0.6))
    assert (rule.code, rule.symptom, finding.layer, finding.value) == ("DD199", "noisy-units", "hidden", 0.6)
    del sys.modules["noisy_units"]


def test_written_files_are_formatted_and_pass_the_linter(script, root):
    script.write(root, "DD199", "noisy-units", "UCS")
    (root / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    for command in (["format", "--check"], ["check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache", "."],
            cwd=root, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout


def test_written_test_fails_until_it_is_filled_in(script, root):
    _, test = script.write(root, "DD199", "noisy-units", "UCS")
    assert "pytest.fail(" in test.read_text()


@pytest.mark.parametrize(
    ("code", "symptom", "message"),
    [("DD999", "noisy-units", "expected DD1xx"), ("DD199", "Noisy units", "lower-case words joined by hyphens")],
)
def test_malformed_name_is_refused(script, root, code, symptom, message):
    with pytest.raises(SystemExit, match=message):
        script.write(root, code, symptom, "UCS")


def test_code_is_used_once(script, root):
    script.write(root, "DD199", "noisy-units", "UCS")
    with pytest.raises(SystemExit, match=r"DD199 is taken by noisy_units\.py"):
        script.write(root, "DD199", "other-units", "UCS")
