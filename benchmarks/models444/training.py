"""Trains one model under `Diagnose` and says what came of it; loads Keras, so it runs in a process of its own."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict
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

TIMED = 8  # epochs that are trained without `Diagnose` as well, to compare the time; the first one compiles


class Clock(keras.callbacks.Callback):  # type: ignore[misc]
    """Notes how long each epoch takes, with all that callbacks do at its end; stands first in the list of callbacks."""

    def __init__(self) -> None:
        super().__init__()
        self._starts: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Note the time; called by Keras."""
        self._starts.append(time.perf_counter())

    def on_train_end(self, logs: Any = None) -> None:
        """Note the time; called by Keras."""
        self._starts.append(time.perf_counter())

    @property
    def seconds(self) -> list[float]:
        """Seconds of each epoch."""
        return [after - before for before, after in zip(self._starts, self._starts[1:], strict=False)]


def train(row: Row, request: Request) -> Mapping[str, Any]:
    """Train the model of a row and return what came of it; everything observed is written beside it.

    Args:
        row: The row.
        request: What is asked.
    """
    data = prepared(row.data, row.prepared, SIZES[request.size], request.data)
    plain = Clock()
    _fit(row, request, data, min(TIMED, row.epochs), [plain])
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        doctor = Diagnose(verbose=0, log_dir=folder)
        history = _fit(row, request, data, row.epochs, [clock, doctor])
        verdicts = {DEFAULT: said(doctor.report), **judged(Path(folder), (BASELINE,))}
        keep(Path(folder), request.recording(row))
    return {
        "history": {name: history[name] for name in history if name != "deepdebug_findings"},
        "seconds": {
            "plain": _middle(plain.seconds),
            "watched": _middle(clock.seconds[: len(plain.seconds)]),
            "whole": sum(clock.seconds),
            "deepdebug": doctor.report.seconds,
        },
        "verdicts": verdicts,
        "failed": [asdict(one) for one in doctor.report.skipped if "failed" in one.reason],
    }


def _fit(
    row: Row, request: Request, data: Data, epochs: int, callbacks: list[keras.callbacks.Callback]
) -> Mapping[str, list[float]]:
    keras.utils.set_random_seed(row.seed + 1000 * request.repeat)
    model = build(row)
    found: Mapping[str, list[float]] = model.fit(
        data.x,
        data.y,
        batch_size=row.batch_size or len(data.x),
        epochs=epochs,
        validation_data=data.validation,
        callbacks=callbacks,
        verbose=0,
    ).history
    return found


def _middle(seconds: list[float]) -> float | None:
    """Return the median without the first epoch, which compiles."""
    return statistics.median(seconds[1:]) if len(seconds) > 1 else None
