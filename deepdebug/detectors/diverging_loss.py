"""DD305 diverging-loss."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors import gates, trends
from deepdebug.detectors.findings import finding
from deepdebug.detectors.progress import epoch_losses, require_warm, starting_loss
from deepdebug.errors import NotJudged
from deepdebug.observation import Run
from deepdebug.records import Finding

CHECKS = 2


@dataclass(frozen=True)
class DivergingLoss:
    """Find training losses that grow.

    What it does:
        Compares the training losses of the newest two epochs with those before. It fires when both lie far above the
        start of training, when both stick out of the window before them and above the start, or when the loss has risen
        from epoch to epoch over the whole window. The validation loss is left to the finding about overfitting.

    Why it matters:
        Each update then makes the model worse; it ends in values that are not finite or in a model that is useless.

    How to fix:
        Lower the learning rate by ten, clip the gradient, and scale inputs and targets.

    Args:
        min_z: Robust z-score above the window from which a loss sticks out. Defaults to `6.0`, our first setting, not
            yet calibrated.
        min_growth: Smallest growth over the smallest loss of the window. Defaults to `2.0`, the doubling of
            TheDeepChecker.
        min_rise: Smallest growth over the start for a loss that sticks out, and over the window's smallest for one that
            rises steadily. Defaults to `1.5`, our first setting, not yet calibrated.
        min_level: Share of the starting loss below which a steady rise is left alone, being noise of a model that has
            nearly arrived. Defaults to `0.1`, our first setting, not yet calibrated.
        max_growth: Growth over the start from which a loss diverges whatever the window says. Defaults to `10.0`, our
            first setting, not yet calibrated.
        fatal_growth: The same from which the finding is fatal. Defaults to `100.0`, our first setting, not yet
            calibrated.

    Example:

    >>> DivergingLoss(min_z=8.0).code
    'DD305'
    """

    code: ClassVar[str] = "DD305"
    symptom: ClassVar[str] = "diverging-loss"
    abbreviation: ClassVar[str] = "DIV"
    min_z: float = 6.0
    min_growth: float = 2.0
    min_rise: float = 1.5
    min_level: float = 0.1
    max_growth: float = 10.0
    fatal_growth: float = 100.0

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding when the training loss of the newest two epochs diverges."""
        require_warm(run)
        losses = epoch_losses(run, CHECKS)
        start = starting_loss(run)
        length = max(5, math.ceil(0.2 * len(losses)))
        before, newest = losses[-length - CHECKS : -CHECKS], losses[-CHECKS:]
        if start is None or not start > 0 or min(losses[-length - CHECKS :]) < 0:
            raise NotJudged("needs a loss that is above 0")
        if gates.broken(run) or gates.converged(run):
            return
        leaps = min(newest) > self.max_growth * start or self._sticks_out(before, newest, start)
        if leaps or (newest[-1] > self.min_level * start and self._climbs(losses, length)):
            yield self._finding(run, newest, start, before)

    def _sticks_out(self, before: list[float], newest: list[float], start: float) -> bool:
        if len(before) < 3:
            return False
        level = max(self.min_growth * min(before), self.min_rise * start)
        return all(loss > level and trends.robust_z(loss, before) > self.min_z for loss in newest)

    def _climbs(self, losses: list[float], length: int) -> bool:
        window = losses[-length - 1 :]
        climbs = all(later > earlier for earlier, later in itertools.pairwise(window))
        return len(window) > length and climbs and window[-1] > self.min_rise * window[0]

    def _finding(self, run: Run, newest: list[float], start: float, before: list[float]) -> Finding:
        now = run.latest
        growth = newest[-1] / start
        return finding(
            self,
            now,
            "fatal" if min(newest) > self.fatal_growth * start else "error",
            f"the training loss has grown to {newest[-1]:.3g}, {growth:.3g} times the {start:.3g} at the start",
            location="M",
            healthy="falls, or varies by less than its robust deviation times 6",
            value=growth,
            threshold=self.min_rise,
            evidence={
                "loss": newest[-1],
                "previous_loss": newest[-2],
                "lowest_before": min(before, default=None),
                "learning_rate": now.learning_rate,
            },
        )
