"""DD417 target-scale."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors.findings import finding
from deepdebug.detectors.progress import lacks_skill, settled_checks
from deepdebug.detectors.static import labelled_outputs, outputs_with_loss, place
from deepdebug.errors import NotJudged
from deepdebug.observation import Observation, Run
from deepdebug.records import Finding

CHECKS = 3
KINDS = ("mean_squared_error", "mean_absolute_error", "huber", "log_cosh")
UNBOUNDED = ("linear", "relu", "leaky_relu", "softplus", "exponential")


@dataclass(frozen=True)
class TargetScale:
    """Find regressions that do not learn because their targets are far larger than what the model says.

    What it does:
        Measures the root mean square of the targets of every regression whose last layer can say any number, and
        reports a large one when the model has no skill in three successive checks after 200 updates. Large targets that
        a model copes with are no fault.

    Why it matters:
        The last layer starts with values of size 1. On targets of size 1000 the first part of the training is spent on
        reaching their mean, and with Adam, whose steps do not depend on the size of the loss, that takes very long.

    How to fix:
        Train on `(y - y.mean()) / y.std()`, and turn predictions back with the same two numbers.

    Args:
        max_size: Largest accepted root mean square. Defaults to `100.0`, our first setting, not yet calibrated.

    Example:

    >>> TargetScale(max_size=1000.0).code
    'DD417'
    """

    code: ClassVar[str] = "DD417"
    symptom: ClassVar[str] = "target-scale"
    abbreviation: ClassVar[str] = "SCL"
    max_size: float = 100.0

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding per regression with large targets and no skill."""
        outputs = [
            one for one in outputs_with_loss(run.facts) if one.loss.kind in KINDS and one.activation in UNBOUNDED
        ]
        if not outputs:
            return
        for output, labels in labelled_outputs(run.facts, outputs):
            if labels.mean is None or labels.variance is None:
                raise NotJudged("needs targets that are numbers")
            size = math.sqrt(labels.mean**2 + labels.variance)
            if size <= self.max_size:
                continue
            checks = settled_checks(run, CHECKS)
            if all(_fails(seen, output.name) for seen in checks):
                yield self._finding(checks[-1], output.name, place(output), size)

    def _finding(self, now: Observation, name: str, layer: str, size: float) -> Finding:
        seen = next(one for one in now.outputs if one.name == name)
        return finding(
            self,
            now,
            "warn",
            f"the targets of output '{name}' have a root mean square of {size:.3g}; after {now.step} updates the "
            f"predictions have a mean absolute value of {seen.mean_abs or 0.0:.3g} and a skill of {seen.skill:.3g}",
            location="DATA",
            layer=layer,
            value=size,
            threshold=self.max_size,
            healthy="targets of size 1",
            evidence={"mean_absolute_prediction": seen.mean_abs, "skill": seen.skill},
        )


def _fails(seen: Observation, name: str) -> bool:
    output = next((one for one in seen.outputs if one.name == name), None)
    return output is not None and lacks_skill(seen, output.skill)
