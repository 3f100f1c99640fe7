"""Watches a training twice: by the default, and by the preset of the published tool; loads Keras.

Each keeps a recording of its own, because they look at the model after different epochs: the default not after every
short one, the published tool after each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.models444.judging import PRESETS, keep, recorded, said
from deepdebug import Diagnose
from deepdebug.recording_reader import read_recording


def doctors(folder: Path) -> tuple[Diagnose, ...]:
    """Return callbacks for one training, the default first.

    Args:
        folder: Where they may record it.
    """
    return tuple(Diagnose(verbose=0, preset=preset, log_dir=folder / preset) for preset in PRESETS)


def verdicts(watched: Sequence[Diagnose], folder: Path, recordings: Path) -> Mapping[str, Any]:
    """Return what they say, by preset, and keep the recordings.

    Args:
        watched: The callbacks, after the training.
        folder: Where they recorded it.
        recordings: Folder of the compressed recordings.
    """
    reports = {one.report.preset: one.report for one in watched}
    for preset in reports:
        keep(folder / preset, recorded(recordings, preset))
    return {preset: said(report, read_recording(folder / preset)) for preset, report in reports.items()}
