import contextlib
import io
import json
import time

import numpy as np
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
        overhead.main(["--repeats", "1", "--epochs", "3", "--rows", "32", "--long", "50", "--json", str(file)])
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


def paired(work, epochs):
    """Return processor seconds per epoch without and with `Diagnose`, without the first epoch."""
    plain, watched = overhead.run(work, ["none", "Diagnose()"], epochs)
    return np.array(plain.cpu[1:]), np.array(watched.cpu[1:])


@pytest.mark.slow
def test_watching_a_small_network_stays_cheap_and_the_cost_does_not_grow():
    plain, watched = paired(overhead.Work("", overhead.mlp, overhead.blobs(), 0), epochs=50)
    added = 1000 * (watched - plain)
    assert np.median(added) <= 3 * 8  # three times the aim of the full benchmark, for slow machines
    assert np.median(added[-15:]) - np.median(added[:15]) <= 8


@pytest.mark.slow
def test_watching_a_convolutional_network_stays_cheap():
    plain, watched = paired(overhead.Work("", overhead.cnn, overhead.images(1500), 0), epochs=7)
    assert np.median(watched / plain) <= 1.25  # an epoch here is a third of that of the full benchmark


@pytest.mark.slow
def test_memory_does_not_grow(small_run):
    assert small_run[0]["long"]["growth"] < 20


def test_waiting_for_the_others_is_no_time_of_an_epoch():
    def train(turn):
        clock = overhead.Clock(turn)
        for epoch in range(3):
            time.sleep(0.01)
            clock.on_epoch_end(epoch)
        return clock

    quick, _ = in_turns([train, lambda turn: time.sleep(0.5)])
    assert max(quick.seconds) < 0.4
