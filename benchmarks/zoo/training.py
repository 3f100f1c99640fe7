"""Trains one model of the zoo under `Diagnose` and keeps what came of it, in a process of its own; loads Keras."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from benchmarks.healthy.family import FAMILIES
from benchmarks.healthy.judge import watch
from benchmarks.models444.judging import BASELINE, DEFAULT, judged, keep, said
from benchmarks.zoo.building import build
from benchmarks.zoo.zoo import Entry


def train(entry: Entry, seed: int, recording: Path) -> Mapping[str, Any]:
    """Train a model and return its score and the verdicts; everything observed is written.

    Args:
        entry: Which one.
        seed: Of weights, data and fault.
        recording: File for the recording.
    """
    started = time.perf_counter()
    training, family = build(entry, seed), FAMILIES[entry.family]
    with tempfile.TemporaryDirectory() as folder:
        doctor = watch(training, may_fail=bool(entry.operator), log_dir=folder)
        verdicts = {DEFAULT: said(doctor.report), **judged(Path(folder), (BASELINE,))}
        keep(Path(folder), recording)
    x, labels = training.test
    predictions = keras.tree.map_structure(keras.ops.convert_to_numpy, training.model(x, training=False))
    return {
        "score": _score(family.score, predictions, labels),
        "verdicts": verdicts,
        "seconds": time.perf_counter() - started,
    }


def _score(score: Any, predictions: Any, labels: Any) -> float | None:
    """Return the score; `None` where predictions are not finite, which is worse than any other."""
    flat = keras.tree.flatten(predictions)
    return float(score(predictions, labels)) if all(np.isfinite(one).all() for one in flat) else None
