"""DD309 initial-loss."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from deepdebug.detectors.findings import finding
from deepdebug.detectors.static import PLAIN_CROSS_ENTROPIES
from deepdebug.errors import NotJudged
from deepdebug.facts import LEARNING_FAMILIES, OutputFacts
from deepdebug.observation import Observation, OutputObservation, Run
from deepdebug.records import Finding

LINEAR_LOSSES = ("mean_absolute_error", "huber", "log_cosh")


@dataclass(frozen=True)
class InitialLoss:
    """Find models whose first loss, before any update, is far above that of knowing nothing.

    What it does:
        Compares the loss of each output before training with ln(number of classes) for cross-entropies, and with that
        of the best constant for regressions. Logits are held to a mean absolute value of 10 as well. It is advice only
        where layers are frozen, since only the new layers start from nothing then.

    Why it matters:
        The first epochs are spent on undoing the start, often with gradients large enough to break the model.

    How to fix:
        Scale the inputs; in a regression scale the targets to mean 0 and standard deviation 1; start the last layer
        with smaller weights.

    Args:
        max_entropies: Largest accepted cross-entropy, in units of ln(number of classes). Defaults to `3.0`, our first
            setting, not yet calibrated.
        max_variances: Largest accepted mean squared error, in units of that of the best constant. For losses that grow
            linearly its square root counts. Defaults to `100.0`, our first setting, not yet calibrated.
        max_logit: Largest accepted mean absolute logit. Defaults to `10.0`, our first setting, not yet calibrated.

    Example:

    >>> InitialLoss(max_entropies=4.0).code
    'DD309'
    """

    code: ClassVar[str] = "DD309"
    symptom: ClassVar[str] = "initial-loss"
    abbreviation: ClassVar[str] = "IL0"
    max_entropies: float = 3.0
    max_variances: float = 100.0
    max_logit: float = 10.0

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding per output that started badly."""
        first = run.observations[0]
        seen = {output.name: output for output in first.outputs if output.loss is not None}
        pairs = [(facts, seen[facts.name]) for facts in run.facts.outputs if facts.name in seen]
        if first.epoch >= 0 or not pairs:
            raise NotJudged("needs a probe of the model before training, and a Keras loss")
        for facts, output in pairs:
            limit = self._limit(facts, output)
            loss = self._loss(first, output, len(pairs))
            is_high = limit is not None and loss is not None and loss > limit
            if is_high or self._overflows(facts, output):
                yield self._finding(run, facts, replace(output, loss=loss), limit)

    def _loss(self, first: Observation, output: OutputObservation, outputs: int) -> float | None:
        """Return the loss as trained, which Keras may take of logits behind a softmax, or else by its definition."""
        if outputs > 1 or first.loss is None:
            return output.loss
        return first.loss - (first.penalty or 0.0)

    def _overflows(self, facts: OutputFacts, output: OutputObservation) -> bool:
        is_logit = facts.loss.kind in PLAIN_CROSS_ENTROPIES and facts.activation == "linear"
        return is_logit and output.mean_abs is not None and output.mean_abs > self.max_logit

    def _limit(self, facts: OutputFacts, output: OutputObservation) -> float | None:
        if facts.loss.kind in PLAIN_CROSS_ENTROPIES:
            classes = 2 if facts.loss.kind == "binary_crossentropy" else facts.units or 0
            return self.max_entropies * math.log(classes) if classes > 1 else None
        if output.constant_loss is None:
            return None
        if facts.loss.kind == "mean_squared_error":
            return self.max_variances * output.constant_loss
        return math.sqrt(self.max_variances) * output.constant_loss if facts.loss.kind in LINEAR_LOSSES else None

    def _finding(self, run: Run, facts: OutputFacts, output: OutputObservation, limit: float | None) -> Finding:
        is_frozen = any(layer.family in LEARNING_FAMILIES and not layer.trainable for layer in run.facts.layers)
        baseline = output.constant_loss
        spoken = "" if baseline is None else f"; the best constant has {baseline:.3g}"
        return finding(
            self,
            run.observations[0],
            "info" if is_frozen else "warn",
            f"before training the loss of output '{facts.name}' is {output.loss:.3g} at a mean absolute output of "
            f"{output.mean_abs or 0.0:.3g}{spoken}",
            location="M",
            healthy="about ln(number of classes), or the variance of the targets",
            value=output.loss,
            threshold=limit,
            evidence={"constant_loss": baseline, "mean_absolute_output": output.mean_abs},
            layer=facts.layer,
            confidence="weak",
        )
