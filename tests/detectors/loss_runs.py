"""Runs built from a list of losses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from deepdebug.facts import Facts
from deepdebug.observation import Run
from tests.factory import change_output, healthy_run, with_metric

CONSTANT_LOSS = 1.0


def loss_run(
    losses: Sequence[float],
    skill: float | None = 0.1,
    start: float | None = None,
    facts: Facts | None = None,
    finished: bool = False,
) -> Run:
    """A run whose training loss and probe loss follow `losses`, at one skill throughout."""
    run = with_metric(healthy_run(len(losses), facts, finished), "loss", losses)
    first, *later = run.observations
    probed = [replace(seen, loss=loss, permuted_loss=loss) for seen, loss in zip(later, losses, strict=True)]
    run = replace(run, observations=[replace(first, loss=start), *probed])
    known = None if skill is None else CONSTANT_LOSS * (1 - skill)
    return change_output(run, loss=known, constant_loss=CONSTANT_LOSS, accuracy=0.4)


def prefixes(run: Run) -> list[Run]:
    """The run as it looked at each of its checks, oldest first."""
    return [replace(run, observations=run.observations[: end + 1]) for end in range(len(run.observations))]
