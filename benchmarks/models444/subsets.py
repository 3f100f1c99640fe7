"""Parts of the manifest: all, some models over every data set and source, a few, or the fixed programs."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.models444.manifest import Row, fixed, programs
from benchmarks.models444.tables import TABLES

PER_TABLES, PER_PICTURES = 4, 2  # models of a source, data set and label in the quick part; pictures take longer
PER_BRIEF = 2  # and in the brief one


def quick(rows: Sequence[Row]) -> list[Row]:
    """Return the shortest trainings of every source, data set and label; names do not count.

    Args:
        rows: All rows.
    """
    found = []
    for key in dict.fromkeys((row.source, row.dataset, row.group) for row in rows):
        group = _shortest([row for row in rows if (row.source, row.dataset, row.group) == key])
        found += [row for row in group if row.data in TABLES][:PER_TABLES]
        found += [row for row in group if row.data not in TABLES][:PER_PICTURES]
    return found


def brief(rows: Sequence[Row]) -> list[Row]:
    """Return the shortest trainings of every data set and label, of those whose data need no fetching.

    Args:
        rows: All rows.
    """
    found = []
    made = [row for row in rows if row.data in TABLES]
    for key in dict.fromkeys((row.dataset, row.group) for row in made):
        found += _shortest([row for row in made if (row.dataset, row.group) == key])[:PER_BRIEF]
    return found


def _shortest(rows: Sequence[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row.epochs, -row.batch_size, row.seed))


def mended(rows: Sequence[Row]) -> list[Row]:
    """Return the fixed programs, of those whose fix could be made out as a whole.

    Args:
        rows: All rows.
    """
    whole = [row for row in rows if row.id in programs() and not programs()[row.id].is_partly_fixed]
    return [one for one in map(fixed, whole) if one is not None]


SUBSETS = {"all": list, "quick": quick, "brief": brief, "fixed": mended}
