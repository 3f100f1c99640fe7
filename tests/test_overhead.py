"""The overhead benchmark runs and says what it promises; its timings are not judged here."""

import json

import pytest

pytest.importorskip("keras")
pytest.importorskip("tensorboard")

from benchmarks import overhead

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def test_benchmark_compares_every_callback_on_both_trainings(tmp_path, capsys):
    found = tmp_path / "overhead.json"
    overhead.main(["--repeats", "1", "--epochs", "2", "--rows", "64", "--long", "30", "--json", str(found)])
    results = json.loads(found.read_text())
    assert {row["callback"] for row in results["rows"]} == set(overhead.CALLBACKS)
    assert len(results["rows"]) == 2 * len(overhead.CALLBACKS)
    assert all(len(row["seconds"]) == 1 for row in results["rows"])
    assert results["long"]["epochs"] == 30
    assert "Diagnose()" in capsys.readouterr().out
