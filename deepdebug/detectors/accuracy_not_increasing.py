"""DD304 accuracy-not-increasing."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors import gates, trends
from deepdebug.detectors.findings import finding
from deepdebug.detectors.metric_names import accuracy_name
from deepdebug.detectors.progress import (
    has_learned,
    lacks_skill,
    newest_skill,
    settled_checks,
    uses_input,
)
from deepdebug.errors import NotJudged
from deepdebug.observation import Observation, OutputObservation, Run
from deepdebug.records import Finding, Severity

LEAST = 6
CHECKS = 3


@dataclass(frozen=True)
class AccuracyNotIncreasing:
    """Find classifiers whose accuracy is that of always naming the commonest class, or has stopped rising.

    What it does:
        Compares the accuracy on the probe rows with the share of the commonest class, in three successive checks. It is
        an error when no check gains more than `max_gain` and the loss beats no constant either. Otherwise it asks
        whether the training accuracy of the last 20 % of the epochs rises.

    Why it matters:
        Such a model has found nothing in its input that tells the classes apart.

    How to fix:
        Check that labels stand in the order of their rows, scale the inputs, and look at the findings about gradients.
        With rare classes, pass `class_weight`.

    Args:
        max_gain: Largest gain over the commonest class that counts as none. Defaults to `0.01`, our first setting, not
            yet calibrated.
        min_rise: Smallest accepted rise of the training accuracy over the window. Defaults to `0.01`, our first
            setting, not yet calibrated.
        max_chance: Smallest p-value of the Mann-Kendall test at which no rise is seen. Defaults to `0.1`, our first
            setting, not yet calibrated.
        info_skill: Skill from which a flat accuracy is only advice. Defaults to `0.2`, our first setting, not yet
            calibrated.

    Example:

    >>> AccuracyNotIncreasing(max_gain=0.02).code
    'DD304'
    """

    code: ClassVar[str] = "DD304"
    symptom: ClassVar[str] = "accuracy-not-increasing"
    abbreviation: ClassVar[str] = "ANIS"
    max_gain: float = 0.01
    min_rise: float = 0.01
    max_chance: float = 0.1
    info_skill: float = 0.2

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding per output at the level of the commonest class, or one about a flat accuracy."""
        checks = settled_checks(run, CHECKS)
        judged = [one for one in checks[-1].outputs if one.accuracy is not None and one.majority is not None]
        if not judged:
            raise NotJudged("needs labels that are classes, of a Keras loss or behind a softmax or sigmoid")
        if gates.converged(run) or gates.learning_rate_run_out(run):
            return
        without_gain = [one for one in judged if all(self._gains_nothing(seen, one.name) for seen in checks)]
        severity: Severity = "error" if len(without_gain) == len(judged) else "warn"
        for output in without_gain:
            yield self._at_majority(run, output, severity)
        if not without_gain and not has_learned(run) and not all(gates.finds_others(one) for one in judged):
            yield from self._flat(run)

    def _gains_nothing(self, seen: Observation, name: str) -> bool:
        output = next((one for one in seen.outputs if one.name == name), None)
        if output is None or output.accuracy is None or output.majority is None:
            return False
        is_blind = seen.input_use is not None and not uses_input(seen)
        without_skill = is_blind if output.skill is None else lacks_skill(seen, output.skill)
        return output.accuracy <= output.majority + self.max_gain and without_skill

    def _at_majority(self, run: Run, output: OutputObservation, severity: Severity) -> Finding:
        facts = next((one for one in run.facts.outputs if one.name == output.name), None)
        accuracy, majority = output.accuracy or 0.0, output.majority or 0.0
        rows = sum(output.class_counts) or run.latest.rows or 1
        low, high = trends.wilson_interval(accuracy, rows)
        return finding(
            self,
            run.latest,
            severity,
            f"the accuracy of output '{output.name}' is {accuracy:.3g} after {run.latest.step} updates; always naming "
            f"the commonest class gives {majority:.3g}",
            location="M",
            healthy="above the share of the commonest class within 200 updates",
            value=accuracy,
            threshold=majority + self.max_gain,
            evidence={"majority": majority, "low": low, "high": high, "rows": rows, "skill": output.skill},
            layer=facts.layer if facts else None,
        )

    def _flat(self, run: Run) -> Iterator[Finding]:
        name = accuracy_name(run.latest.metrics)
        series = [] if name is None else [value for value in run.series(name) if math.isfinite(value)]
        if name is None or len(series) < LEAST:
            return
        recent = trends.window(series, 5, 0.2)
        rise, chance = -trends.fall(recent), trends.mann_kendall(recent).rising
        if rise >= self.min_rise or chance <= self.max_chance:
            return
        losses = trends.window([loss for loss in run.series("loss") if math.isfinite(loss)], 5, 0.2)
        still_falls = len(losses) > 1 and trends.mann_kendall(losses).falling <= self.max_chance
        skill = newest_skill(run)
        is_advice = still_falls or (skill is not None and skill >= self.info_skill)
        yield finding(
            self,
            run.latest,
            "info" if is_advice else "warn",
            f"the training accuracy '{name}' stands at {series[-1]:.3g} and did not rise over the newest epochs",
            location="M",
            healthy="rises by more than 1 % over the window until the skill is high",
            value=rise,
            threshold=self.min_rise,
            evidence={"p_rising": chance, "first_accuracy": series[0]},
        )
