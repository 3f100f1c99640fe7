"""DD301 invalid-loss."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors.findings import finding
from deepdebug.detectors.metric_names import VALIDATION, is_loss
from deepdebug.errors import NotJudged
from deepdebug.observation import Run
from deepdebug.records import Finding, Number

NEVER_NEGATIVE = (
    "binary_crossentropy", "binary_focal_crossentropy", "categorical_crossentropy", "categorical_focal_crossentropy",
    "sparse_categorical_crossentropy", "mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error",
    "mean_squared_logarithmic_error", "huber", "log_cosh", "hinge", "squared_hinge", "categorical_hinge",
)  # fmt: skip


@dataclass(frozen=True)
class InvalidLoss:
    """Find losses that are not finite, or negative though their formula cannot be.

    What it does:
        Looks at every loss in the newest logs and at the loss of the probe. The sign is judged only when all losses are
        Keras losses that cannot be negative for valid labels.

    Why it matters:
        After a NaN or infinite loss the weights are lost. A negative cross-entropy means labels outside 0 to 1: it can
        fall without end and teaches nothing.

    How to fix:
        Lower the learning rate, clip the gradient, and check the data for missing values. For a negative loss, recode
        the labels.

    Args:
        tolerance: Largest accepted amount below 0, for rounding. Defaults to `1e-3`, our first setting, not yet
            calibrated.

    Example:

    >>> InvalidLoss().code
    'DD301'
    """

    code: ClassVar[str] = "DD301"
    symptom: ClassVar[str] = "invalid-loss"
    abbreviation: ClassVar[str] = "ILS"
    tolerance: float = 1e-3

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding when a loss of the newest observation is invalid."""
        losses = _losses(run)
        if not losses:
            raise NotJudged("needs a loss in the logs or a probe of the model; the first comes with the first epoch")
        broken = [name for name, loss in losses.items() if not math.isfinite(loss)]
        if broken:
            yield self._non_finite(run, losses, min(broken, key=_rank))
            return
        name = min(losses, key=lambda one: losses[one])
        if losses[name] < -self.tolerance and _cannot_be_negative(run):
            yield self._negative(run, name, losses[name])

    def _non_finite(self, run: Run, losses: dict[str, float], name: str) -> Finding:
        before = [loss for loss in run.series("loss") if math.isfinite(loss)]
        rates = [rate for _, rate in run.learning_rates]
        evidence: dict[str, Number] = {
            "last_finite_loss": before[-1] if before else None,
            "learning_rate": rates[-1] if rates else None,
        }
        return finding(
            self,
            run.latest,
            "error" if name.startswith(VALIDATION) else "fatal",
            f"the {_words(name)} is {losses[name]} after {run.latest.step} updates",
            location="M",
            healthy="finite at every step",
            value=losses[name],
            threshold=None,
            evidence=evidence,
            confidence="certain",
        )

    def _negative(self, run: Run, name: str, loss: float) -> Finding:
        labels = run.facts.data.labels if run.facts.data else ()
        low = min((one.minimum for one in labels if one.minimum is not None), default=None)
        high = max((one.maximum for one in labels if one.maximum is not None), default=None)
        kinds = ", ".join(dict.fromkeys(output.loss.kind for output in run.facts.outputs))
        spoken = "" if low is None or high is None else f"; the labels lie between {low:.3g} and {high:.3g}"
        return finding(
            self,
            run.latest,
            "error",
            f"the {_words(name)} is {loss:.3g}, which {kinds} cannot be for valid labels{spoken}",
            location="M",
            healthy="0 or above",
            value=loss,
            threshold=-self.tolerance,
            evidence={"label_minimum": low, "label_maximum": high},
            confidence="certain",
        )


def _losses(run: Run) -> dict[str, float]:
    losses = {name: value for name, value in run.latest.metrics.items() if is_loss(name)}
    if run.latest.loss is not None:
        losses["probe_loss"] = run.latest.loss
    return losses


def _rank(name: str) -> tuple[bool, bool]:
    return name.startswith(VALIDATION), name != "loss"


def _words(name: str) -> str:
    return {"loss": "training loss", "val_loss": "validation loss", "probe_loss": "loss on the probe rows"}.get(
        name, f"loss '{name}'"
    )


def _cannot_be_negative(run: Run) -> bool:
    kinds = [output.loss.kind for output in run.facts.outputs if output.loss.kind != "none"]
    penalty = run.latest.penalty
    return bool(kinds) and all(kind in NEVER_NEGATIVE for kind in kinds) and (penalty is None or penalty >= 0)
