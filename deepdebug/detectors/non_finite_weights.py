"""DD201 non-finite-weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors import gates, weights
from deepdebug.detectors.findings import finding
from deepdebug.observation import Observation, Run
from deepdebug.records import Finding, Number


@dataclass(frozen=True)
class NonFiniteWeights:
    """Find the first weight variable that holds NaN or infinite values.

    What it does:
        Looks at every element of every variable, trainable or not, and names the one with which it began: at the first
        check with a poisoned variable, the first in the order in which data flows through the layers.

    Why it matters:
        No later update can make such an element finite again. On some backends a rectifier turns its NaN into 0, so
        that the loss still looks sound.

    How to fix:
        Start again from the last finite weights with a tenth of the learning rate and `clipnorm=1.0`; check that the
        data are finite.

    Args:
        max_fraction: Largest accepted share of elements that are not finite. Defaults to `0.0`, as in SageMaker
            Debugger's ExplodingTensor.

    Example:

    >>> NonFiniteWeights().code
    'DD201'
    """

    code: ClassVar[str] = "DD201"
    symptom: ClassVar[str] = "non-finite-weights"
    abbreviation: ClassVar[str] = "NS"
    max_fraction: float = 0.0

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding, for the first poisoned variable at the check at which the weights stopped being finite."""
        weights.pairs(run, run.latest)
        if self._is_poisoned(run.latest):
            first, before = gates.onset(run, self._is_poisoned)
            found = [pair for pair in weights.pairs(run, first) if pair[1].non_finite > self.max_fraction]
            if found:
                yield self._finding(run, first, before, weights.in_flow_order(run, found))

    def _is_poisoned(self, seen: Observation) -> bool | None:
        return any(one.non_finite > self.max_fraction for one in seen.variables) if seen.variables else None

    def _finding(self, run: Run, now: Observation, before: Observation | None, found: list[weights.Pair]) -> Finding:
        facts, seen = found[0]
        evidence: dict[str, Number] = {
            "variable": facts.path,
            "variables_affected": len(found),
            "trainable": facts.trainable,
            "last_finite_epoch": before.epoch if before else None,
            "learning_rate": gates.optimizer_learning_rate(run, now),
            "gradient_norm_before": before.gradient_norm if before else None,
        }
        place = f" of layer '{facts.layer}'" if facts.layer else ""
        return finding(
            self,
            now,
            severity="fatal",
            confidence="certain",
            layer=facts.layer,
            location="W",
            value=seen.non_finite,
            threshold=self.max_fraction,
            message=f"{seen.non_finite:.3g} of the elements of weight '{facts.path}'{place} are NaN or infinite",
            healthy="0; every element of every weight is finite",
            evidence=evidence,
        )
