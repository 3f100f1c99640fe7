"""Trains one model under `Diagnose` and says what came of it; loads Keras, so it runs in a process of its own."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import keras

from benchmarks.models444.build import build
from benchmarks.models444.data import SIZES, Data
from benchmarks.models444.doctors import doctors, verdicts
from benchmarks.models444.job import Request
from benchmarks.models444.manifest import Row
from benchmarks.models444.preparing import prepared

TIMED = 4  # epochs that are trained without `Diagnose` as well, to compare the time; the first one compiles


class Aside(keras.callbacks.Callback):  # type: ignore[misc]
    """Hands everything on to another callback, and counts the seconds that it takes.

    Args:
        inner: The other callback.
    """

    def __init__(self, inner: keras.callbacks.Callback) -> None:
        super().__init__()
        self.inner, self.seconds = inner, 0.0

    def set_params(self, params: Any) -> None:
        """Hand on; called by Keras."""
        self.inner.set_params(params)

    def set_model(self, model: keras.Model) -> None:
        """Hand on; called by Keras."""
        self.inner.set_model(model)

    def on_train_begin(self, logs: Any = None) -> None:
        """Hand on; called by Keras."""
        self._timed(self.inner.on_train_begin, logs)

    def on_train_end(self, logs: Any = None) -> None:
        """Hand on; called by Keras."""
        self._timed(self.inner.on_train_end, logs)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Hand on; called by Keras."""
        self._timed(self.inner.on_epoch_begin, epoch, logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Hand on; called by Keras."""
        self._timed(self.inner.on_epoch_end, epoch, logs)

    def on_test_begin(self, logs: Any = None) -> None:
        """Hand on; called by Keras."""
        self._timed(self.inner.on_test_begin, logs)

    def _timed(self, hook: Callable[..., Any], *arguments: Any) -> None:
        start = time.perf_counter()
        try:
            hook(*arguments)
        finally:
            self.seconds += time.perf_counter() - start


class Clock(keras.callbacks.Callback):  # type: ignore[misc]
    """Notes when each epoch ends, with all that callbacks do at its end; stands first in the list of callbacks.

    Args:
        aside: A callback whose seconds do not count. Defaults to `None`: all count.
    """

    def __init__(self, aside: Aside | None = None) -> None:
        super().__init__()
        self._aside = aside
        self.starts: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Note the time; called by Keras."""
        self.starts.append(self.now())

    def now(self) -> float:
        """Return the present time."""
        return time.perf_counter() - (self._aside.seconds if self._aside is not None else 0.0)


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

    The baseline watches the same training; its seconds do not count. A short training without either gives the time to
    compare with; of every second model it comes first.

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
        default, baseline = doctors(Path(folder))
        ours, theirs = Aside(default), Aside(baseline)
        history, watched = _fit(row, request, data, ours, theirs)
        found = verdicts((default, baseline), Path(folder), request.recordings(row))
    if not is_first:
        _, plain = _fit(short, request, data)
    return {
        "history": {name: history[name] for name in history if name != "deepdebug_findings"},
        "seconds": {
            "plain": _middle(plain, len(plain.ends)),
            "watched": _middle(watched, len(plain.ends)),
            "whole": watched.whole,
            "watching": default.report.seconds,
            "deepdebug": ours.seconds,
            "ends": [round(one, 3) for one in watched.ends],
        },
        "verdicts": found,
    }


def _fit(
    row: Row, request: Request, data: Data, ours: Aside | None = None, theirs: Aside | None = None
) -> tuple[Mapping[str, list[float]], Timed]:
    keras.utils.set_random_seed(row.seed + 1000 * request.repeat)
    model, clock = build(row), Clock(theirs)
    start = time.perf_counter()
    found: Mapping[str, list[float]] = model.fit(
        data.x,
        data.y,
        batch_size=row.batch_size or len(data.x),
        epochs=row.epochs,
        validation_data=data.validation,
        callbacks=[clock, *(one for one in (ours, theirs) if one is not None)],
        verbose=0,
    ).history
    end = clock.now()
    return found, Timed(end - start, tuple(one - start for one in (*clock.starts, end)))


def _middle(timed: Timed, count: int) -> float | None:
    """Return the median seconds of the first epochs, without the very first, which compiles."""
    seconds = [after - before for before, after in pairwise(timed.ends[:count])]
    return statistics.median(seconds[1:]) if len(seconds) > 1 else None
