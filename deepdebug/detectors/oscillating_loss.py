"""DD306 oscillating-loss."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from deepdebug.detectors import gates, trends
from deepdebug.detectors.findings import finding
from deepdebug.detectors.progress import epoch_losses, newest_skill, require_warm
from deepdebug.observation import Run
from deepdebug.records import Finding

LEAST = 8
CLEARLY = 1.645  # standard deviations that 95 % of a normal distribution stay below


@dataclass(frozen=True)
class OscillatingLoss:
    """Find training losses that jump up and down more than they fall.

    What it does:
        Fits a Theil-Sen line to the losses of the last 20 % of the epochs, at least 8. The jumps around it must be
        large beside both the fall over the window and the loss itself, and zigzag more than chance does.

    Why it matters:
        The updates overshoot the valley they should descend.

    How to fix:
        Divide the learning rate by 3, use larger batches, or add `keras.callbacks.ReduceLROnPlateau`.

    Args:
        max_ratio: Largest accepted ratio of the standard deviation of the jumps to the fall of the loss. Defaults to
            `2.0`, our first setting, not yet calibrated.
        max_correlation: Correlation of successive jumps from which they zigzag, at least as clear as chance allows in
            5 % of windows. Defaults to `-0.3`, our first setting, not yet calibrated.
        min_jump: Smallest standard deviation of the jumps, as a share of the median loss. Defaults to `0.1`, our first
            setting, not yet calibrated.
        max_skill: Skill from which jumps are accepted. Defaults to `0.9`, our first setting, not yet calibrated.

    Example:

    >>> OscillatingLoss(max_ratio=3.0).code
    'DD306'
    """

    code: ClassVar[str] = "DD306"
    symptom: ClassVar[str] = "oscillating-loss"
    abbreviation: ClassVar[str] = "OSC"
    max_ratio: float = 2.0
    max_correlation: float = -0.3
    min_jump: float = 0.1
    max_skill: float = 0.9

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding when the newest losses zigzag."""
        require_warm(run)
        losses = epoch_losses(run, LEAST)
        skill = newest_skill(run)
        if gates.broken(run) or gates.converged(run) or gates.learning_rate_run_out(run):
            return
        if skill is not None and skill >= self.max_skill:
            return
        window = losses[-min(max(LEAST, math.ceil(0.2 * len(losses))), trends.MAX_POINTS) :]
        jumps = trends.residuals(window)
        deviation, level = float(jumps.std()), abs(float(np.median(window)))
        drop = max(trends.fall(window) * abs(float(np.median(window[: len(window) // 3]))), 0.0)
        correlation = trends.lag_one(jumps)
        falls = trends.mann_kendall(window).falling < 0.1
        is_zigzag = correlation < min(self.max_correlation, -CLEARLY / math.sqrt(len(window)))
        if deviation > max(self.min_jump * level, self.max_ratio * drop) and is_zigzag and not falls:
            yield self._finding(run, window, deviation, drop, correlation)

    def _finding(self, run: Run, window: list[float], deviation: float, drop: float, correlation: float) -> Finding:
        return finding(
            self,
            run.latest,
            "warn",
            f"the training loss jumps by {deviation:.3g} (standard deviation) around its trend over {len(window)} "
            f"epochs while it falls by {drop:.3g}",
            location="M",
            healthy="jumps that are small beside the fall of the loss",
            value=deviation / drop if drop else None,
            threshold=self.max_ratio,
            evidence={
                "correlation": correlation,
                "lowest": min(window),
                "highest": max(window),
                "batch_size": run.facts.fit.batch_size,
                "learning_rate": run.latest.learning_rate,
            },
        )
