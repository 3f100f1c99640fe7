"""A detector of another package: one file and an entry point."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
DETECTOR = '''
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.records import Finding


@dataclass(frozen=True)
class TooManyEpochs:
    """Find runs of more epochs than a team can afford.

    What it does:
        Counts epochs.

    Why it matters:
        Time.

    How to fix:
        Stop early.

    Args:
        max_epochs: Largest accepted number. Defaults to `3`.
    """

    code: ClassVar[str] = "DD901"
    symptom: ClassVar[str] = "too-many-epochs"
    abbreviation: ClassVar[str] = "TME"
    max_epochs: int = 3

    def detect(self, run):
        now = run.latest
        if now.epoch >= self.max_epochs:
            yield Finding(
                self.code, self.symptom, self.abbreviation, "warn", "strong", None, "CONFIG", now.epoch, now.step,
                now.epoch + 1, self.max_epochs, f"{now.epoch + 1} epochs were run",
            )
'''


def run_python(folder: Path, code: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)


def install(folder: Path, entry: str) -> None:
    (folder / "budget_detector.py").write_text(DETECTOR)
    metadata = folder / "budget-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: budget\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[deepdebug.detectors]\ntoo-many-epochs = {entry}\n")


def test_detector_of_another_package_judges_a_run_and_has_a_page(tmp_path):
    install(tmp_path, "budget_detector:TooManyEpochs")
    result = run_python(
        tmp_path,
        "from tests.factory import healthy_run\n"
        "from deepdebug.detectors import judge\n"
        "from deepdebug.presets import find_preset\n"
        "detectors = find_preset('default').detectors(('DD901',), ())\n"
        "print(judge(healthy_run(5), detectors).findings[0].message)\n"
        "from deepdebug.cli.main import main\n"
        "import sys; sys.argv = ['deepdebug', 'explain', 'DD901']; main()\n",
    )
    assert "5 epochs were run" in result.stdout
    assert "Counts epochs." in result.stdout


def test_entry_that_names_no_detector_is_left_out(tmp_path):
    install(tmp_path, "budget_detector:dataclass")
    result = run_python(tmp_path, "from deepdebug.detectors import all_rules; print(len(all_rules()))")
    assert int(result.stdout) > 30
    assert "cannot be used" in result.stderr


def test_detector_with_a_code_of_ours_is_left_out(tmp_path):
    install(tmp_path, "budget_detector:TooManyEpochs")
    (tmp_path / "budget_detector.py").write_text(DETECTOR.replace("DD901", "DD101"))
    result = run_python(tmp_path, "from deepdebug.detectors import find_rule; print(find_rule('DD101').symptom)")
    assert result.stdout.strip() == "dead-units"
    assert "its code DD101 is taken" in result.stderr


def test_detector_that_cannot_be_loaded_is_left_out_with_a_warning(tmp_path):
    install(tmp_path, "missing_module:Nothing")
    result = run_python(tmp_path, "from deepdebug.detectors import all_rules; print(len(all_rules()))")
    assert int(result.stdout) > 30
    assert "missing_module:Nothing" in result.stderr
