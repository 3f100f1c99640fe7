"""The mutants in worker processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.mutants.judge import Outcome


def judge(name: str, seed: int) -> Outcome:
    """Train the mutant of that name under deepdebug; loads Keras."""
    from benchmarks.mutants import judge as judging

    return judging.judge(name, seed)


def summary(outcomes: list[Outcome]) -> dict[str, Any]:
    """Return the totals over all runs."""
    return {
        "mutants": len({one.mutant for one in outcomes}),
        "runs": len(outcomes),
        "found": sum(one.is_found for one in outcomes),
        "understood": sum(one.is_understood for one in outcomes),
        "missed": sorted({one.mutant for one in outcomes if not one.is_found}),
        "misunderstood": sorted({one.mutant for one in outcomes if one.is_found and not one.is_understood}),
        "seconds": sum(one.seconds for one in outcomes),
    }
