"""The commands that choose images, retrain and compare, in processes of their own as users run them."""

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deepdebug.cli.main import app
from deepdebug.errors import UsageError
from tests.hudd.bright import write_case
from tests.retraining.unlabelled import fill, without_labels

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
PARTS = ("TrainingSet", "TestSet", "ImprovementSet")
QUICK = ("--epochs", "2", "--batch-size", "16")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return write_case(tmp_path_factory.mktemp("made") / "case", parts=PARTS)


@pytest.fixture(scope="module")
def improved(made, tmp_path_factory):
    """The results of a whole run: all steps, two arms, two runs, one after the other."""
    out = tmp_path_factory.mktemp("improved") / "T"
    done = command("retrain", made, out, "--mode", "HUDD", "--mode", "BL2", "--runs", "2", *QUICK)
    assert done.returncode == 0, done.stderr
    return out, done.stdout


def environment():
    return {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}


def words(name, case, out, *options):
    return [sys.executable, "-m", "deepdebug", "hudd", name, str(case), *options, "--out", str(out)]


def command(name, case, out, *options):
    return subprocess.run(
        words(name, case, out, *options), capture_output=True, text=True, env=environment(), check=False
    )


def results(folder):
    """Return the content of every result, but for what tells the time."""
    found = {path.relative_to(folder): path for path in sorted(folder.rglob("*")) if path.is_file()}
    timed = ("record.json", "summary.json", "report.html", "observations.jsonl", "report.json")
    kept = {name: path for name, path in found.items() if name.name not in timed and not name.name.endswith(".tmp")}
    return {str(name): path.read_bytes() for name, path in kept.items()}


def test_retrain_tells_what_it_brought_and_where_it_lies(improved):
    out, told = improved
    assert "With 12 new labels, HUDD gets" in told
    assert [line.split()[:3] for line in told.splitlines() if line.startswith(("HUDD ", "BL2 "))] == [
        ["HUDD", "2", "12"],
        ["BL2", "2", "12"],
    ]
    assert f"The page to read is {out / 'report.html'}" in told
    assert len(list((out / "DNNModels").glob("*.keras"))) == 4
    assert "What retraining brought" in (out / "report.html").read_text()


def test_assign_tells_how_many_images_each_cluster_has(runner, made, improved):
    out, _ = improved
    done = runner.invoke(app, ["hudd", "assign", str(made), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "Unsafe set: 12 of 60 images of the ImprovementSet" in done.stdout
    assert [line.split() for line in done.stdout.splitlines() if line[:1].isdigit()] == [
        ["1", "20", "6", "6"],
        ["2", "20", "6", "6"],
    ]
    assert f"Next: deepdebug hudd retrain {made} --out {out}\n" in done.stdout


def test_compare_tells_which_errors_vanished(runner, made, improved):
    out, _ = improved
    model = next((out / "DNNModels").glob("HUDD_01_*.keras"))
    done = runner.invoke(app, ["hudd", "compare", str(made), "bright", model.stem, "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert "all images" in done.stdout
    assert "cluster 2" in done.stdout
    with (out / "comparison.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["image", "change", "expected", "bright", model.stem]
    whole = next(line.split() for line in done.stdout.splitlines() if line.startswith("all images"))
    assert len(rows) - 1 == int(whole[-3]) + int(whole[-2])


def test_compare_refuses_a_model_that_is_not_there(runner, made, improved):
    done = runner.invoke(app, ["hudd", "compare", str(made), "bright", "better", "--out", str(improved[0])])
    assert isinstance(done.exception, UsageError)
    assert "There is no model 'better'; expected a file, or one of BL2_01_" in str(done.exception)


def test_compare_refuses_a_case_that_is_not_there(runner, tmp_path):
    done = runner.invoke(app, ["hudd", "compare", str(tmp_path / "none"), "bright", "better"])
    assert isinstance(done.exception, UsageError)
    assert "There is no folder" in str(done.exception)


def test_workers_and_dask_give_the_same_numbers(made, improved, tmp_path):
    arms = ("--mode", "HUDD", "--mode", "BL2", "--runs", "2", *QUICK)
    wanted = results(improved[0])
    wanted.pop("comparison.csv", None)
    for place, options in enumerate((("--workers", "2"), ("--engine", "dask", "--workers", "2"))):
        done = command("retrain", made, tmp_path / f"{place}", *arms, *options)
        assert done.returncode == 0, done.stderr
        assert results(tmp_path / f"{place}") == wanted


def test_run_that_is_killed_again_and_again_ends_with_the_same_files(made, improved, tmp_path):
    out = tmp_path / "T"
    arms = ("--mode", "HUDD", "--mode", "BL2", "--runs", "2", *QUICK)
    moments = ("Improvement/seen-*.npz", "Improvement/near-*.npz", "UnsafeSet/unsafe.csv",
               "Retraining/HUDD_01/diagnosis", "DNNModels/HUDD_01_*.keras")  # fmt: skip
    for moment in moments:
        assert not list(out.glob(moment))
        kill_at(made, out, arms, moment)
    done = command("retrain", made, out, *arms)
    assert done.returncode == 0, done.stderr
    wanted = results(improved[0])
    wanted.pop("comparison.csv", None)
    assert results(out) == wanted


def kill_at(case, out, arms, moment):
    """Begin a run and kill it, and all processes that it began, as soon as a file or folder is there."""
    running = subprocess.Popen(
        words("retrain", case, out, *arms),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment(), start_new_session=True,
    )  # fmt: skip
    try:
        while not list(out.glob(moment)):
            assert running.poll() is None, f"it ended before {moment} was there"
            time.sleep(0.02)
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()


def test_whole_method_in_one_command(made, tmp_path):
    case = tmp_path / "case"
    shutil.copytree(made, case)
    done = command("run", case, tmp_path / "T", "--mode", "HUDD")
    assert done.returncode == 0, done.stderr
    assert "With 12 new labels, HUDD gets" in done.stdout


def test_retrain_chooses_as_assign_did(runner, made, tmp_path):
    out = tmp_path / "T"
    done = runner.invoke(app, ["hudd", "assign", str(made), "--out", str(out), "--factor", "0.1"])
    assert "Unsafe set: 4 of 60" in done.stdout, done.output
    before = (out / "UnsafeSet" / "unsafe.csv").read_bytes()
    done = command("retrain", made, out, *QUICK)
    assert "With 4 new labels" in done.stdout, done.stderr
    assert (out / "UnsafeSet" / "unsafe.csv").read_bytes() == before


def test_whole_method_without_labels_ends_with_what_to_fill_in(runner, made, tmp_path):
    case, out = tmp_path / "a case", tmp_path / "T"
    shutil.copytree(made, case)
    without_labels(case)
    done = runner.invoke(app, ["hudd", "run", str(case), "--mode", "HUDD", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert (out / "report.html").is_file()
    assert "TestSet            60 images" in done.stdout
    assert f"Fill in {out}/UnsafeSet/to_label.csv (0 of 12 labels are there), then:" in done.stdout
    words = f"  deepdebug hudd retrain '{case}' --out {out} --labels {out}/UnsafeSet/to_label.csv\n"
    assert words in done.stdout
    fill(out)
    done = runner.invoke(app, ["hudd", "assign", str(case), "--out", str(out)])
    assert f"Next:{words[1:]}" in done.stdout


def test_what_was_found_is_told_where_a_later_step_cannot_be_done(runner, made, tmp_path):
    case = tmp_path / "case"
    shutil.copytree(made, case)
    shutil.rmtree(case / "DataSets" / "ImprovementSet")
    done = runner.invoke(app, ["hudd", "run", str(case), "--mode", "HUDD"])
    assert isinstance(done.exception, UsageError)
    assert "TestSet            60 images" in done.stdout
    assert (case / "T" / "report.html").is_file()


@pytest.mark.parametrize(("option", "value"), [("--labels", "none.csv"), ("--optimizer", "best")])
def test_wrong_names_are_told_before_any_work(runner, made, tmp_path, option, value):
    done = runner.invoke(app, ["hudd", "retrain", str(made), "--out", str(tmp_path / "T"), option, value])
    assert isinstance(done.exception, UsageError)
    assert value in str(done.exception)
    assert not (tmp_path / "T").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--scheduler", "tcp://127.0.0.1:1"), "pass `--engine dask` as well"),
        (("--labels", "none.csv"), "The labels 'none.csv' cannot be read"),
        (("--optimizer", "best"), "`--optimizer` got 'best', which Keras does not know"),
    ],
)
def test_wrong_use_is_told(made, improved, options, message):
    done = command("retrain", made, improved[0], *options)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_dask_scheduler_that_does_not_answer_is_told(made, tmp_path):
    done = command("assign", made, tmp_path / "T", "--engine", "dask", "--scheduler", "tcp://127.0.0.1:9")
    assert done.returncode == 2
    assert "No Dask scheduler answers at 'tcp://127.0.0.1:9'" in done.stderr
