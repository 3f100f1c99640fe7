"""DD303 loss-not-decreasing."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors import gates, trends
from deepdebug.detectors.findings import finding
from deepdebug.detectors.progress import (
    has_learned,
    lacks_skill,
    loss_history,
    newest_probe,
    require_warm,
)
from deepdebug.observation import Run
from deepdebug.records import Finding

LEAST = 6


@dataclass(frozen=True)
class LossNotDecreasing:
    """Find training losses that have stopped falling before anything was learned.

    What it does:
        Takes the losses of the last 20 % of the epochs, at least 5, and asks whether they fall: by the Mann-Kendall
        test and by the medians of the first and the last third. Runs of fewer than 6 epochs are judged by the checks
        inside the epochs. The plateau of a model that has learned, and one under a learning rate that has run out, is
        accepted.

    Why it matters:
        A loss that stands still early means that the updates do not help; more epochs will not either.

    How to fix:
        Look at the findings about gradients, data and labels first; without any, change the learning rate.

    Args:
        min_fall: Smallest share by which the loss must fall over the window. Defaults to `0.01`, our first setting, not
            yet calibrated.
        max_chance: Smallest p-value of the Mann-Kendall test at which no fall is seen. Defaults to `0.1`, our first
            setting, not yet calibrated.
        window_share: Share of the epochs in the window. Defaults to `0.2`, our first setting, not yet calibrated.
        min_window: Fewest epochs in the window. Defaults to `5`, the window of DeepDiagnosis (ICSE 2022).
        error_skill: Skill up to which the finding is an error, after 200 updates. Defaults to `0.02`, our first
            setting, not yet calibrated.
        info_skill: Skill from which the finding is only advice, since noisy labels allow no more. Defaults to `0.2`,
            our first setting, not yet calibrated.

    Example:

    >>> LossNotDecreasing(min_window=8).code
    'DD303'
    """

    code: ClassVar[str] = "DD303"
    symptom: ClassVar[str] = "loss-not-decreasing"
    abbreviation: ClassVar[str] = "LNDS"
    min_fall: float = 0.01
    max_chance: float = 0.1
    window_share: float = 0.2
    min_window: int = 5
    error_skill: float = 0.02
    info_skill: float = 0.2

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding when the loss is flat or rises and the model has not learned its task."""
        require_warm(run)
        losses = loss_history(run, LEAST)
        if gates.broken(run) or gates.learning_rate_rising(run):
            return
        recent = trends.window(losses, self.min_window, self.window_share)
        share, chance = trends.fall(recent), trends.mann_kendall(recent).falling
        if share >= self.min_fall or chance <= self.max_chance:
            return
        if has_learned(run) or gates.converged(run) or gates.learning_rate_run_out(run):
            return
        yield self._finding(run, losses, share, chance)

    def _finding(self, run: Run, losses: list[float], share: float, chance: float) -> Finding:
        now = run.latest
        length = max(self.min_window, math.ceil(self.window_share * len(losses)))
        probe = newest_probe(run)
        skill = probe.skill if probe else None
        is_error = now.step >= gates.SURE_UPDATES and probe is not None and lacks_skill(probe, skill, self.error_skill)
        is_advice = skill is not None and skill >= self.info_skill
        spoken = "" if skill is None else f", at a skill of {skill:.3g} over the best constant"
        return finding(
            self,
            now,
            "error" if is_error else "info" if is_advice else "warn",
            f"the training loss changed from {losses[-length]:.3g} to {losses[-1]:.3g} over the last {length} "
            f"{'epochs' if len(losses) == len(run.series('loss')) else 'checks'}{spoken}",
            location="M",
            healthy="falls by more than 1 % over the window until the skill is high",
            value=share,
            threshold=self.min_fall,
            evidence={"p_falling": chance, "first_loss": losses[0], "skill": skill, "learning_rate": now.learning_rate},
        )
