"""The command with the real presets, in a process of its own as users run it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("preset", ["default", "deepdiagnosis"])
def test_healthy_run_is_judged_without_loading_keras_or_a_window_system(recorded, preset):
    program = (
        "import sys; from deepdebug.cli.main import main\n"
        "try: main()\n"
        "finally: print({'keras', 'matplotlib.pyplot'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "diagnose", recorded(3), "--preset", preset, "--format", "json"],
        capture_output=True, text=True, check=False, env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stderr == "set()\n"
    report = json.loads(done.stdout)
    assert (report["preset"], report["findings"], done.returncode) == (preset, [], 0)
    assert len(report["checks"]["judged"]) > 10
