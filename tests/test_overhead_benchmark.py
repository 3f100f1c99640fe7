import contextlib
import functools
import io
import json
from types import SimpleNamespace

import keras
import numpy as np
import pytest

pytest.importorskip("psutil")

from benchmarks import overhead
from benchmarks.turns import in_turns
from deepdebug import Diagnose
from deepdebug.model.observer import Observer
from tests.work import Work


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


def watch(work, epochs, monkeypatch):
    """Train under `Diagnose`; return, for each look at the model, the calls of its epoch's check and its rows."""
    calls, rows = [], []
    observe = Observer.observe

    class Counted(Diagnose):
        def on_epoch_end(self, epoch, logs=None):
            looks = len(rows)
            with Work() as counted:
                super().on_epoch_end(epoch, logs)
            calls.extend([counted.calls] * (len(rows) > looks))

    def looked(self, epoch, trigger, logs, sample):
        rows.append(sample.rows)
        return observe(self, epoch, trigger, logs, sample)

    monkeypatch.setattr(Observer, "observe", looked)
    keras.utils.set_random_seed(overhead.SEED)
    work.build().fit(*work.data, batch_size=overhead.BATCH, epochs=epochs, verbose=0, callbacks=[Counted(verbose=0)])
    return np.array(calls), np.array(rows)


@pytest.mark.slow
def test_watching_a_small_network_stays_cheap_and_the_cost_does_not_grow(monkeypatch):
    calls, _ = watch(overhead.Work("", overhead.mlp, overhead.blobs(), 0), 80, monkeypatch)
    assert len(calls) >= 40
    assert np.median(calls) <= 12_000  # 8,000 to 10,400 when this was written
    assert np.median(calls[-10:]) <= 1.1 * np.median(calls[10:20])


@pytest.mark.slow
def test_watching_a_convolutional_network_stays_cheap(monkeypatch):
    _, rows = watch(overhead.Work("", overhead.cnn, overhead.images(5000), 0), 5, monkeypatch)
    assert len(rows) >= 5
    assert rows.sum() <= 0.01 * 5 * 5000


@pytest.mark.slow
def test_memory_does_not_grow(small_run):
    assert small_run[0]["long"]["growth"] < 20


def test_waiting_for_the_others_is_no_time_of_an_epoch(monkeypatch):
    now = 0.0
    monkeypatch.setattr(overhead, "time", SimpleNamespace(perf_counter=lambda: now))

    def train(turn, seconds):
        nonlocal now
        clock = overhead.Clock(turn)
        for epoch in range(3):
            now += seconds
            clock.on_epoch_end(epoch)
        return clock

    quick, slow = in_turns([functools.partial(train, seconds=seconds) for seconds in (1.0, 100.0)])
    assert (quick.seconds, slow.seconds) == ([1.0] * 3, [100.0] * 3)
