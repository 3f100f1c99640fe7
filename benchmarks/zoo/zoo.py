"""Which models are in the zoo, and in which half: a family and all its mutants are in the same one."""

from __future__ import annotations

import csv
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

ZOO = Path(__file__).resolve().parent / "zoo.csv"
TUNING, REPORTING = "tuning", "reporting"
PER_OPERATOR = 8  # families that an operator is put into, half of them in each half
# The first seed of each half: those below 100 have been looked at when detectors were written.
FIRST_SEED = {TUNING: 0, REPORTING: 100}


@dataclass(frozen=True, slots=True)
class Entry:
    """One model.

    Args:
        family: Name of the healthy family.
        operator: Name of the operator that made it faulty; "" for the healthy model itself.
        half: "tuning": thresholds may be set by it; "reporting": only the score reads it.
    """

    family: str
    operator: str
    half: Literal["tuning", "reporting"]

    def seeds(self, count: int) -> range:
        """Return the seeds of so many trainings."""
        return range(FIRST_SEED[self.half], FIRST_SEED[self.half] + count)

    @property
    def name(self) -> str:
        """The family, or the family and the operator."""
        return f"{self.family}+{self.operator}" if self.operator else self.family


_ENTRIES = TypeAdapter(tuple[Entry, ...])


def read_zoo(path: Path = ZOO) -> tuple[Entry, ...]:
    """Return all models of the zoo.

    Args:
        path: The CSV file. Defaults to that of the zoo.
    """
    with path.open(encoding="utf-8", newline="") as file:
        return _ENTRIES.validate_python(list(csv.DictReader(file)))


def write_zoo(entries: Iterable[Entry], path: Path = ZOO) -> None:
    """Write the list of models.

    Args:
        entries: The models.
        path: The CSV file. Defaults to that of the zoo.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([one.name for one in fields(Entry)])
        writer.writerows(astuple(one) for one in entries)


def choose(
    families: Sequence[str], applicable: Mapping[str, Sequence[str]], known: Mapping[str, str]
) -> Iterator[Entry]:
    """Yield the models: every family, and every operator in some families of each half, as a hash has it.

    Args:
        families: Names of the families in order; of two new ones that follow each other, one is in each half.
        applicable: The families that each operator can be put into.
        known: The half of every family that has been in the zoo before, where it stays.
    """
    new = [name for name in families if name not in known]
    half = {**known, **{name: (TUNING, REPORTING)[place % 2] for place, name in enumerate(new)}}
    yield from (Entry(name, "", half[name]) for name in families)
    for operator, possible in applicable.items():
        for part in (TUNING, REPORTING):
            ordered = sorted(possible, key=lambda name: zlib.crc32(f"{operator} {name}".encode()))
            chosen = [name for name in ordered if half[name] == part][: PER_OPERATOR // 2]
            yield from (Entry(name, operator, part) for name in chosen)
