import contextlib
import io
import json
import time

import pytest

pytest.importorskip("psutil")

from benchmarks import overhead
from benchmarks.turns import in_turns


@pytest.fixture(scope="module")
def small_run(tmp_path_factory):
    """The benchmark in small: what it wrote and what it printed."""
    file = tmp_path_factory.mktemp("overhead") / "overhead.json"
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        overhead.main(["--repeats", "1", "--epochs", "7", "--rows", "1500", "--long", "50", "--json", str(file)])
    return json.loads(file.read_text()), printed.getvalue()


@pytest.mark.slow
def test_every_number_is_given(small_run):
    found, printed = small_run
    assert [row["callback"] for row in found["rows"]] == list(overhead.CALLBACKS) * 2
    for row in found["rows"]:
        assert row["seconds"][0] > 0
        assert row["callback"] != "none" or (row["ratios"], row["added"], row["setup"]) == ([1.0], [0.0], [0.0])
    assert found["long"]["epochs"] == 50
    assert all(name in printed for name in overhead.CALLBACKS)
    assert "memory grew by" in printed


@pytest.mark.slow
def test_watching_stays_cheap(small_run):
    """Some times what the full benchmark aims at, because its epochs are longer and nothing runs beside it."""
    small, large = (row for row in small_run[0]["rows"] if row["callback"] == "Diagnose()")
    assert small["added"][0] <= 3 * 8
    assert large["ratios"][0] <= 1.25
    assert large["setup"][0] <= 3 * 1


@pytest.mark.slow
def test_neither_cost_nor_memory_grows(small_run):
    long = small_run[0]["long"]
    assert long["late"] - long["early"] <= 8
    assert long["growth"] < 20


def test_waiting_for_the_others_is_no_time_of_an_epoch():
    def train(turn):
        clock = overhead.Clock(turn)
        for epoch in range(3):
            time.sleep(0.01)
            clock.on_epoch_end(epoch)
        return clock

    quick, _ = in_turns([train, lambda turn: time.sleep(0.5)])
    assert max(quick.seconds) < 0.4
