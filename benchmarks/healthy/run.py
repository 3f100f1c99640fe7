"""The healthy models in worker processes, and the totals over all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.healthy.judge import Outcome

MAX_WARNINGS = 0.3  # per run, on average


def judge(name: str, seed: int) -> Outcome:
    """Train the family of that name under deepdebug; loads Keras."""
    from benchmarks.healthy import judge as judging

    return judging.judge(name, seed)


def summary(outcomes: list[Outcome]) -> dict[str, Any]:
    """Return the totals over all runs."""
    warnings = sum(len(one.warnings) for one in outcomes)
    return {
        "families": len({one.family for one in outcomes}),
        "runs": len(outcomes),
        "runs_with_alarm": sum(bool(one.alarms) for one in outcomes),
        "runs_with_passing_alarm": sum(bool(one.passing) for one in outcomes),
        "warnings": warnings,
        "warnings_per_run": warnings / max(len(outcomes), 1),
        "runs_below_usual_score": sum(one.score < one.usual for one in outcomes),
        "seconds": sum(one.seconds for one in outcomes),
        "deepdebug_seconds": sum(one.own_seconds for one in outcomes),
    }
