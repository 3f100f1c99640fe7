"""What we set out to reach on the 444 models, and whether we did."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.models444.measures import Agreement, Estimate
from benchmarks.models444.scoring.agreements import EVERY, KNOWN, NOT_LOST, OUTCOME, PUBLISHED, Compared
from benchmarks.models444.scoring.programs import VERDICTS, Judged
from benchmarks.models444.scoring.times import Overhead
from benchmarks.models444.scoring.tools import DEFAULT

PROGRAMS = {"IB": 50, "FL": 46, "FS": 46, "LF": 42}  # of those for which Table 6 has a row of DeepDiagnosis
MOST_ALARMS, MOST_OVERHEAD = 0.03, 1.05


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
    for part, label, least, published in (
        (NOT_LOST, PUBLISHED, 0.95, "0.72"),
        (KNOWN, PUBLISHED, 0.95, "0.93"),
        (EVERY, OUTCOME, 0.93, "0.659"),
    ):
        found = _of(compared, label, part).measures["balanced accuracy"]
        name = f"balanced accuracy, {part}, {label} label"
        yield Target(name, estimate(found), f">= {least}", published, found.value >= least)
    for label in (PUBLISHED, OUTCOME):
        silent = _of(compared, label, EVERY).measures["specificity"]
        alarms = Estimate(1 - silent.value, 1 - silent.high, 1 - silent.low)
        name = f"normal models flagged, {label} label"
        yield Target(name, estimate(alarms), f"<= {MOST_ALARMS}", "0.36", alarms.value <= MOST_ALARMS)
    for verdict, published in zip(VERDICTS, ("46", "34", "38", "28"), strict=True):
        yes = sum(verdict in one.yes for one in programs)
        least = PROGRAMS[verdict]
        yield Target(
            f"programs: {verdict}", f"{yes} of {len(programs)}", f">= {least}", f"{published} of 52", yes >= least
        )
    if overhead is not None:
        said = f"{overhead.median:.3f} ({overhead.low:.3f} to {overhead.high:.3f})"
        yield Target(
            "seconds of an epoch, with over without",
            said,
            f"<= {MOST_OVERHEAD}",
            "about 2",
            overhead.median <= MOST_OVERHEAD,
        )
    if same is not None:
        yield Target("same verdict with the same seed", f"{same:.1%}", "100 %", "not reproducible", same == 1)


def estimate(found: Estimate) -> str:
    """Return a measure with its interval."""
    return f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"


def _of(compared: Sequence[Compared], label: str, part: str) -> Agreement:
    return next(one.agreement for one in compared if (one.label, one.part, one.tool) == (label, part, DEFAULT))
