"""DD106 input-blind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors import gates
from deepdebug.detectors.findings import finding
from deepdebug.errors import NotJudged
from deepdebug.observation import Observation, Run
from deepdebug.records import Finding

CHECKS = 3


@dataclass(frozen=True)
class InputBlind:
    """Find classifiers whose loss would be the same with the labels of other rows.

    What it does:
        Compares the loss on the probe rows with the loss after the labels have been moved to other rows, in three
        successive checks. Models that have a measurable skill or are about to get it are left out, and so are
        regressions, for which the spread of the output (DD105) says the same.

    Why it matters:
        Nothing that the model computes from a row tells which label the row has.

    How to fix:
        Check that inputs and labels belong together (were both shuffled the same way?), scale the inputs, and look for
        dead, saturated or disconnected layers.

    Args:
        min_input_use: Smallest accepted 1 - loss / loss with moved labels. Defaults to `0.02`, our first setting, not
            yet calibrated.
        max_skill: Skill above which the model is left alone. Defaults to `0.1`, our first setting, not yet calibrated.
        error_skill: Skill up to which, after 200 updates, the finding is an error. Defaults to `0.02`, our first
            setting, not yet calibrated.
        max_growth: Growth of the input's use over the checks from which the model counts as one that starts slowly.
            Defaults to `0.005`, our first setting, not yet calibrated.

    Example:

    >>> InputBlind(min_input_use=0.01).code
    'DD106'
    """

    code: ClassVar[str] = "DD106"
    symptom: ClassVar[str] = "input-blind"
    abbreviation: ClassVar[str] = "COL"
    min_input_use: float = 0.02
    max_skill: float = 0.1
    error_skill: float = 0.02
    max_growth: float = 0.005

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding when the newest three checks agree that the input is not used."""
        checks = gates.last_checks(run, CHECKS)
        now = checks[-1]
        if not any(sum(count > 0 for count in output.class_counts) > 1 for output in now.outputs):
            raise NotJudged("needs labels that are classes, at least two of them among the probe rows")
        uses = [seen.input_use for seen in checks]
        known = [use for use in uses if use is not None]
        if len(known) < CHECKS:
            raise NotJudged("needs the loss with moved labels; it is measured where the probe knows the labels")
        blind = max(known) < self.min_input_use
        skilled = now.skill is not None and now.skill > self.max_skill
        awakening = known[-1] > known[0] + self.max_growth
        if blind and not skilled and not awakening and not gates.learning_rate_rising(run, CHECKS):
            yield self._finding(now, known[-1])

    def _finding(self, now: Observation, use: float) -> Finding:
        hopeless = now.skill is not None and now.skill <= self.error_skill and now.step >= gates.SURE_UPDATES
        return finding(
            self,
            now,
            severity="error" if hopeless else "warn",
            confidence="strong",
            layer=None,
            location="FW",
            value=use,
            threshold=self.min_input_use,
            message=f"The loss of the model on {now.rows} probe rows is {now.loss or 0.0:.3g}, and {use:.3g} of it is "
            "owed to the labels standing at their own rows: the prediction does not follow the input",
            healthy="above 0.1 after the first epochs, near 1 for a solved task",
            evidence={
                "input_use": use,
                "skill": now.skill,
                "loss": now.loss,
                "permuted_loss": now.permuted_loss,
            },
        )
