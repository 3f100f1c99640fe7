"""What is asked of the benchmark, and where the result of each model lies: one JSON line in a file of its own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.models444.data import SIZES
from benchmarks.models444.manifest import Row
from deepdebug.files import file_names

RESULTS, RECORDINGS = "results", "recordings"


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of every model.

    Args:
        size: Name of the size, see `SIZES`.
        repeat: Number of the repetition, from 0; 1,000 times as much is added to the seed of each row.
        data: Folder of the data sets.
        out: Folder of the results.
        is_timed: Whether to train as TensorFlow is shipped. Defaults to `False`: it does not optimize its graphs, which
            it would do anew in each of the very short epochs; those take 2.3 times as long then.
    """

    size: str
    repeat: int
    data: Path
    out: Path
    is_timed: bool = False

    def __post_init__(self) -> None:
        if self.size not in SIZES:
            raise ValueError(f"there is no size {self.size!r}; known: {', '.join(SIZES)}")

    def result(self, row: Row) -> Path:
        """Return where the result of a row lies."""
        return self.out / RESULTS / f"{self._name(row)}.json"

    def recordings(self, row: Row) -> Path:
        """Return the folder with everything that was observed of it, compressed."""
        return self.out / RECORDINGS / self._name(row)

    def _name(self, row: Row) -> str:
        (name,) = file_names([row.id])
        return f"{name}-{self.size}-{self.repeat}"


def read_result(path: Path) -> Mapping[str, Any] | None:
    """Return a result; `None` where there is none yet, or half of one.

    Args:
        path: The file.
    """
    try:
        found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found


def waiting(rows: Iterable[Row], request: Request) -> Iterator[Row]:
    """Yield the rows that have no result yet; those that crashed, hung or ran out of memory have one.

    Args:
        rows: The rows.
        request: What is asked.
    """
    return (row for row in rows if read_result(request.result(row)) is None)


def shard(rows: Iterable[Row], part: int, parts: int) -> list[Row]:
    """Return every so many rows, so that all data sets are in every part.

    Args:
        rows: All rows.
        part: Number of the part, from 1.
        parts: How many there are.

    Raises:
        ValueError: When there is no such part.
    """
    if not 1 <= part <= parts:
        raise ValueError(f"there is no part {part} of {parts}; expected 1 to {parts}")
    return [row for place, row in enumerate(rows) if place % parts == part - 1]
