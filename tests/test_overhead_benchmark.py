import json

import pytest

pytest.importorskip("psutil")

from benchmarks import overhead


@pytest.mark.slow
def test_small_run_gives_every_number(tmp_path, capsys):
    file = tmp_path / "overhead.json"
    overhead.main(["--repeats", "1", "--epochs", "3", "--rows", "32", "--long", "26", "--json", str(file)])
    found = json.loads(file.read_text())
    assert [row["callback"] for row in found["rows"]] == list(overhead.CALLBACKS) * 2
    for row in found["rows"]:
        assert row["seconds"][0] > 0
        assert row["callback"] != "none" or (row["ratios"], row["added"], row["setup"]) == ([1.0], [0.0], [0.0])
    assert found["long"]["epochs"] == 26
    assert all(found["long"][name] > 0 for name in ("early", "early_plain", "late", "late_plain"))
    printed = capsys.readouterr().out
    assert all(name in printed for name in overhead.CALLBACKS)
    assert "memory grew by" in printed


def test_time_of_an_epoch_leaves_the_first_one_out():
    clock = overhead.Clock()
    clock.ends = [0.0, 5.0, 6.0, 7.5, 8.0]
    assert clock.steady == 1.0
