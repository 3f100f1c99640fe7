"""The command on a case whose causes of failures can be read by eye."""

import os
import re

import numpy as np
import pytest

from deepdebug.cli.main import app
from deepdebug.errors import UsageError
from deepdebug.hudd import opening, steps
from tests.hudd.bright import images, write_case

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return write_case(tmp_path_factory.mktemp("made") / "case")


@pytest.fixture
def hudd(runner, made, tmp_path):
    """Return a function that runs a command on the case, with results in `T`."""

    def run(name, *arguments, case=made):
        return runner.invoke(app, ["hudd", name, str(case), "--out", str(tmp_path / "T"), *map(str, arguments)])

    return run


def test_run_tells_every_step_and_where_the_page_is(hudd, tmp_path):
    result = hudd("run")
    assert result.exit_code == 0, result.output
    assert "TestSet            60 images,      40 failing (66.7%)" in result.stdout
    assert "Heatmaps of the failures (40) at conv1, conv2" in result.stdout
    assert "stripe" in result.stdout
    assert f"The page to read is {tmp_path / 'T' / 'report.html'}" in result.stdout
    assert (tmp_path / "T" / "report.html").is_file()


@pytest.mark.parametrize(
    ("name", "made_files"),
    [
        ("test", {"testResult.csv", "testResult.json", "trainResult.csv", "trainResult.json"}),
        ("heatmaps", {"Heatmaps"}),
        ("cluster", {"ClusterAnalysis", "LayerAll"}),
    ],
)
def test_each_step_alone_brings_the_case_up_to_it(hudd, tmp_path, name, made_files):
    assert hudd(name).exit_code == 0
    found = {one.name for one in (tmp_path / "T").iterdir()}
    assert made_files <= found
    assert "report.html" not in found
    assert ("Heatmaps" in found) == (name != "test")


def test_report_writes_the_page_about_the_groups_as_they_are(hudd, tmp_path, runner, made):
    assert "Run `deepdebug hudd cluster` first" in str(hudd("report").exception)
    assert hudd("run", "--k", "5").exit_code == 0
    before = {path: path.read_bytes() for path in (tmp_path / "T").rglob("*") if path.is_file()}
    (tmp_path / "T" / "report.html").unlink()
    assert hudd("report").exit_code == 0
    assert {path: path.read_bytes() for path in (tmp_path / "T").rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    "option", ["--normalise", "--linkage", "--slicer", "--target", "--dtype", "--heatmaps", "--export"]
)
def test_words_that_an_option_does_not_know_are_refused_at_once(hudd, option):
    result = hudd("run", option, "best")
    assert result.exit_code == 2
    assert "'best' is not one of" in result.stderr


def test_until_ends_a_run_early(hudd, tmp_path):
    assert hudd("run", "--until", "heatmaps").exit_code == 0
    assert not (tmp_path / "T" / "ClusterAnalysis").exists()


def test_model_without_failures_is_no_error_and_leaves_no_page_of_before(hudd, tmp_path):
    assert hudd("run").exit_code == 0
    result = hudd("run", "--failures", "loss>1000000")
    assert result.exit_code == 0
    assert "fails on none of the images of the TestSet" in result.stdout
    assert not (tmp_path / "T" / "report.html").exists()
    assert not (tmp_path / "T" / "LayerAll").exists()


def test_results_lie_in_the_case_where_nothing_is_said(runner, tmp_path):
    case = write_case(tmp_path / "case", count=12)
    assert runner.invoke(app, ["hudd", "test", str(case)]).exit_code == 0
    assert (case / "T" / "testResult.csv").is_file()


def test_options_reach_the_steps(hudd, monkeypatch):
    seen = []

    def note(request):
        seen.append(request)
        raise UsageError("that will do")

    monkeypatch.setattr(opening, "open_case", note)
    hudd(
        *("run", "--model", "bright", "--failures", "loss>2", "--layers", "conv1, conv2", "--rule", "epsilon-plus"),
        *(
            "--mode",
            "hudd",
            "--k",
            "7",
            "--detail",
            "fine",
            "--linkage",
            "average",
            "--slicer",
            "kmeans",
            "--seed",
            "3",
        ),
        *("--normalise", "l2", "--dtype", "float16", "--summed", "--target", "largest", "--xlsx", "--export", "npy"),
        *(
            "--views",
            "relevance,hidden",
            "--heatmaps",
            "sketch",
            "--size",
            "12x12",
            "--scale",
            "1/255",
            "--batch-size",
            "8",
        ),
    )
    request = seen[0]
    assert (request.model, request.layers, request.rules) == ("bright", ("conv1", "conv2"), "epsilon-plus")
    assert (request.failures.kind, request.failures.value) == ("loss", 2.0)
    clustering = request.clustering
    assert (clustering.mode, clustering.k, clustering.detail, clustering.linkage) == ("hudd", 7, "fine", "average")
    assert (clustering.slicer, clustering.seed) == ("kmeans", 3)
    assert (request.normalise, request.dtype, request.summed, request.target) == ("l2", "float16", True, "largest")
    assert (request.views, request.storage) == (("relevance", "hidden"), "sketch")
    assert (request.exports, request.batch_size) == (("npy", "xlsx"), 8)
    assert (request.preprocessing.size, request.preprocessing.scale) == ((12, 12), 1 / 255)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--model", "other"), "has no model 'other'"),
        (("--failures", "loud"), "`--failures` got 'loud'"),
        (("--layers", "none"), "`--layers` got none"),
        (("--rule", "none"), "none"),
        (("--mode", "hudd", "--k", "3"), "decides by itself on `k`; got 3"),
        (("--embedding", "none.npy"), "cannot be read"),
        (("--k", "1000"), "`k` is 1000"),
        (("--views", "none"), "`views` got 'none'"),
        (("--views", "hidden", "--mode", "hudd"), "takes relevance alone"),
        (("--size", "5x5", "--colour", "rgb"), "5x5|channels|rgb|colour"),
    ],
)
def test_what_cannot_be_used_is_told(hudd, arguments, said):
    result = hudd("run", *arguments)
    assert isinstance(result.exception, UsageError)
    assert re.search(said, str(result.exception))


def test_folder_that_is_no_case_is_told(hudd, tmp_path):
    result = hudd("run", case=tmp_path)
    assert "is no case" in str(result.exception)


def test_results_are_not_put_among_the_images_or_over_a_file(runner, made, tmp_path):
    inside = runner.invoke(app, ["hudd", "run", str(made), "--out", str(made / "DataSets" / "TestSet")])
    assert "lies in DataSets of the case" in str(inside.exception)
    (tmp_path / "file").touch()
    over = runner.invoke(app, ["hudd", "run", str(made), "--out", str(tmp_path / "file")])
    assert "which is a file" in str(over.exception)


def test_interrupted_run_says_that_the_command_goes_on(hudd, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(steps, "heatmap_step", interrupt)
    result = hudd("run")
    assert result.exit_code == 130
    assert "the same command goes on" in result.stderr


def test_images_that_cannot_be_read_are_told_and_left_out(runner, tmp_path):
    case = write_case(tmp_path / "case")
    (case / "DataSets" / "TestSet" / "dark" / "001.png").write_bytes(b"no image")
    result = runner.invoke(app, ["hudd", "run", str(case)])
    assert result.exit_code == 0
    assert "left out dark/001.png" in result.stderr


def test_odd_names_stay_inside_the_results(runner, tmp_path):
    case = write_case(tmp_path / "case")
    folder = case / "DataSets" / "TestSet" / "dark"
    odd = ["..png.png", "a b'\"&<x>.png", "ü\N{RIGHT-TO-LEFT OVERRIDE}.png"]
    for name, new in zip(sorted(one.name for one in folder.iterdir())[:3], odd, strict=True):
        (folder / name).rename(folder / new)
    (case / "DataSets" / "TestSet" / "parameters.csv").unlink()
    before = {path for path in tmp_path.rglob("*") if (case / "T") not in path.parents}
    result = runner.invoke(app, ["hudd", "run", str(case)])
    assert result.exit_code == 0, result.output
    after = {path for path in tmp_path.rglob("*") if (case / "T") not in path.parents}
    assert after - before == {case / "T"}
    assert "<x>" not in (case / "T" / "report.html").read_text()


def test_steps_alone_do_not_ask_where_to_end(runner):
    assert "--until" in runner.invoke(app, ["hudd", "run", "--help"]).stdout
    assert "--until" not in runner.invoke(app, ["hudd", "cluster", "--help"]).stdout


@pytest.mark.parametrize("name", ["run", "test", "heatmaps", "cluster"])
def test_help_teaches(runner, name):
    result = runner.invoke(app, ["hudd", name, "--help"])
    assert result.exit_code == 0
    assert "\\b" not in result.stdout
    for said in ("CASE holds:", "DNNModels/NAME.keras", "report.html", "Example", "Exit codes:"):
        assert said in result.stdout


def test_full_disk_is_told(hudd, monkeypatch):
    real = os.replace

    def full(self, target):
        if str(target).endswith("report.html"):
            raise OSError(28, "No space left on device")
        return real(self, target)

    monkeypatch.setattr("pathlib.Path.replace", full)
    result = hudd("run")
    assert isinstance(result.exception, UsageError)
    assert "No space left" in str(result.exception)


def test_arrays_of_images_are_a_case_too(runner, tmp_path):
    case = write_case(tmp_path / "case", parts=())
    x, label, cause = images()
    folder = case / "DataSets" / "TestSet"
    folder.mkdir(parents=True)
    np.savez(folder / "set.npz", images=np.rint(x * 255).astype("uint8"), labels=label)
    (folder / "parameters.csv").write_text("image,stripe\n" + "".join(f"{n:06d},{c}\n" for n, c in enumerate(cause)))
    result = runner.invoke(app, ["hudd", "run", str(case)])
    assert result.exit_code == 0, result.exception
    assert len(list((case / "T" / "LayerAll" / "1").glob("*.png"))) == 20
