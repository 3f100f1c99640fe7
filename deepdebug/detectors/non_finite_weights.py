"""DD201 non-finite-weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors import gates, weights
from deepdebug.observation import Observation, Run
from deepdebug.records import Finding, Number


@dataclass(frozen=True)
class NonFiniteWeights:
    """Find the first weight variable that holds NaN or infinite values.

    What it does:
        Looks at every element of every variable, trainable or not, and names the first poisoned one in the order in
        which data flows through the layers.

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
        """Yield one finding for the first poisoned variable of the newest observation."""
        found = [pair for pair in weights.pairs(run, run.latest) if pair[1].non_finite > self.max_fraction]
        if found:
            yield self._finding(run, weights.in_flow_order(run, found))

    def _finding(self, run: Run, found: list[weights.Pair]) -> Finding:
        now = run.latest
        facts, seen = found[0]
        sound = last_finite(run, facts.path)
        evidence: dict[str, Number] = {
            "variable": facts.path,
            "variables_affected": len(found),
            "trainable": facts.trainable,
            "last_finite_epoch": sound.epoch if sound else None,
            "learning_rate": gates.optimizer_learning_rate(run),
            "gradient_norm_before": sound.gradient_norm if sound else None,
        }
        place = f" of layer '{facts.layer}'" if facts.layer else ""
        return Finding(
            code=self.code,
            symptom=self.symptom,
            abbreviation=self.abbreviation,
            severity="fatal",
            confidence="certain",
            layer=facts.layer,
            location="W",
            epoch=now.epoch,
            step=now.step,
            value=seen.non_finite,
            threshold=self.max_fraction,
            message=f"{seen.non_finite:.3g} of the elements of weight '{facts.path}'{place} are NaN or infinite",
            healthy="0; every element of every weight is finite",
            evidence=evidence,
        )


def last_finite(run: Run, path: str) -> Observation | None:
    """Return the newest earlier observation in which this variable was finite."""
    index = next(i for i, variable in enumerate(run.latest.variables) if variable.path == path)
    for seen in reversed(run.observations[:-1]):
        variable = seen.variables[index] if index < len(seen.variables) else None
        if variable is not None and variable.path == path and variable.non_finite == 0:
            return seen
    return None
