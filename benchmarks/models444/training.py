"""Trains one model under `Diagnose` and says what came of it; loads Keras, so it runs in a process of its own."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import keras

from benchmarks.models444.build import build
from benchmarks.models444.data import SIZES, Data
from benchmarks.models444.job import Request
from benchmarks.models444.judging import BASELINE, DEFAULT, judged, keep, said
from benchmarks.models444.manifest import Row
from benchmarks.models444.preparing import prepared
from deepdebug import Diagnose
from deepdebug.recording_reader import read_recording

TIMED = 8  # epochs that are trained without `Diagnose` as well, to compare the time; the first one compiles


class Clock(keras.callbacks.Callback):  # type: ignore[misc]
    """Notes when each epoch ends, with all that callbacks do at its end; stands first in the list of callbacks."""

    def __init__(self) -> None:
        super().__init__()
        self.starts: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Note the time; called by Keras."""
        self.starts.append(time.perf_counter())


@dataclass(frozen=True, slots=True)
class Timed:
    """How long a training took.

    Args:
        whole: Seconds of all of `fit`.
        ends: Seconds from its beginning to the end of each epoch; the first one is that of the set-up.
    """

    whole: float
    ends: tuple[float, ...]


def train(row: Row, request: Request) -> Mapping[str, Any]:
    """Train the model of a row and return what came of it; everything observed is written beside it.

    A short training without `Diagnose` gives the time to compare with; of every second model it comes first.

    Args:
        row: The row.
        request: What is asked.
    """
    data = prepared(row.data, row.prepared, SIZES[request.size], request.data)
    short = replace(row, epochs=min(TIMED, row.epochs))
    is_first = row.seed % 2 == 0
    if is_first:
        _, plain = _fit(short, request, data)
    with tempfile.TemporaryDirectory() as folder:
        doctor = Diagnose(verbose=0, log_dir=folder)
        history, watched = _fit(row, request, data, doctor)
        recording = read_recording(folder)
        verdicts = {DEFAULT: said(doctor.report, recording), **judged(Path(folder), (BASELINE,))}
        keep(Path(folder), request.recording(row))
    if not is_first:
        _, plain = _fit(short, request, data)
    return {
        "history": {name: history[name] for name in history if name != "deepdebug_findings"},
        "seconds": {
            "plain": _middle(plain, len(plain.ends)),
            "watched": _middle(watched, len(plain.ends)),
            "whole": watched.whole,
            "deepdebug": doctor.report.seconds,
            "ends": [round(one, 3) for one in watched.ends],
        },
        "verdicts": verdicts,
    }


def _fit(
    row: Row, request: Request, data: Data, *callbacks: keras.callbacks.Callback
) -> tuple[Mapping[str, list[float]], Timed]:
    keras.utils.set_random_seed(row.seed + 1000 * request.repeat)
    model, clock = build(row), Clock()
    start = time.perf_counter()
    found: Mapping[str, list[float]] = model.fit(
        data.x,
        data.y,
        batch_size=row.batch_size or len(data.x),
        epochs=row.epochs,
        validation_data=data.validation,
        callbacks=[clock, *callbacks],
        verbose=0,
    ).history
    end = time.perf_counter()
    return found, Timed(end - start, tuple(one - start for one in (*clock.starts, end)))


def _middle(timed: Timed, count: int) -> float | None:
    """Return the median seconds of the first epochs, without the very first, which compiles."""
    seconds = [after - before for before, after in pairwise(timed.ends[:count])]
    return statistics.median(seconds[1:]) if len(seconds) > 1 else None
