"""DD208 learning-rate-too-low."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors import gates, weights
from deepdebug.detectors.findings import finding
from deepdebug.detectors.progress import GOOD_SKILL, newest_skill
from deepdebug.errors import NotJudged
from deepdebug.observation import Observation, Run
from deepdebug.records import Finding

WINDOW = 10
CHECKS = 3


@dataclass(frozen=True)
class LearningRateTooLow:
    """Find runs in which one optimizer step changes the weights too little.

    What it does:
        Measures the change that one optimizer step with the gradient of the probe rows makes, relative to the weights:
        the median over the kernels, then over the newest ten checks. The newest check must agree, the gradient must
        still be there, and the weights must still stand near where they started. Solved tasks, learning rates that are
        being warmed up and those that a schedule has lowered are left out; but a schedule that has come to its end in
        the first half of the planned epochs, before half of the task is learned, is reported.

    Why it matters:
        At this pace the planned epochs do not suffice to get anywhere.

    How to fix:
        Raise the learning rate to the suggested one.

    Args:
        min_log10_update: Smallest accepted log10 of the relative update. Defaults to `-5.0`, the lower bound of
            DeepDiagnosis' test TuneLearn.
        min_log10_update_sgd: The same for optimizers that do not rescale the gradient. Defaults to `-6.0`, our first
            setting, not yet calibrated.
        min_gradient_share: Share of the gradient norm before training below which the model rather than the learning
            rate has stopped. Defaults to `0.1`, our first setting, not yet calibrated.
        max_moved: Median change of the kernels since the start, relative to their size, above which the pace was
            enough. Defaults to `0.1`, our first setting, not yet calibrated.
        min_rate_share: Share of the largest learning rate below which a schedule is at work. Defaults to `0.1`, our
            first setting, not yet calibrated.
        error_skill: Skill below which the finding is an error after 200 updates; at the end of training, that is 0.5.
            Defaults to `0.02`, our first setting, not yet calibrated.

    Example:

    >>> LearningRateTooLow(min_log10_update=-6.0).code
    'DD208'
    """

    code: ClassVar[str] = "DD208"
    symptom: ClassVar[str] = "learning-rate-too-low"
    abbreviation: ClassVar[str] = "LR"
    min_log10_update: float = -5.0
    min_log10_update_sgd: float = -6.0
    min_gradient_share: float = 0.1
    max_moved: float = 0.1
    min_rate_share: float = 0.1
    error_skill: float = 0.02

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding when the relative update stays below the threshold."""
        checks = gates.last_checks(run, WINDOW, least=CHECKS)
        early_end = self._early_end(run)
        if early_end is not None:
            yield self._ended(run, *early_end)
            return
        weights.require_gradients(run, checks[-1])
        newest, limit = weights.median_update(run, checks[-1]), self._limit(run)
        if newest is None:
            raise NotJudged("no update of a kernel with a gradient above 0 was measured")
        if newest >= limit or gates.converged(run):
            return
        if self._scheduled(run):
            raise NotJudged("the learning rate is being raised, or a schedule has lowered it to a tenth or less")
        if self._arrived(run, checks[-1]):
            return
        recent = weights.recent_median_update(run, checks)
        if recent is not None and recent < limit:
            yield self._finding(run, recent, limit)

    def _limit(self, run: Run) -> float:
        rescales = run.facts.optimizer is not None and run.facts.optimizer.epsilon
        return self.min_log10_update if rescales else self.min_log10_update_sgd

    def _scheduled(self, run: Run) -> bool:
        """Tell whether the learning rate is being raised, or has been lowered from a much larger one."""
        rates = gates.learning_rates(run)
        return gates.learning_rate_rising(run, CHECKS) or bool(rates and rates[-1] < self.min_rate_share * max(rates))

    def _early_end(self, run: Run) -> tuple[int, float] | None:
        """Return the epoch in the first half by which the rate had run out, and the rate, if nothing was learned since.

        `ReduceLROnPlateau` lowers the rate because the model has come to rest, so it is no cause.
        """
        planned, skill = run.facts.fit.epochs, newest_skill(run)
        is_plateau = "ReduceLROnPlateau" in run.facts.fit.callbacks
        if not planned or skill is None or skill >= GOOD_SKILL or is_plateau or not gates.learning_rate_run_out(run):
            return None
        limit = gates.MIN_LEARNING_RATE_SHARE * max(gates.learning_rates(run))
        epoch, rate = next((epoch, rate) for epoch, rate in run.learning_rates if rate < limit)
        return (epoch, rate) if epoch + 1 <= planned / 2 else None

    def _ended(self, run: Run, epoch: int, rate: float) -> Finding:
        now, largest, skill = run.latest, max(gates.learning_rates(run)), newest_skill(run) or 0.0
        return finding(
            self,
            now,
            severity="warn",
            location="CONFIG",
            value=rate / largest,
            threshold=gates.MIN_LEARNING_RATE_SHARE,
            message=f"The learning rate had fallen from {largest:.3g} to {rate:.3g} by epoch {epoch} of "
            f"{run.facts.fit.epochs}, and the skill is {skill:.3g}",
            healthy="above 1 % of the largest learning rate until the last epochs",
            evidence={"learning_rate": now.learning_rate, "largest_learning_rate": largest, "skill": skill},
        )

    def _arrived(self, run: Run, now: Observation) -> bool:
        """Tell whether the model rather than the learning rate has come to an end."""
        start = run.observations[0].gradient_norm
        if start and now.gradient_norm is not None and now.gradient_norm < self.min_gradient_share * start:
            return True
        moved = weights.median_moved(run, now)
        return moved is not None and moved > self.max_moved

    def _finding(self, run: Run, update: float, limit: float) -> Finding:
        now = run.latest
        rate = gates.optimizer_learning_rate(run)
        suggested = weights.suggested_learning_rate(rate, update)
        enough = GOOD_SKILL if run.finished else self.error_skill
        untrained = now.skill is not None and now.skill < enough and now.step >= gates.SURE_UPDATES
        known = "" if rate is None else f"; the learning rate is {rate:.3g}"
        return finding(
            self,
            now,
            severity="error" if untrained else "warn",
            confidence="strong",
            layer=None,
            location="W",
            value=10**update,
            threshold=10**limit,
            message=f"One update changes the weights by {10**update:.3g} of their size, median over the kernels{known}",
            healthy="between 1e-4 and 1e-2",
            evidence={
                "median_log10_update": update,
                "learning_rate": rate,
                "suggested_learning_rate": suggested,
                "skill": now.skill,
                "gradient_norm": now.gradient_norm,
            },
        )
