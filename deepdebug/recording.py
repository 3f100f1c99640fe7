"""A training run on disk: `observations.jsonl`, one JSON object per line, appended while the model trains.

Line types, in the order in which they come:

    {"type": "run", "schema": 1, "facts": {...}}       starts a run; a later `fit` appends another
    {"type": "data", "data": {...}}                    facts about the data that came later
    {"type": "observation", "observation": {...}}      one moment of training
    {"type": "epoch", "epoch": {...}}                  the end of an epoch after which the model was not looked at
    {"type": "skipped", "skipped": {...}}              a part that was left out, and why
    {"type": "end", "seconds": 0.25}                   training reached its end

NaN and the infinities are written as the strings "NaN", "Infinity" and "-Infinity", so that every line is strict JSON.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from deepdebug.facts import DataFacts, Facts
from deepdebug.observation import EpochEnd, Observation
from deepdebug.records import Skipped
from deepdebug.strict_json import strict_json

SCHEMA = 1
FILE_NAME = "observations.jsonl"


class RecordingWriter:
    """Append one run to a recording; every line is flushed, so that a killed run loses at most the line in writing.

    Args:
        log_dir: Folder of the recording; made when it is missing.
        facts: What is known before the first update.
    """

    def __init__(self, log_dir: str | os.PathLike[str], facts: Facts) -> None:
        header = strict_json({"type": "run", "schema": SCHEMA, "facts": facts})
        self.path = Path(log_dir) / FILE_NAME
        self.path.parent.mkdir(parents=True, exist_ok=True)
        cut_off = _ends_inside_a_line(self.path)
        self._file = self.path.open("ab")
        self._append(b"\n" + header if cut_off else header)

    def data(self, data: DataFacts) -> None:
        """Write facts about the data that were not known when the run began."""
        self._write({"type": "data", "data": data})

    def observation(self, observation: Observation) -> None:
        """Write one observation."""
        self._write({"type": "observation", "observation": observation})

    def epoch(self, epoch: EpochEnd) -> None:
        """Write what Keras logged at the end of an epoch."""
        self._write({"type": "epoch", "epoch": epoch})

    def skipped(self, skipped: Skipped) -> None:
        """Write that a part was left out."""
        self._write({"type": "skipped", "skipped": skipped})

    def end(self, seconds: float) -> None:
        """Write that training reached its end, and close the file."""
        self._write({"type": "end", "seconds": seconds})
        self.close()

    def close(self) -> None:
        """Close the file; a run closed without `end` counts as interrupted."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _write(self, line: dict[str, Any]) -> None:
        self._append(strict_json(line))

    def _append(self, text: bytes) -> None:
        self._file.write(text + b"\n")
        self._file.flush()


def _ends_inside_a_line(path: Path) -> bool:
    if not path.exists() or not path.stat().st_size:
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() != b"\n"
