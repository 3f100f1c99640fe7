"""The benchmark of HUDD's first research question runs from a task to tables, and goes on where it was stopped."""

import json

import pytest

from benchmarks.hudd import __main__ as benchmark
from benchmarks.hudd import arms
from benchmarks.hudd.jobs import Request, kept, to_do
from tests.benchmarks.fake_data import write_digits


def test_only_results_of_the_same_size_with_all_arms_count(tmp_path):
    asked = Request("fast", ("Z",), tmp_path, tmp_path)
    assert to_do(["GD", "OC"], [0, 1], asked) == [("GD", 0), ("OC", 0), ("GD", 1), ("OC", 1)]
    path = asked.path("GD", 0)
    for content in ("", "{", json.dumps({"size": "full", "arms": ["Z"]}), json.dumps({"size": "fast", "arms": []})):
        path.write_text(content)
        assert kept("GD", 0, asked) is None
    path.write_text(json.dumps({"size": "fast", "arms": ["pairs", "Z"]}))
    assert to_do(["GD"], [0, 1], asked) == [("GD", 1)]


@pytest.mark.slow
def test_digits_from_training_to_tables(tmp_path, capsys):
    pytest.importorskip("tensorflow")
    write_digits(tmp_path)
    summary = tmp_path / "summary.json"
    command = ["rq1", "--size", "tiny", "--families", "MNIST", "--seeds", "0", "0", "--data", str(tmp_path)]
    command += ["--workers", "1", "--json", str(summary), "--arms", "mode hudd", "Z", "layers", "F", "pairs", "random"]
    assert benchmark.main(command) == 0
    printed = capsys.readouterr()
    assert "Targets" in printed.out
    assert "1 jobs done" in printed.err
    found = json.loads(summary.read_text())
    arms = found["families"]["MNIST"]["arms"]
    assert {"mode hudd", "Z", "layer 1", "layer 4", "F", "pairs", "random"} <= arms.keys()
    assert arms["Z"]["ami"][0] > arms["random"]["ami"][0] + 0.2
    line = json.loads((tmp_path / "results" / "rq1-tiny" / "MNIST-0.json").read_text())
    assert len(line["results"][0]["labels"]) == line["clustered"] == len(line["truth"]) <= 120
    assert benchmark.main([*command, "--markdown"]) == 0
    printed = capsys.readouterr()
    assert "0 jobs done" in printed.err
    assert "| Z |" in printed.out


def test_arms_whose_packages_are_missing_are_left_out_and_made_up_for_later(tmp_path, monkeypatch):
    asked = Request("fast", ("Z", "F+I"), tmp_path, tmp_path)
    monkeypatch.setattr(arms.embedding, "missing", lambda: ["torch"])
    assert arms.unavailable()["embedding"] == "not installed: torch"
    assert arms.possible(asked.arms) == ["Z"]
    asked.path("GD", 0).write_text(json.dumps({"size": "fast", "arms": ["Z"]}))
    assert to_do(["GD"], [0], asked) == []
    monkeypatch.setattr(arms.embedding, "missing", list)
    assert to_do(["GD"], [0], asked) == [("GD", 0)]
