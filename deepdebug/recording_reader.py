"""Read back the runs that `RecordingWriter` wrote."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from deepdebug.errors import RecordingError
from deepdebug.facts import DataFacts, Facts, Scalar
from deepdebug.observation import EpochEnd, Observation, Run
from deepdebug.recording import FILE_NAME, SCHEMA
from deepdebug.records import Skipped

if TYPE_CHECKING:
    from pydantic import TypeAdapter

NON_FINITE: Mapping[str, Scalar] = {text: float(text) for text in ("NaN", "Infinity", "-Infinity")}
Kind = TypeVar("Kind")


@dataclass(frozen=True, slots=True)
class Recording:
    """One run read back.

    Args:
        facts: What was known when the run began.
        observations: What was seen, oldest first.
        passed: The ends of epochs after which the model was not looked at, oldest first.
        later_data: Facts about the data that came later: number of observations made by then, and the facts.
        skipped: Parts that were left out of the recording.
        seconds: Seconds that deepdebug spent, or `None` when the run did not reach its end.
        finished: Whether training reached its end.
        torn_line: Number of a line that was cut off when the run was killed, or `None`.
    """

    facts: Facts
    observations: tuple[Observation, ...] = ()
    passed: tuple[EpochEnd, ...] = ()
    later_data: tuple[tuple[int, DataFacts], ...] = ()
    skipped: tuple[Skipped, ...] = ()
    seconds: float | None = None
    finished: bool = False
    torn_line: int | None = None

    @property
    def run(self) -> Run:
        """The whole run, with the newest facts about the data."""
        facts = replace(self.facts, data=self.later_data[-1][1]) if self.later_data else self.facts
        return Run(facts, self.observations, self.finished, self.passed)


def read_recording(path: str | os.PathLike[str]) -> Recording:
    """Return the newest run of a recording.

    Args:
        path: The file, or the folder that holds `observations.jsonl`.

    Raises:
        RecordingError: When the file is missing, holds no run, is damaged, or was written by a newer version.
    """
    return read_recordings(path)[-1]


def read_recordings(path: str | os.PathLike[str]) -> tuple[Recording, ...]:
    """Return every run of a recording, oldest first; see `read_recording`."""
    file = _existing_file(Path(path))
    lines = _lines(file)
    starts = [index for index, line in enumerate(lines) if line.kind == "run"]
    if not starts:
        raise RecordingError(
            f"{file} holds no run: expected a line of type 'run', found none. Pass the folder given to "
            "`Diagnose(log_dir=...)` of a fit that has started."
        )
    if any(line.content for line in lines[: starts[0]]):
        raise lines[0].error("expected a line of type 'run' before all others, found none")
    ends = [*starts[1:], len(lines)]
    return tuple(_recording(lines[start:end]) for start, end in zip(starts, ends, strict=True))


def _existing_file(path: Path) -> Path:
    file = path / FILE_NAME if path.is_dir() else path
    if not file.is_file():
        raise RecordingError(
            f"{file} does not exist. Expected a recording written by `Diagnose(log_dir=...)`: pass that folder, or the "
            f"file {FILE_NAME} in it."
        )
    return file


@dataclass(frozen=True, slots=True)
class _Line:
    file: Path
    number: int
    content: Mapping[str, Any]  # empty for a line that was cut off

    @property
    def kind(self) -> Any:
        return self.content.get("type")

    def error(self, found: str) -> RecordingError:
        return RecordingError(
            f"{self.file}, line {self.number}: {found}. Restore the file from a copy, delete the lines from here to "
            "the next one of type 'run', or record the run again."
        )


def _lines(file: Path) -> list[_Line]:
    """Return the parsed lines; only the last line of a run may be cut off."""
    texts = file.read_bytes().split(b"\n")
    cut_off = len(texts)  # a whole line ends in a newline, so the last text is empty or cut off
    if not texts[-1]:
        texts.pop()
    lines = [_Line(file, number, _parse(text)) for number, text in enumerate(texts, start=1)]
    followed_by_run = {line.number - 1 for line in lines if line.kind == "run"}
    for line in lines:
        if not line.content and line.number != cut_off and line.number not in followed_by_run:
            raise line.error(f"expected a JSON object, found {texts[line.number - 1][:60]!r}")
    return lines


def _parse(text: bytes) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _recording(lines: Sequence[_Line]) -> Recording:
    observations: list[Observation] = []
    passed: list[EpochEnd] = []
    later_data: list[tuple[int, DataFacts]] = []
    skipped: list[Skipped] = []
    recording = Recording(_facts(lines[0]))
    for line in lines[1:]:
        match line.kind:
            case "observation":
                observations.append(_decode(Observation, line, "observation"))
            case "epoch":
                passed.append(_decode(EpochEnd, line, "epoch"))
            case "data":
                later_data.append((len(observations), _decode(DataFacts, line, "data")))
            case "skipped":
                skipped.append(_decode(Skipped, line, "skipped"))
            case "end":
                recording = replace(recording, seconds=_decode(float, line, "seconds"), finished=True)
            case None if not line.content:
                recording = replace(recording, torn_line=line.number)
            case other:
                raise line.error(f"expected a line type that this version knows, found {other!r}")
    return replace(
        recording,
        observations=tuple(observations),
        passed=tuple(passed),
        later_data=tuple(later_data),
        skipped=tuple(skipped),
    )


def _facts(line: _Line) -> Facts:
    schema = line.content.get("schema")
    if schema != SCHEMA:
        raise RecordingError(
            f"{line.file}, line {line.number}: expected recording schema {SCHEMA}, found {schema!r}. A larger number "
            "comes from a newer deepdebug: `pip install --upgrade deepdebug`, or record the run again."
        )
    facts = _decode(Facts, line, "facts")
    return replace(facts, layers=tuple(replace(layer, config=_with_numbers(layer.config)) for layer in facts.layers))


def _with_numbers(config: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Turn non-finite configuration values back into numbers, which the type alone cannot tell from strings."""
    return {key: NON_FINITE.get(value, value) if isinstance(value, str) else value for key, value in config.items()}


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def _decode(kind: type[Kind], line: _Line, key: str) -> Kind:
    from pydantic import ValidationError

    record: Any = kind
    try:
        value: Kind = _adapter(record).validate_python(line.content.get(key))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in (key, *first["loc"]))
        raise line.error(f"`{place}`: {first['msg']}, found {str(first['input'])[:60]!r}") from error
    return value
