"""Trains one model of the zoo under `Diagnose` and keeps what came of it, in a process of its own; loads Keras."""

from __future__ import annotations

import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

import deepdebug
from benchmarks.healthy.family import FAMILIES, Training
from benchmarks.models444.doctors import doctors, verdicts
from benchmarks.zoo.building import build
from benchmarks.zoo.zoo import Entry
from deepdebug import Diagnose

OURS = Path(deepdebug.__file__).parent


def train(entry: Entry, seed: int, recordings: Path) -> Mapping[str, Any]:
    """Train a model and return its score and the verdicts; everything observed is written.

    Args:
        entry: Which one.
        seed: Of weights, data and fault.
        recordings: Folder for the recordings.

    Raises:
        Exception: Whatever `fit` of a healthy model raises, and whatever deepdebug does.
    """
    started = time.perf_counter()
    training, family = build(entry, seed), FAMILIES[entry.family]
    with tempfile.TemporaryDirectory() as folder:
        watched_by = doctors(Path(folder))
        error = _fit(training, watched_by, may_fail=bool(entry.operator))
        if error:
            return {"error": error}
        found = verdicts(watched_by, Path(folder), recordings)
    x, labels = training.test
    predictions = keras.tree.map_structure(keras.ops.convert_to_numpy, training.model(x, training=False))
    return {
        "error": "",
        "score": _score(family.score, predictions, labels),
        "verdicts": found,
        "seconds": time.perf_counter() - started,
    }


def _fit(training: Training, watched_by: Sequence[Diagnose], *, may_fail: bool) -> str:
    """Train, and return the error that Keras gave for a fault, which needs no detection then."""
    fit = dict(training.fit)
    callbacks = [*fit.pop("callbacks", []), *watched_by]
    try:
        training.model.fit(training.x, training.y, callbacks=callbacks, verbose=0, **fit)
    except Exception as error:
        raised = Path(traceback.extract_tb(error.__traceback__)[-1].filename)
        if not may_fail or raised.is_relative_to(OURS):
            raise
        return f"{type(error).__name__}: {error}"
    return ""


def _score(score: Any, predictions: Any, labels: Any) -> float | None:
    """Return the score; `None` where predictions are not finite, which is worse than any other."""
    flat = keras.tree.flatten(predictions)
    return float(score(predictions, labels)) if all(np.isfinite(one).all() for one in flat) else None
