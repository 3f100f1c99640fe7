"""Verdicts of kept recordings: thresholds and presets are tried on them without training again."""

from __future__ import annotations

import gzip
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.models444.job import Request, read_result
from benchmarks.models444.manifest import read_manifest
from benchmarks.models444.processes import DONE
from benchmarks.models444.subsets import mended
from deepdebug.cli.diagnose import rejudge
from deepdebug.config import Settings
from deepdebug.files import write_file, write_text
from deepdebug.judging import FindingLog, replay
from deepdebug.observation import Run
from deepdebug.presets import find_preset
from deepdebug.recording import FILE_NAME
from deepdebug.recording_reader import Recording, read_recording
from deepdebug.records import Diagnosis, Finding
from deepdebug.report.report import Report
from deepdebug.strict_json import strict_json

DEFAULT, BASELINE = PRESETS = "default", "deepdiagnosis"
ALARMS = ("error", "fatal")
KEPT = ("code", "severity", "confidence", "layer", "epoch", "step", "value")


def recorded(recordings: Path, preset: str) -> Path:
    """Return the file of the recording that is judged by a preset.

    Args:
        recordings: Folder of the recordings of a training.
        preset: Name of the preset.
    """
    return recordings / f"{preset}.jsonl.gz"


def judged(recordings: Path) -> Mapping[str, Any]:
    """Return what the detectors say of a training as they are now, by preset.

    Args:
        recordings: Folder of its recordings.
    """
    found = {}
    for preset in PRESETS:
        with unpacked(recorded(recordings, preset)) as folder:
            recording = read_recording(folder)
        found[preset] = said(rejudge(recording, Settings(preset=preset)), recording)
    return found


def keep(folder: Path, target: Path) -> None:
    """Write a recording compressed, the same bytes every time.

    Args:
        folder: The recording.
        target: The file.
    """

    def write(to: Path) -> None:
        with (folder / FILE_NAME).open("rb") as source, gzip.GzipFile(to, "wb", mtime=0) as packed:
            shutil.copyfileobj(source, packed)

    write_file(target, write, "recording")


def unpacked(recording: Path) -> tempfile.TemporaryDirectory[str]:
    """Return a folder, to be removed, with a recording as deepdebug reads it.

    Args:
        recording: The compressed file.
    """
    folder = tempfile.TemporaryDirectory()
    with gzip.open(recording) as packed, (Path(folder.name) / FILE_NAME).open("wb") as target:
        shutil.copyfileobj(packed, target)
    return folder


def judge_again(name: str, repeat: int, request: Request) -> bool:
    """Judge the kept recordings of a model by the detectors as they are now, and write that into its result.

    Args:
        name: Id of the model, or of a fixed program.
        repeat: Number of the repetition.
        request: Which results.

    Returns:
        Whether there was a result to judge.
    """
    asked = replace(request, repeat=repeat)
    rows = read_manifest()
    row = next(one for one in (*rows, *mended(rows)) if one.id == name)
    line = read_result(asked.result(row))
    if line is None or line["status"] != DONE:
        return False
    line = {**line, **judged_again(asked.recordings(row))}
    write_text(asked.result(row), strict_json(line).decode() + "\n", "result")
    return True


def judged_again(recordings: Path) -> Mapping[str, Any]:
    """Return what is new in a result after its recordings were judged again.

    Args:
        recordings: Folder of the recordings.
    """
    from deepdebug.retraining.records import versions

    return {"verdicts": judged(recordings), "judged_by": dict(versions())}


def said(report: Report, recording: Recording) -> Mapping[str, Any]:
    """Return what is kept of a report: findings, diagnoses, when the first alarm came, and what failed.

    Args:
        report: The report.
        recording: The recording that it is about.
    """
    return {
        "findings": [_finding(one) for one in report.findings],
        "diagnoses": [_diagnosis(one) for one in report.diagnoses],
        "alarm": _first_alarm(report, recording),
        "failed": [one.check for one in report.skipped if "failed" in one.reason],
    }


def _first_alarm(report: Report, recording: Recording) -> int | None:
    """Return the epoch after which one of the lasting alarms first was one, -1 before training; `None` without any.

    A finding keeps the epoch in which it was first seen, when it may still have been a warning.
    """
    lasting = {(one.code, one.layer) for one in report.findings if one.severity in ALARMS}
    if not lasting:
        return None
    preset, first = find_preset(report.preset), list[int]()

    def look(run: Run, log: FindingLog) -> None:
        now = {(one.code, one.layer) for one in log.findings if one.severity in ALARMS}
        if not first and now & lasting:
            first.append(run.latest.epoch)

    replay(
        recording.run,
        preset.detectors(None, ()),
        facts=recording.facts,
        later_data=recording.later_data,
        first_hit_wins=preset.first_hit_wins,
        arrange=preset.arrange,
        after=look,
    )
    return first[0]


def _finding(found: Finding) -> Mapping[str, Any]:
    return {name: getattr(found, name) for name in KEPT}


def _diagnosis(found: Diagnosis) -> Mapping[str, Any]:
    layers = [one.layer for one in found.findings]
    codes = list(dict.fromkeys(one.code for one in found.findings))
    return {"cause": found.cause, "fault": found.fault, "action": found.action, "codes": codes, "layers": layers}
