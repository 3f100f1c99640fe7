"""DD105 collapsed-output."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors import gates
from deepdebug.detectors.findings import finding
from deepdebug.errors import NotJudged
from deepdebug.facts import OutputFacts
from deepdebug.observation import Observation, OutputObservation, Run
from deepdebug.records import Finding

CHECKS = 3
CONSTANT = 1e-6  # spread of labels, relative to 1, below which they count as constant


@dataclass(frozen=True)
class CollapsedOutput:
    """Find outputs that are the same for every row.

    What it does:
        Compares how much the prediction differs between rows with how much the labels do, and counts how often each
        class is predicted. Three successive checks must agree, and the spread must not be growing. Constant labels, and
        a commonest class that explains most labels, are left out. Before 200 updates it is a warning.

    Why it matters:
        A model that answers the same whatever it is asked has learned the labels' average and nothing from its input.

    How to fix:
        Scale the inputs, lower the learning rate, look for dead or saturated layers before the output, and check that
        labels stand in the order of their rows.

    Args:
        min_spread_ratio: Smallest accepted ratio of the variance between rows of the prediction to that of the labels.
            Defaults to `1e-3`, our first setting, not yet calibrated.
        max_share: Largest accepted share of rows for which one class is predicted. Defaults to `0.99`, our first
            setting, not yet calibrated.
        max_majority: Share of the commonest class among the labels from which predicting it alone is accepted.
            Defaults to `0.9`, our first setting, not yet calibrated.
        max_skill: Skill from which predicting one class alone is accepted. Defaults to `0.02`, our first setting, not
            yet calibrated.
        max_growth: Growth of the spread over the checks, as a factor, from which the output counts as one that starts
            slowly. Defaults to `1.1`, our first setting, not yet calibrated.

    Example:

    >>> CollapsedOutput(max_share=0.95).code
    'DD105'
    """

    code: ClassVar[str] = "DD105"
    symptom: ClassVar[str] = "collapsed-output"
    abbreviation: ClassVar[str] = "COL"
    min_spread_ratio: float = 1e-3
    max_share: float = 0.99
    max_majority: float = 0.9
    max_skill: float = 0.02
    max_growth: float = 1.1

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding per output that has been constant in the newest three checks."""
        checks = gates.last_checks(run, CHECKS)
        judged = [one for one in checks[-1].outputs if label_spread(one) is not None]
        if not judged:
            raise NotJudged("needs labels that are not all the same for the probe rows")
        if gates.learning_rate_rising(run, CHECKS):
            return
        for output in judged:
            history = [_find(seen, output.name) for seen in checks]
            if all(self._collapsed(one) for one in history) and not self._opens_up(history):
                yield self._finding(run, checks[-1], output)

    def _collapsed(self, output: OutputObservation | None) -> bool:
        if output is None:
            return False
        ratio = spread_ratio(output)
        return (ratio is not None and ratio < self.min_spread_ratio) or self._one_class(output)

    def _one_class(self, output: OutputObservation) -> bool:
        if output.predicted_share is None or output.majority is None:
            return False
        skilled = output.skill is not None and output.skill >= self.max_skill
        return output.predicted_share > self.max_share and output.majority < self.max_majority and not skilled

    def _opens_up(self, history: Sequence[OutputObservation | None]) -> bool:
        """Tell whether the prediction has begun to differ between rows, as in a slow start."""
        spreads = [one.row_spread for one in history if one is not None and one.row_spread is not None]
        return len(spreads) > 1 and spreads[-1] > self.max_growth * spreads[0]

    def _finding(self, run: Run, now: Observation, output: OutputObservation) -> Finding:
        facts = next((one for one in run.facts.outputs if one.name == output.name), None)
        ratio, one_class = spread_ratio(output), self._one_class(output)
        unsure = facts is not None and facts.loss.kind in ("custom", "none")
        return finding(
            self,
            now,
            severity="warn" if unsure or now.step < gates.SURE_UPDATES else "error",
            confidence="strong",
            layer=facts.layer if facts else None,
            location="FW",
            value=output.predicted_share if one_class else ratio,
            threshold=self.max_share if one_class else self.min_spread_ratio,
            message=_message(output, facts, now.rows, one_class),
            healthy="the variance of the prediction between rows is at least 1 % of that of the labels",
            evidence={
                "spread_ratio": ratio,
                "predicted_share": output.predicted_share,
                "predicted_class": _predicted_class(output),
                "majority": output.majority,
                "skill": output.skill,
                "input_use": now.input_use,
            },
        )


def label_spread(output: OutputObservation) -> float | None:
    """Return the standard deviation of the labels over the rows; of their one-hot form where they are classes.

    `None` where it is not known or the labels are constant.
    """
    rows = sum(output.class_counts)
    if rows:
        shares = [count / rows for count in output.class_counts]
        spread: float | None = math.sqrt(sum(share * (1 - share) for share in shares) / len(shares))
    else:
        spread = output.label_spread
    return spread if spread is not None and spread > CONSTANT else None


def spread_ratio(output: OutputObservation) -> float | None:
    """Return the variance of the prediction between rows divided by that of the labels."""
    of_labels = label_spread(output)
    if of_labels is None or output.row_spread is None:
        return None
    return (output.row_spread / of_labels) ** 2


def _find(seen: Observation, name: str) -> OutputObservation | None:
    return next((output for output in seen.outputs if output.name == name), None)


def _predicted_class(output: OutputObservation) -> int | None:
    found = [index for index, recall in enumerate(output.recalls) if recall is not None and recall > 0.5]
    return found[0] if len(found) == 1 else None


def _message(output: OutputObservation, facts: OutputFacts | None, rows: int, one_class: bool) -> str:
    place = f" (layer '{facts.layer}')" if facts is not None and facts.layer else ""
    if one_class:
        return (
            f"Output '{output.name}'{place} gives one class for {output.predicted_share:.0%} of the {rows} probe rows; "
            f"the commonest label has {output.majority:.0%}"
        )
    return (
        f"Output '{output.name}'{place} varies between the {rows} probe rows by {spread_ratio(output):.3g} of the "
        "variance of the labels"
    )
