"""DD202 non-finite-gradient."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors import gates, weights
from deepdebug.detectors.findings import finding
from deepdebug.observation import Observation, Run, VariableObservation
from deepdebug.records import Finding, Number


@dataclass(frozen=True)
class NonFiniteGradient:
    """Find the first weight gradient that holds NaN or infinite values.

    What it does:
        Looks at every element of every gradient on the probe rows and names the one with which it began: at the first
        check with a poisoned one, the first in the order in which gradients flow, from the loss to the input. The
        operation that made it stands right behind that layer.
        The evidence says whether outputs and weights were still finite. With float16 layers and a finite forward pass
        it is a warning, since loss scaling skips such steps.

    Why it matters:
        The next update writes NaN into every weight whose gradient is not finite.

    How to fix:
        Set `clipnorm=1.0` and lower the learning rate; where the forward pass is finite, look for an operation whose
        derivative is not (sqrt or a norm at 0, log at 0, division) and add a small constant inside it.

    Args:
        max_fraction: Largest accepted share of elements that are not finite. Defaults to `0.0`, as in SageMaker
            Debugger's ExplodingTensor.

    Example:

    >>> NonFiniteGradient().code
    'DD202'
    """

    code: ClassVar[str] = "DD202"
    symptom: ClassVar[str] = "non-finite-gradient"
    abbreviation: ClassVar[str] = "NS"
    max_fraction: float = 0.0

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding, for the gradient nearest to the loss at the check at which they stopped being finite."""
        weights.require_gradients(run, run.latest)
        if self._is_poisoned(run.latest):
            first, before = gates.onset(run, self._is_poisoned)
            poisoned = [pair for pair in weights.pairs(run, first) if self._share(pair[1]) > self.max_fraction]
            if poisoned:
                yield self._finding(run, first, before, weights.in_flow_order(run, poisoned))

    def _share(self, variable: VariableObservation) -> float:
        return variable.gradient_non_finite or 0.0

    def _is_poisoned(self, seen: Observation) -> bool | None:
        if all(variable.gradient_non_finite is None for variable in seen.variables):
            return None
        return any(self._share(variable) > self.max_fraction for variable in seen.variables)

    def _finding(self, run: Run, now: Observation, before: Observation | None, found: list[weights.Pair]) -> Finding:
        facts, share = found[-1][0], self._share(found[-1][1])
        forward = _forward_is_finite(now)
        skipped_step = forward and weights.is_half_precision(run)
        evidence: dict[str, Number] = {
            "variable": facts.path,
            "variables_affected": len(found),
            "forward_finite": forward,
            "weights_finite": not any(variable.non_finite for variable in now.variables),
            "last_finite_epoch": before.epoch if before else None,
            "gradient_norm_before": before.gradient_norm if before else None,
            "learning_rate": gates.optimizer_learning_rate(run, now),
        }
        return finding(
            self,
            now,
            severity="warn" if skipped_step else "fatal",
            confidence="weak" if skipped_step else "certain",
            layer=facts.layer,
            location="DW",
            value=share,
            threshold=self.max_fraction,
            message=f"{share:.3g} of the gradient elements of '{facts.path}' are NaN or infinite, "
            f"the first of {len(found)} such gradients on the way back from the loss; the forward pass was "
            f"{'finite' if forward else 'not finite'}",
            healthy="0; every element of every gradient is finite",
            evidence=evidence,
        )


def _forward_is_finite(now: Observation) -> bool:
    sound = not any(layer.non_finite for layer in now.layers)
    return sound and (now.loss is None or math.isfinite(now.loss))
