"""A recording to judge, and a preset of two small detectors in place of the real ones."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import ClassVar

import pytest
from typer.testing import CliRunner

from deepdebug.detectors.registry import Detector
from deepdebug.errors import NotJudged, UsageError
from deepdebug.observation import Run
from deepdebug.recording import RecordingWriter
from deepdebug.records import Diagnosis, Finding, Fix
from tests.factory import classifier_facts, healthy_run


@dataclass(frozen=True)
class LongRun:
    """Finds runs of more than three epochs."""

    code: ClassVar[str] = "DD901"
    symptom: ClassVar[str] = "long-run"
    abbreviation: ClassVar[str] = "LNG"

    def detect(self, run: Run) -> Iterator[Finding]:
        if run.latest.epoch >= 3:
            yield Finding(
                self.code, self.symptom, self.abbreviation, "warn", "strong", None, "M", run.latest.epoch,
                run.latest.step, float(run.latest.epoch), 3.0, "the run is long",
            )  # fmt: skip


@dataclass(frozen=True)
class NeverJudged:
    """Always lacks data."""

    code: ClassVar[str] = "DD902"
    symptom: ClassVar[str] = "never"
    abbreviation: ClassVar[str] = "NEV"

    def detect(self, run: Run) -> Iterator[Finding]:
        raise NotJudged("needs something")
        yield


@dataclass(frozen=True)
class FakePreset:
    """What `deepdebug.presets` offers, with the detectors above."""

    name: str
    first_hit_wins: bool = False
    arrange: None = None

    def detectors(self, select: Sequence[str] | None, ignore: Sequence[str]) -> tuple[Detector, ...]:
        every = (LongRun(), NeverJudged())
        chosen = every if select is None else tuple(one for one in every if one.code in select)
        return tuple(one for one in chosen if one.code not in ignore)

    def diagnose(self, run: Run, findings: Sequence[Finding]) -> tuple[Diagnosis, ...]:
        if not findings:
            return ()
        return (Diagnosis("patience", "TRAIN", "strong", tuple(findings), Fix("Stop earlier.", "epochs=3")),)


def find_preset(name: str) -> FakePreset:
    if name not in ("default", "deepdiagnosis"):
        raise UsageError(f"There is no preset {name!r}. Expected default or deepdiagnosis.")
    return FakePreset(name)


@pytest.fixture
def small_preset(monkeypatch):
    module = ModuleType("deepdebug.presets")
    module.find_preset = find_preset
    monkeypatch.setitem(sys.modules, "deepdebug.presets", module)


@pytest.fixture
def recorded(tmp_path, monkeypatch):
    """Return a function that records runs of the given lengths and gives the folder; no settings reach in."""
    monkeypatch.chdir(tmp_path)
    for name in ("SELECT", "IGNORE", "PRESET", "LOG_DIR", "VERBOSE"):
        monkeypatch.delenv(f"DEEPDEBUG_{name}", raising=False)
    (tmp_path / "pyproject.toml").touch()

    def record(*epochs: int, end: bool = True) -> str:
        for count in epochs:
            with RecordingWriter(tmp_path / "runs", classifier_facts()) as writer:
                for seen in healthy_run(count).observations:
                    writer.observation(seen)
                if end:
                    writer.end(0.5)
        return "runs"

    return record


@pytest.fixture
def runner():
    return CliRunner()
