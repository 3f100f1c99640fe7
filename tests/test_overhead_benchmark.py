import json
import time

import pytest

pytest.importorskip("psutil")

from benchmarks import overhead
from benchmarks.turns import in_turns


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
    assert all(isinstance(found["long"][name], float) for name in ("early", "late", "growth", "growth_plain"))
    printed = capsys.readouterr().out
    assert all(name in printed for name in overhead.CALLBACKS)
    assert "memory grew by" in printed


@pytest.mark.slow
def test_watching_stays_cheap(tmp_path):
    """Three times what `python -m benchmarks.overhead` aims at, because other tests run beside this one."""
    file = tmp_path / "overhead.json"
    overhead.main(["--repeats", "1", "--epochs", "12", "--rows", "3000", "--long", "60", "--json", str(file)])
    found = json.loads(file.read_text())
    small, large = (row for row in found["rows"] if row["callback"] == "Diagnose()")
    assert small["added"][0] <= 3 * 8
    assert large["ratios"][0] <= 1 + 3 * 0.03
    assert found["long"]["late"] - found["long"]["early"] <= 8
    assert found["long"]["growth"] < 20


def test_waiting_for_the_others_is_no_time_of_an_epoch():
    def train(turn):
        clock = overhead.Clock(turn)
        for epoch in range(3):
            time.sleep(0.01)
            clock.on_epoch_end(epoch)
        return clock

    quick, _ = in_turns([train, lambda turn: time.sleep(0.5)])
    assert max(quick.seconds) < 0.4
