"""DD308 underfitting."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors import gates, trends
from deepdebug.detectors.findings import finding
from deepdebug.detectors.progress import epoch_losses, newest_skill
from deepdebug.detectors.validation import validation_skill
from deepdebug.errors import NotJudged
from deepdebug.observation import Run
from deepdebug.records import Finding

LEAST = 5


@dataclass(frozen=True)
class Underfitting:
    """Find runs that ended while the loss was still falling, or before they could learn anything.

    What it does:
        After training, fits a Theil-Sen line to the losses of the last fifth of the epochs, at least 5. The fall must
        be clear (Mann-Kendall test) and worth more epochs, and a validation loss, where there is one, must not have
        turned. That is advice. It is an error where training ended within 200 updates with little skill, 1 - loss /
        loss of the best constant, on the probe rows or on at least 50 validation rows.

    Why it matters:
        The model could be better at no other price than time; after a handful of updates it is hardly better than its
        random start, or has learned its few rows by heart.

    How to fix:
        Train for more epochs, together with `keras.callbacks.EarlyStopping`; where an epoch has few updates, lower the
        batch size or collect more rows.

    Args:
        max_skill: Largest skill that counts as too little after few updates. Defaults to `0.3`, set on the tuning half
            of `benchmarks.zoo`, whose healthy trainings of so few updates have more.
        max_chance: Largest p-value of the fall. Defaults to `0.01`, our first setting, not yet calibrated.
        min_gain: Smallest fall, as a share of the last loss, that 10 % more epochs must promise. Defaults to `0.02`,
            our first setting, not yet calibrated.

    Example:

    >>> Underfitting(min_gain=0.05).code
    'DD308'
    """

    code: ClassVar[str] = "DD308"
    symptom: ClassVar[str] = "underfitting"
    abbreviation: ClassVar[str] = "UNF"
    max_skill: float = 0.3
    max_chance: float = 0.01
    min_gain: float = 0.02

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding when training has ended on a falling loss, or too early to have learned anything."""
        if not run.finished:
            raise NotJudged("is judged when training has ended")
        skill = _least_skill(run)
        if 0 < run.latest.step < gates.SURE_UPDATES and skill is not None and skill <= self.max_skill:
            yield self._too_early(run, skill)
            return
        losses = epoch_losses(run, LEAST)
        if not losses[-1] > 0 or gates.converged(run) or gates.learning_rate_run_out(run) or _validation_turned(run):
            return
        window = losses[-max(LEAST, len(losses) // 5) :][-trends.MAX_POINTS :]
        gain = -trends.theil_sen(window) * 0.1 * len(losses) / losses[-1]
        chance = trends.mann_kendall(window).falling
        if gain > self.min_gain and chance < self.max_chance:
            yield self._finding(run, losses, gain, chance)

    def _finding(self, run: Run, losses: list[float], gain: float, chance: float) -> Finding:
        return finding(
            self,
            run.latest,
            "info",
            f"training ended after {len(losses)} epochs at a loss of {losses[-1]:.3g} that still fell; 10 % more "
            f"epochs would lower it by about {gain:.1%}",
            location="M",
            healthy="less than 2 % to be gained by 10 % more epochs",
            value=gain,
            threshold=self.min_gain,
            evidence={"p_falling": chance, "first_loss": losses[0]},
        )

    def _too_early(self, run: Run, skill: float) -> Finding:
        return finding(
            self,
            run.latest,
            "error",
            f"training ended after {run.latest.step} updates with a skill of {skill:.3g}; models start to learn within "
            "some hundred updates",
            location="M",
            healthy=f"200 updates or more, or a skill above {self.max_skill:g}",
            value=skill,
            threshold=self.max_skill,
            evidence={"updates": run.latest.step, "updates_per_epoch": run.facts.fit.steps_per_epoch},
        )


def _least_skill(run: Run) -> float | None:
    """Return the skill on the probe rows or, where it is lower, on the validation data; `None` where none is known."""
    return min((one for one in (newest_skill(run), validation_skill(run)) if one is not None), default=None)


def _validation_turned(run: Run) -> bool:
    losses = [loss for loss in run.series("val_loss") if math.isfinite(loss)]
    return bool(losses) and len(losses) - 1 - losses.index(min(losses)) >= 3
