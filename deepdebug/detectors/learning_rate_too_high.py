"""DD207 learning-rate-too-high."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors import gates, weights
from deepdebug.detectors.findings import finding
from deepdebug.detectors.progress import GOOD_SKILL
from deepdebug.errors import NotJudged
from deepdebug.observation import Observation, Run
from deepdebug.records import Finding

WINDOW = 10
CHECKS = 3
ADAPTIVE = ("Adam", "AdamW", "Adamax", "Nadam", "RMSprop")


@dataclass(frozen=True)
class LearningRateTooHigh:
    """Find runs in which one optimizer step changes the weights too much.

    What it does:
        Measures the change that one optimizer step with the gradient of the probe rows makes, relative to the weights:
        the median over the kernels, then over the newest ten checks. The newest check must agree. When the loss has
        stopped being finite, or most gradients have become 0, the last sound check is judged alone; when the model has
        become worse than at its start, the first one. A rate far above the usual, at which the model has not learned
        half of its task after 200 updates, counts too, and so does a negative one, at once. Solved tasks and learning
        rates that have run out are left out.

    Why it matters:
        Such steps leap over the minimum: the loss stays high, oscillates or turns NaN, and rectifiers die.

    How to fix:
        Lower the learning rate to the suggested one, or warm it up.

    Args:
        max_log10_update: Largest accepted log10 of the relative update. Defaults to `-1.0`, as in TheDeepChecker.
        max_first_update: The same for a check during the warm-up or before training, which counts only once the loss
            has stopped being finite or most gradients have become 0. Defaults to `-0.7`, our first setting, not yet
            calibrated: Adam's first steps are its largest.
        min_alive: Share of kernels with a gradient above 0 below which the network counts as dead. Defaults to `0.5`,
            our first setting, not yet calibrated.
        max_adaptive_rate: Learning rate of Adam and its kin from which a model of several layers that does not get to
            learn half of its task is reported. Defaults to `0.1`, a hundred times the default of Keras; our first
            setting, not yet calibrated.
        error_skill: Skill below which the finding is an error. Defaults to `0.02`, our first setting, not yet
            calibrated.

    Example:

    >>> LearningRateTooHigh(max_log10_update=-0.5).code
    'DD207'
    """

    code: ClassVar[str] = "DD207"
    symptom: ClassVar[str] = "learning-rate-too-high"
    abbreviation: ClassVar[str] = "LR"
    max_log10_update: float = -1.0
    max_first_update: float = -0.7
    min_alive: float = 0.5
    max_adaptive_rate: float = 0.1
    error_skill: float = 0.02

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding when the relative update exceeds the threshold, or the rate is negative."""
        rate = gates.optimizer_learning_rate(run)
        if rate is not None and rate < 0:
            yield self._negative(run, rate)
            return
        sound = gates.last_sound(run) if gates.broken(run) else None
        if sound is not None:
            yield from self._judge(run, [sound])
            return
        checks = gates.last_checks(run, WINDOW, least=CHECKS)
        weights.require_gradients(run, checks[-1])
        gates.require_learning_rate(run)
        if gates.learned(run) or gates.loss_is_zero(checks[-1]):
            return
        found = list(self._by_update(run, checks))
        yield from found or self._by_rate(run, checks)

    def _negative(self, run: Run, rate: float) -> Finding:
        return finding(
            self,
            run.latest,
            "error",
            f"the learning rate is {rate:.3g}: each update raises the loss",
            confidence="certain",
            location="CONFIG",
            value=rate,
            threshold=0.0,
            healthy="above 0",
            evidence={"learning_rate": rate},
        )

    def _by_update(self, run: Run, checks: list[Observation]) -> Iterator[Finding]:
        newest = weights.median_update(run, checks[-1])
        is_alive = newest is not None and self._is_alive(run, checks[-1])
        if newest is not None and is_alive and newest > self.max_log10_update:
            recent = weights.recent_median_update(run, checks)
            if recent is not None and recent > self.max_log10_update:
                yield self._finding(run, recent, self.max_log10_update)
        else:
            yield from self._judge(run, self._before_the_ruin(run, checks[-1], is_alive))

    def _by_rate(self, run: Run, checks: list[Observation]) -> Iterator[Finding]:
        """Yield a finding where the rate itself is out of all proportion and the model does not get anywhere.

        Such steps can make the weights so large that the relative update looks healthy.
        """
        rate, optimizer = gates.optimizer_learning_rate(run), run.facts.optimizer
        skills = [seen.skill for seen in checks[-CHECKS:]]
        is_adaptive = optimizer is not None and optimizer.name in ADAPTIVE and rate is not None
        if (
            not is_adaptive
            or rate is None
            or rate < self.max_adaptive_rate
            or len(weights.kernels(run, checks[-1])) < 2
        ):
            return
        if any(skill is None or skill >= GOOD_SKILL for skill in skills) or checks[-1].step < gates.SURE_UPDATES:
            return
        yield finding(
            self,
            checks[-1],
            "warn",
            f"the learning rate is {rate:.3g}, and the skill is {skills[-1]:.3g} after {checks[-1].step} updates",
            location="CONFIG",
            value=rate,
            threshold=self.max_adaptive_rate,
            healthy="1e-4 to 1e-2 for Adam and its kin",
            evidence={"learning_rate": rate, "suggested_learning_rate": rate / 100, "skill": skills[-1]},
        )

    def _before_the_ruin(self, run: Run, now: Observation, is_alive: bool) -> list[Observation]:
        """Return the checks that may show the steps which killed the network, or made it worse than at its start."""
        worse = gates.diverging(run) and (now.skill is None or now.skill < self.error_skill)
        last = [] if is_alive else [self._first_alive(run, reversed(run.observations))]
        return last + ([self._first_alive(run, run.observations)] if worse else [])

    def _is_alive(self, run: Run, seen: Observation) -> bool:
        share = weights.alive_share(run, seen)
        return share is None or share >= self.min_alive

    def _first_alive(self, run: Run, observations: Iterable[Observation]) -> Observation:
        """Return the first of these at which enough kernels had a gradient; a network that has died had one before."""
        for seen in observations:
            if seen.variables and self._is_alive(run, seen) and weights.median_update(run, seen) is not None:
                return seen
        raise NotJudged("no update of a kernel with a gradient above 0 was measured")

    def _judge(self, run: Run, sound: list[Observation]) -> Iterator[Finding]:
        """Yield a finding for the first of these checks at which the update was too large."""
        for seen in sound:
            weights.require_gradients(run, seen)
            update = weights.median_update(run, seen)
            limit = self.max_log10_update if gates.is_warm(run, seen) else self.max_first_update
            if update is not None and update > limit:
                yield self._finding(run, update, limit)
                return

    def _finding(self, run: Run, update: float, limit: float) -> Finding:
        now = run.latest
        rate = gates.optimizer_learning_rate(run)
        suggested = weights.suggested_learning_rate(rate, update)
        skill = gates.fitted_skill(now)
        untrained = skill is not None and skill < self.error_skill
        known = "" if rate is None else f"; the learning rate is {rate:.3g}"
        return finding(
            self,
            now,
            severity="error" if untrained or gates.diverging(run) else "warn",
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
