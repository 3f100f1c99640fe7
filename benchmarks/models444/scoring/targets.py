"""What we set out to reach on the 444 models, and whether we did."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.models444.measures import Agreement, Estimate
from benchmarks.models444.scoring.agreements import EVERY, KNOWN, NOT_LOST, OUTCOME, PUBLISHED, Compared
from benchmarks.models444.scoring.programs import Judged
from benchmarks.models444.scoring.times import Overhead
from benchmarks.models444.scoring.tools import OURS

BY_LABEL = "0.659 by the published label"
PROGRAMS = {"IB": 50, "FL": 46, "FS": 46, "LF": 42}  # of the 52 for which Table 6 has a row of DeepDiagnosis
PUBLISHED_PROGRAMS = {"IB": 46, "FL": 34, "FS": 38, "LF": 28}
NO_ROW = "SO50079585"  # the 53rd, for which Table 6 has no verdict of any tool
MOST_ALARMS, MOST_OVERHEAD = 0.03, 1.05
# Part, label, least balanced accuracy, and the figure of DeepDiagnosis, which is by the published label throughout.
BALANCED = ((NOT_LOST, PUBLISHED, 0.95, "0.72"), (KNOWN, PUBLISHED, 0.95, "0.93"), (EVERY, OUTCOME, 0.93, BY_LABEL))


@dataclass(frozen=True, slots=True)
class Target:
    """A target.

    Args:
        name: What is measured.
        reached: The figure, with its interval.
        target: What was to be reached.
        published: The figure of DeepDiagnosis.
        is_met: Whether it was.
    """

    name: str
    reached: str
    target: str
    published: str
    is_met: bool


def targets(
    compared: Sequence[Compared], programs: Sequence[Judged], overhead: Overhead | None, same: float | None
) -> Iterator[Target]:
    """Yield the targets that the results say anything about.

    Args:
        compared: Tools against labels.
        programs: The verdicts of the programs.
        overhead: What watching costs.
        same: Share of models with the same verdict in every repetition with the same seed; `None` without any.
    """
    for part, label, least, published in BALANCED:
        found = _of(compared, label, part).measures["balanced accuracy"]
        name = f"balanced accuracy, {part}, {label} label"
        yield Target(name, estimate(found), f">= {least}", published, found.value >= least)
    for label, published in ((PUBLISHED, "0.36"), (OUTCOME, "0.36 by the published label")):
        silent = _of(compared, label, EVERY).measures["specificity"]
        alarms = Estimate(1 - silent.value, 1 - silent.high, 1 - silent.low)
        name = f"normal models flagged, {label} label"
        yield Target(name, estimate(alarms), f"<= {MOST_ALARMS}", published, alarms.value <= MOST_ALARMS)
    yield from _of_programs([one for one in programs if one.id != NO_ROW])
    if overhead is not None:
        said = f"{overhead.median:.3f} ({overhead.low:.3f} to {overhead.high:.3f})"
        is_met = overhead.median <= MOST_OVERHEAD
        name = f"seconds of a training, with over without, {overhead.models} models"
        yield Target(name, said, f"<= {MOST_OVERHEAD}", "-", is_met)
    if same is not None:
        yield Target("same verdict with the same seed", f"{same:.1%}", "100 %", "not reproducible", same == 1)


def _of_programs(programs: Sequence[Judged]) -> Iterator[Target]:
    counts = {name: sum(name in one.yes for one in programs) for name in PROGRAMS}
    counts["IB, by an alarm"] = sum(one.has_alarm for one in programs)
    for name, count in counts.items():
        least = PROGRAMS[name.partition(",")[0]]
        published = f"{PUBLISHED_PROGRAMS[name.partition(',')[0]]} of 52"
        yield Target(f"programs: {name}", f"{count} of {len(programs)}", f">= {least}", published, count >= least)


def estimate(found: Estimate) -> str:
    """Return a measure with its interval."""
    return f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"


def _of(compared: Sequence[Compared], label: str, part: str) -> Agreement:
    return next(one.agreement for one in compared if (one.label, one.part, one.tool) == (label, part, OURS))
