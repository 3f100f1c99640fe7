"""DD104 output-range."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors.shape_mismatch import is_broadcast
from deepdebug.detectors.static import (
    REGRESSIONS,
    is_constant_softmax,
    labelled_outputs,
    outputs_with_loss,
    place,
    shapes_last,
    static_finding,
)
from deepdebug.errors import NotJudged
from deepdebug.facts import LabelFacts, OutputFacts
from deepdebug.observation import Run
from deepdebug.records import Finding

INFINITY = math.inf
RANGES = {
    "sigmoid": (0.0, 1.0), "hard_sigmoid": (0.0, 1.0), "softmax": (0.0, 1.0), "tanh": (-1.0, 1.0),
    "hard_tanh": (-1.0, 1.0), "softsign": (-1.0, 1.0), "relu": (0.0, INFINITY), "relu6": (0.0, 6.0),
    "softplus": (0.0, INFINITY), "exponential": (0.0, INFINITY), "elu": (-1.0, INFINITY), "selu": (-1.7581, INFINITY),
    "gelu": (-0.17, INFINITY), "silu": (-0.2785, INFINITY), "hard_silu": (-0.375, INFINITY),
    "mish": (-0.3089, INFINITY), "log_softmax": (-INFINITY, 0.0), "log_sigmoid": (-INFINITY, 0.0),
}  # fmt: skip


@dataclass(frozen=True)
class OutputRange:
    """Find regression targets that the last activation cannot reach.

    What it does:
        Compares smallest and largest label of every output trained with a squared, absolute or similar error with the
        range of its last activation.

    Why it matters:
        The error of a label outside the range can never vanish, and it drives the layer into its flat part, where the
        gradient of all other rows vanishes too.

    How to fix:
        Use no activation in the last layer, or scale the labels into its range.

    Args:
        tolerance: Accepted excess of a label over the range. Defaults to `1e-6`, the rounding of float32.
        max_excess: Excess, in standard deviations of the labels, up to which the finding is a warning only: few labels
            just outside do little harm. Defaults to `0.1`, our first setting, not yet calibrated.

    Example:

    >>> OutputRange(tolerance=1e-3).code
    'DD104'
    """

    code: ClassVar[str] = "DD104"
    symptom: ClassVar[str] = "output-range"
    abbreviation: ClassVar[str] = "ORS"
    tolerance: float = 1e-6
    max_excess: float = 0.1

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding per output that cannot reach some of its labels."""
        outputs = outputs_with_loss(run.facts)
        regressions = [output for output in outputs if output.loss.kind in REGRESSIONS]
        known = [output for output in regressions if shapes_last(run.facts, output)]
        if regressions and not known:
            raise NotJudged(f"the activation of output '{regressions[0].name}' could not be recognised")
        for output, labels in labelled_outputs(run.facts, known) if known else ():
            if output.activation in RANGES and not is_constant_softmax(output) and not is_broadcast(output, labels):
                yield from self._judge(output, labels)

    def _judge(self, output: OutputFacts, labels: LabelFacts) -> Iterator[Finding]:
        if labels.minimum is None or labels.maximum is None:
            return
        low, high = RANGES[output.activation]
        below, above = low - labels.minimum, labels.maximum - high
        excess = max(below, above)
        if excess <= self.tolerance:
            return
        spread = math.sqrt(labels.variance or 0.0)
        yield static_finding(
            self,
            "warn" if excess <= self.max_excess * spread else "error",
            f"layer '{place(output)}' ({output.activation}) gives values from {low:.3g} to {high:.3g} and cannot reach "
            f"the labels from {labels.minimum:.3g} to {labels.maximum:.3g}",
            layer=place(output),
            location="FW",
            value=labels.minimum if below >= above else labels.maximum,
            threshold=low if below >= above else high,
            healthy="all labels inside the range of the last activation",
            evidence={"label_minimum": labels.minimum, "label_maximum": labels.maximum, "label_deviation": spread},
        )
