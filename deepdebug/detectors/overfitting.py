"""DD307 overfitting."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors import trends
from deepdebug.detectors.findings import finding
from deepdebug.detectors.metric_names import accuracy_name
from deepdebug.detectors.validation import validation_yardstick
from deepdebug.errors import NotJudged
from deepdebug.observation import Run
from deepdebug.records import Finding

LEAST = 6


@dataclass(frozen=True)
class Overfitting:
    """Find runs whose validation loss has turned and rises while the training loss still falls.

    What it does:
        Looks at the epochs since the smallest validation loss: there must be enough of them, the validation loss must
        have risen clearly (Mann-Kendall test), and the training loss must still fall. It is advice only where the
        validation accuracy is not hurt, where the rise is small beside the loss of the best constant, or where
        `EarlyStopping` watches the run already. That loss is known from 50 validation rows on.

    Why it matters:
        The model learns its training rows by heart; every further epoch makes it worse on others.

    How to fix:
        Stop early and keep the best weights, add weight decay, dropout or augmentation, or collect more rows.

    Args:
        patience: Fewest epochs since the smallest validation loss. Defaults to `3`, our first setting, not yet
            calibrated.
        patience_share: The same as a share of all epochs. Defaults to `0.1`, our first setting, not yet calibrated.
        min_rise: Smallest growth over the smallest validation loss. Defaults to `1.05`, our first setting, not yet
            calibrated.
        max_chance: Largest p-value of the rise. Defaults to `0.05`, our first setting, not yet calibrated.
        max_lost_skill: Rise of the validation loss, as a share of the loss of the best constant, that does not matter.
            Defaults to `0.02`, our first setting, not yet calibrated.
        max_lost_accuracy: Largest loss of validation accuracy, against its best, that counts as not hurt. Defaults to
            `0.01`, our first setting, not yet calibrated.

    Example:

    >>> Overfitting(patience=5).code
    'DD307'
    """

    code: ClassVar[str] = "DD307"
    symptom: ClassVar[str] = "overfitting"
    abbreviation: ClassVar[str] = "OVF"
    patience: int = 3
    patience_share: float = 0.1
    min_rise: float = 1.05
    max_chance: float = 0.05
    max_lost_skill: float = 0.02
    max_lost_accuracy: float = 0.01

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding when the validation loss has turned."""
        both = [
            (seen.metrics["loss"], seen.metrics["val_loss"])
            for seen in run.epochs
            if "loss" in seen.metrics and math.isfinite(seen.metrics.get("val_loss", math.nan))
        ]
        if len(both) < LEAST:
            raise NotJudged(f"needs {LEAST} epochs with `validation_data` or `validation_split`, has {len(both)}")
        training, validation = [pair[0] for pair in both], [pair[1] for pair in both]
        best = validation.index(min(validation))
        since = len(validation) - 1 - best
        smallest = validation[best]
        rise = (validation[-1] - smallest) / abs(smallest) if smallest else 0.0
        if since <= max(self.patience, self.patience_share * len(both)) or rise <= self.min_rise - 1:
            return
        rising = trends.mann_kendall(trends.thin(validation[best + 1 :])).rising
        still_learning = trends.theil_sen(trends.thin(training[best:])) < 0
        if rising < self.max_chance and still_learning:
            yield self._finding(run, validation, rise, best, rising)

    def _finding(self, run: Run, validation: list[float], rise: float, best: int, rising: float) -> Finding:
        lost, yardstick = _lost_accuracy(run), validation_yardstick(run)
        lost_skill = None if yardstick is None else (validation[-1] - validation[best]) / yardstick
        is_watched = "EarlyStopping" in run.facts.fit.callbacks
        keeps_accuracy = lost is not None and lost <= self.max_lost_accuracy
        is_harmless = keeps_accuracy or (lost_skill is not None and lost_skill <= self.max_lost_skill)
        return finding(
            self,
            run.latest,
            "info" if is_watched or is_harmless else "warn",
            f"the validation loss is {validation[-1]:.3g}, up {rise:.0%} from {validation[best]:.3g} at epoch {best}, "
            "while the training loss falls",
            location="M",
            healthy="within 5 % of its smallest value",
            value=rise,
            threshold=self.min_rise - 1,
            evidence={
                "best_epoch": best,
                "p_rising": rising,
                "lost_validation_accuracy": lost,
                "lost_validation_skill": lost_skill,
            },
        )


def _lost_accuracy(run: Run) -> float | None:
    name = accuracy_name(run.latest.metrics, validation=True)
    values = [value for value in run.series(name) if math.isfinite(value)] if name else []
    return max(values) - values[-1] if values else None
