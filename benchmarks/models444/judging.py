"""Verdicts of kept recordings: thresholds and presets are tried on them without training again."""

from __future__ import annotations

import gzip
import shutil
import tempfile
from collections.abc import Mapping, Sequence
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
from deepdebug.recording import FILE_NAME
from deepdebug.recording_reader import read_recording
from deepdebug.records import Diagnosis, Finding
from deepdebug.report.report import Report
from deepdebug.strict_json import strict_json

DEFAULT, BASELINE = "default", "deepdiagnosis"
KEPT = ("code", "severity", "confidence", "layer", "epoch", "step", "value")


def judged(folder: Path, presets: Sequence[str] = (DEFAULT, BASELINE)) -> Mapping[str, Any]:
    """Return what presets say of a recording, by preset.

    Args:
        folder: The recording.
        presets: Their names. Defaults to both.
    """
    recording = read_recording(folder)
    return {preset: said(rejudge(recording, Settings(preset=preset))) for preset in presets}


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
    """Judge the kept recording of a model by the detectors as they are now, and write that into its result.

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
    with unpacked(asked.recording(row)) as folder:
        line = {**line, "verdicts": judged(Path(folder))}
    write_text(asked.result(row), strict_json(line).decode() + "\n", "result")
    return True


def said(report: Report) -> Mapping[str, Any]:
    """Return what is kept of a report.

    Args:
        report: The report.
    """
    return {
        "findings": [_finding(one) for one in report.findings],
        "diagnoses": [_diagnosis(one) for one in report.diagnoses],
    }


def _finding(found: Finding) -> Mapping[str, Any]:
    return {name: getattr(found, name) for name in KEPT}


def _diagnosis(found: Diagnosis) -> Mapping[str, Any]:
    layers = [one.layer for one in found.findings]
    codes = list(dict.fromkeys(one.code for one in found.findings))
    return {"fault": found.fault, "action": found.action, "codes": codes, "layers": layers}
