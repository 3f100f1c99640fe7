"""DD206 exploding-gradient."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import ClassVar

from deepdebug.detectors import gates, trends, weights
from deepdebug.detectors.findings import finding
from deepdebug.errors import NotJudged
from deepdebug.observation import Observation, Run
from deepdebug.records import Finding, Number, Severity

WINDOW = 50
CHECKS = 3
SMALLEST = 1e-30  # stands for a norm of exactly 0 in logarithms


@dataclass(frozen=True)
class ExplodingGradient:
    """Find gradients that leap in time, or grow from layer to layer toward the input.

    What it does:
        In time: compares the global gradient norm of the newest two checks with the checks before; both must stand out
        from their usual spread, exceed ten times their median and the norm before training. Over depth: the relative
        gradient of the first layer is at least 1000 times that of the last one, and one update changes the weights by
        more than a tenth. When the loss has just stopped being finite, the last sound check is judged alone. Clipping
        that is active in nearly every check gets a note.

    Why it matters:
        One such step throws the weights far away from what they had learned, often to infinity.

    How to fix:
        Set `clipnorm=1.0`, lower the learning rate or warm it up, use smaller initial weights or normalisation layers.

    Args:
        max_robust_z: Largest accepted deviation of log10(norm) from its median, in robust standard deviations. Defaults
            to `6.0`, our first setting, not yet calibrated.
        max_growth: Largest accepted ratio of the norm to its median. Defaults to `10.0`, our first setting, not yet
            calibrated.
        max_depth_ratio: Largest accepted ratio of the first to the last layer's relative gradient. Defaults to `1e3`,
            our first setting, not yet calibrated.
        max_update: Relative update above which growth over depth counts. Defaults to `0.1`, as in TheDeepChecker.
        min_history: Earlier checks needed to judge a leap. Defaults to `5`, our first setting, not yet calibrated.
        max_clipped: Largest accepted share of checks whose norm exceeds the clipping norm. Defaults to `0.9`, our first
            setting, not yet calibrated.

    Example:

    >>> ExplodingGradient(max_growth=20.0).code
    'DD206'
    """

    code: ClassVar[str] = "DD206"
    symptom: ClassVar[str] = "exploding-gradient"
    abbreviation: ClassVar[str] = "EGS"
    max_robust_z: float = 6.0
    max_growth: float = 10.0
    max_depth_ratio: float = 1e3
    max_update: float = 0.1
    min_history: int = 5
    max_clipped: float = 0.9

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield the first that holds of: growth over depth, a leap in time, clipping all the time."""
        sound = gates.last_sound(run) if gates.broken(run) else None
        if sound is not None:
            weights.require_gradients(run, sound)
            if self._grows(run, sound):
                yield self._over_depth(run, sound)
            return
        checks = gates.last_checks(run, CHECKS, least=2)
        weights.require_gradients(run, checks[-1])
        if gates.learned(run):
            return
        if self._grows(run, checks[-1]) and any(self._grows(run, seen) for seen in checks[:-1]):
            yield self._over_depth(run, checks[-1])
            return
        norms = _norms(run)
        if self._leaps(run, norms):
            yield self._in_time(run, norms)
        elif self._clips(run, norms):
            yield self._clipping(run, norms)

    def _grows(self, run: Run, seen: Observation) -> bool:
        profile = weights.gradient_profile(run, seen)
        if len(profile) < 2 or profile[0].relative <= self.max_depth_ratio * profile[-1].relative:
            return False
        update = weights.median_update(run, seen)
        return profile[-1].relative > 0 and update is not None and update > math.log10(self.max_update)

    def _leaps(self, run: Run, norms: list[float]) -> bool:
        earlier, newest = norms[:-2], norms[-2:]
        if len(earlier) < self.min_history:
            return False
        start = run.observations[0].gradient_norm or 0.0
        usual = median(earlier)
        high = all(norm > max(self.max_growth * usual, start) for norm in newest)
        return high and all(_deviation(norm, earlier) > self.max_robust_z for norm in newest)

    def _clips(self, run: Run, norms: list[float]) -> bool:
        clip = run.facts.optimizer.clipnorm if run.facts.optimizer else None
        if not clip or len(norms) < 2 * self.min_history:
            return False
        return sum(norm > clip for norm in norms) > self.max_clipped * len(norms)

    def _over_depth(self, run: Run, seen: Observation) -> Finding:
        profile = weights.gradient_profile(run, seen)
        first, last = profile[0], profile[-1]
        ratio = first.relative / last.relative
        update = 10 ** (weights.median_update(run, seen) or 0.0)
        text = (
            f"The relative gradient of layer '{first.layer}' is {ratio:.3g} times that of layer '{last.layer}', and "
            f"one update changes the weights by {update:.3g} of their size"
        )
        evidence: dict[str, Number] = {"kind": "depth", "update_ratio": update, "last_layer": last.layer}
        return self._finding(run, text, first.layer, value=ratio, threshold=self.max_depth_ratio, evidence=evidence)

    def _in_time(self, run: Run, norms: list[float]) -> Finding:
        usual = median(norms[:-2])
        text = (
            f"The gradient norm has leapt to {norms[-1]:.3g}, {norms[-1] / usual:.3g} times its median of {usual:.3g}"
        )
        evidence: dict[str, Number] = {
            "kind": "time",
            "median_norm": usual,
            "robust_z": _deviation(norms[-1], norms[:-2]),
        }
        return self._finding(run, text, None, value=norms[-1], threshold=self.max_growth * usual, evidence=evidence)

    def _clipping(self, run: Run, norms: list[float]) -> Finding:
        clip = run.facts.optimizer.clipnorm if run.facts.optimizer else None
        share = sum(norm > (clip or 0.0) for norm in norms) / len(norms)
        text = f"The gradient norm exceeds the clipping norm of {clip or 0.0:.3g} in {share:.0%} of the newest checks"
        evidence: dict[str, Number] = {"kind": "clipping", "clipnorm": clip}
        return self._finding(
            run, text, None, value=share, threshold=self.max_clipped, evidence=evidence, severity="info"
        )

    def _finding(
        self,
        run: Run,
        message: str,
        layer: str | None,
        *,
        value: float,
        threshold: float,
        evidence: dict[str, Number],
        severity: Severity | None = None,
    ) -> Finding:
        now = run.latest
        return finding(
            self,
            now,
            severity=severity or ("error" if gates.diverging(run) else "warn"),
            confidence="strong" if now.confirmed else "weak",
            layer=layer,
            location="DW",
            value=value,
            threshold=threshold,
            message=message,
            healthy="a norm that falls or stays within a factor of 3 from check to check, alike in all layers",
            evidence={
                **evidence,
                "gradient_norm": now.gradient_norm,
                "learning_rate": gates.optimizer_learning_rate(run),
            },
        )


def _norms(run: Run) -> list[float]:
    """Return the finite gradient norms of the newest checks after the warm-up, oldest first."""
    try:
        checks = gates.last_checks(run, WINDOW, least=1)
    except NotJudged:
        return []
    return [one.gradient_norm for one in checks if one.gradient_norm is not None and math.isfinite(one.gradient_norm)]


def _deviation(norm: float, earlier: list[float]) -> float:
    """Return how many robust standard deviations log10(norm) lies above the median of the earlier ones."""
    logarithms = [math.log10(max(one, SMALLEST)) for one in (*earlier, norm)]
    return trends.robust_z(logarithms[-1], logarithms[:-1])
