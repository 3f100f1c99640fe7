"""DD311 dominant-penalty."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors import gates
from deepdebug.detectors.findings import finding
from deepdebug.detectors.progress import lacks_skill
from deepdebug.errors import NotJudged
from deepdebug.observation import Observation, Run
from deepdebug.records import Finding

CHECKS = 3


@dataclass(frozen=True)
class DominantPenalty:
    """Find runs in which regularisation makes up most of the loss before the task is learned.

    What it does:
        Measures the share of the loss that comes from regularisers and `add_loss`, in three successive checks. A model
        that has learned its task is left alone, since its penalty always outweighs the little loss that remains; one
        that has learned half of it is given advice. A penalty that was most of the loss before training and is nearly
        gone now counts too where the model has no skill: it has driven the weights to 0.

    Why it matters:
        The optimizer then works on small weights and not on right answers.

    How to fix:
        Divide the factor of `kernel_regularizer` by 10, or use the `weight_decay` of the optimizer.

    Args:
        max_share: Largest accepted share of the loss. Defaults to `0.5`, our first setting, not yet calibrated.
        warn_skill: Skill from which the finding is only advice. Defaults to `0.5`, our first setting, not yet
            calibrated.
        max_skill: Skill from which a penalty of any size is accepted. Defaults to `0.9`, our first setting, not yet
            calibrated.
        collapsed_share: Share of the penalty before training below which it has driven the weights to 0: a hundredth
            stands for weights of a tenth of their size. Defaults to `0.01`, our first setting, not yet calibrated.

    Example:

    >>> DominantPenalty(max_share=0.7).code
    'DD311'
    """

    code: ClassVar[str] = "DD311"
    symptom: ClassVar[str] = "dominant-penalty"
    abbreviation: ClassVar[str] = "REG"
    max_share: float = 0.5
    warn_skill: float = 0.5
    max_skill: float = 0.9
    collapsed_share: float = 0.01

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding when the penalty has outweighed the rest of the loss in the newest three checks."""
        checks = gates.last_checks(run, CHECKS)
        shares = [_share(seen) for seen in checks]
        skill = checks[-1].skill
        if skill is None or any(share is None for share in shares):
            raise NotJudged("needs the loss and the penalty of the probe, and a Keras loss with a known best constant")
        smallest = min(share for share in shares if share is not None)
        if smallest > self.max_share and skill < self.max_skill and not gates.converged(run):
            yield self._finding(run, checks[-1], shares[-1] or 0.0, skill)
        elif all(lacks_skill(seen, seen.skill) for seen in checks) and self._has_collapsed(run, checks[-1]):
            yield self._collapse(run, checks[-1], skill)

    def _has_collapsed(self, run: Run, now: Observation) -> bool:
        start = run.observations[0]
        share = _share(start) if start.epoch < 0 else None
        if share is None or share <= self.max_share:
            return False
        return (now.penalty or 0.0) < self.collapsed_share * (start.penalty or 0.0)

    def _collapse(self, run: Run, now: Observation, skill: float) -> Finding:
        start = run.observations[0]
        return finding(
            self,
            now,
            "error",
            f"regularisation made up {_share(start) or 0.0:.0%} of the loss before training ({start.penalty:.3g} of "
            f"{start.loss:.3g}) and has driven the weights toward 0: it is {now.penalty:.3g} now, at a skill of "
            f"{skill:.3g}",
            location="M",
            healthy="below 50 % of the loss until the task is learned",
            value=_share(start),
            threshold=self.max_share,
            evidence={"penalty": now.penalty, "penalty_at_start": start.penalty, "skill": skill},
        )

    def _finding(self, run: Run, seen: Observation, share: float, skill: float) -> Finding:
        penalties = [one.penalty for one in run.observations[:1]]
        return finding(
            self,
            seen,
            "warn" if skill < self.warn_skill else "info",
            f"regularisation makes up {share:.0%} of the loss ({seen.penalty:.3g} of {seen.loss:.3g}) at a skill of "
            f"{skill:.3g}",
            location="M",
            healthy="below 50 % of the loss until the task is learned",
            value=share,
            threshold=self.max_share,
            evidence={"penalty": seen.penalty, "penalty_at_start": penalties[0], "skill": skill},
        )


def _share(seen: Observation) -> float | None:
    """Share of the penalty in the loss; 0 where the loss is not above 0, so that a share would mean nothing."""
    if seen.loss is None or seen.penalty is None:
        return None
    return seen.penalty / seen.loss if seen.loss > 0 else 0.0
