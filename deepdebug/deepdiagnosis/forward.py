"""The symptoms that DeepDiagnosis looks for in layer outputs: ORS, NS, DNS, SAS, UCS."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.deepdiagnosis.checks import WINDOW, epoch_end, hit, observed_window, probed_epoch_end, unchanged
from deepdebug.detectors import flow
from deepdebug.detectors.static import CATEGORICAL, SPARSE, labels_of
from deepdebug.errors import NotJudged
from deepdebug.facts import LabelFacts, OutputFacts
from deepdebug.observation import LayerObservation, Observation, Run
from deepdebug.records import Finding

RANGES = {
    "sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0), "relu": (0.0, math.inf), "elu": (-1.0, math.inf),
    "linear": (-math.inf, math.inf),
}  # fmt: skip
SATURATING = ("sigmoid", "tanh")
ACTIVATING_FAMILIES = ("dense", "convolution", "activation")
FIXED_FAMILIES = ("reshape", "preprocessing")


@dataclass(frozen=True)
class OutputRange:
    """Find a last activation that does not fit the labels (ORS), in the first epoch.

    Args:
        max_spread: Largest accepted ratio of the range of a linear output to that of the labels. Defaults to `10.0`,
            from the program of DeepDiagnosis (ICSE 2022).

    Example:

    >>> OutputRange().code
    'DD104'
    """

    code: ClassVar[str] = "DD104"
    symptom: ClassVar[str] = "output-range"
    abbreviation: ClassVar[str] = "ORS"
    max_spread: float = 10.0

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding per output whose labels its activation cannot give."""
        now = probed_epoch_end(run)
        if now.epoch > 0:
            return
        for output in run.facts.outputs:
            labels = labels_of(run.facts, output)
            if labels is None or labels.minimum is None or labels.maximum is None:
                raise NotJudged("needs the labels; pass `probe=(x, y)`")
            text = self._mismatch(now, output, labels, labels.minimum, labels.maximum)
            if text:
                yield hit(self, now, text, "FW", output.activation_layer or output.layer)

    def _mismatch(self, now: Observation, output: OutputFacts, labels: LabelFacts, low: float, high: float) -> str:
        if output.activation not in RANGES:
            return ""
        what = f"{output.activation} of layer '{output.activation_layer or output.layer}'"
        if output.activation in ("relu", "linear") and output.loss.kind in (*CATEGORICAL, *SPARSE):
            return f"the {what} is trained with {output.loss.kind}"
        least, most = RANGES[output.activation]
        if low < least or high > most:
            return f"the {what} cannot give the labels from {low:.3g} to {high:.3g}"
        seen = next((one for one in now.layers if one.name == (output.activation_layer or output.layer)), None)
        spread = seen.maximum - seen.minimum if seen is not None else 0.0
        if output.activation == "linear" and spread > self.max_spread * (high - low):
            return f"the {what} has a range of {spread:.3g}, the labels one of {high - low:.3g}"
        return ""


@dataclass(frozen=True)
class NonFiniteActivation:
    """Find layer outputs that are NaN, infinite or 0 throughout (NS).

    Example:

    >>> NonFiniteActivation().code
    'DD103'
    """

    code: ClassVar[str] = "DD103"
    symptom: ClassVar[str] = "non-finite-activation"
    abbreviation: ClassVar[str] = "NS"

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding per layer, in the order in which data flow."""
        now = probed_epoch_end(run)
        for layer in now.layers:
            if layer.non_finite:
                text = f"{layer.non_finite:.3g} of the output of layer '{layer.name}' is NaN or infinite"
                yield hit(self, now, text, "FW", layer.name, value=layer.non_finite, severity="fatal")
            elif layer.minimum == layer.maximum == 0:
                yield hit(self, now, f"the output of layer '{layer.name}' is 0 throughout", "FW", layer.name, value=0.0)


@dataclass(frozen=True)
class DeadUnits:
    """Find rectifier layers whose output is mostly 0 (DNS), in the last planned epoch.

    Args:
        min_fraction: Share of elements that are 0 from which a layer is dead. Defaults to `0.7`, from the program of
            DeepDiagnosis (ICSE 2022).

    Example:

    >>> DeadUnits().code
    'DD101'
    """

    code: ClassVar[str] = "DD101"
    symptom: ClassVar[str] = "dead-units"
    abbreviation: ClassVar[str] = "DNS"
    min_fraction: float = 0.7

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding per layer, in the order in which data flow."""
        now = probed_epoch_end(run)
        if run.facts.fit.epochs is None and not run.finished:
            raise NotJudged("is judged in the last planned epoch, whose number is not known")
        if run.facts.fit.epochs is not None and now.epoch != run.facts.fit.epochs - 1:
            return
        for layer in now.layers:
            if layer.zero_fraction is not None and layer.zero_fraction >= self.min_fraction:
                text = f"{layer.zero_fraction:.0%} of the output of layer '{layer.name}' is 0"
                yield hit(self, now, text, "FW", layer.name, value=layer.zero_fraction, threshold=self.min_fraction)


@dataclass(frozen=True)
class SaturatedUnits:
    """Find sigmoid and tanh layers whose output is mostly flat (SAS), every fifth epoch, output layers included.

    Args:
        max_fraction: Largest accepted share of elements in the flat part. Defaults to `0.5`, from the program of
            DeepDiagnosis (ICSE 2022).

    Example:

    >>> SaturatedUnits().code
    'DD102'
    """

    code: ClassVar[str] = "DD102"
    symptom: ClassVar[str] = "saturated-units"
    abbreviation: ClassVar[str] = "SAS"
    max_fraction: float = 0.5

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding per layer, in the order in which data flow."""
        now = probed_epoch_end(run)
        if (now.epoch + 1) % WINDOW:
            return
        for layer in now.layers:
            if (layer.saturated_fraction or 0.0) > self.max_fraction and _is_judged(run, layer):
                text = f"{layer.saturated_fraction:.0%} of the output of layer '{layer.name}' is in a flat part"
                yield hit(
                    self, now, text, "FW", layer.name, value=layer.saturated_fraction, threshold=self.max_fraction
                )


def _is_judged(run: Run, layer: LayerObservation) -> bool:
    facts = run.facts.layer(flow.base_name(layer.name))
    return facts is not None and facts.activation in SATURATING and facts.family in ACTIVATING_FAMILIES


@dataclass(frozen=True)
class UnchangedActivation:
    """Find layer outputs that have not changed over a window of 5 epochs (UCS); the last layer is not judged.

    Example:

    >>> UnchangedActivation().code
    'DD107'
    """

    code: ClassVar[str] = "DD107"
    symptom: ClassVar[str] = "unchanged-activation"
    abbreviation: ClassVar[str] = "UCS"

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding per layer, in the order in which data flow."""
        now = epoch_end(run)
        checks = observed_window(run, WINDOW)
        if checks and not all(seen.layers for seen in checks):
            raise NotJudged("the model was not probed; pass `probe=(x, y)`")
        judged = zip(*(seen.layers[:-1] for seen in checks), strict=False)
        for records in judged:
            facts = run.facts.layer(flow.base_name(records[0].name))
            if (
                facts is not None
                and facts.family not in FIXED_FAMILIES
                and unchanged([_numbers(one) for one in records])
            ):
                text = f"the output of layer '{facts.name}' has not changed for {WINDOW} epochs"
                yield hit(self, now, text, "FW", records[0].name)


def _numbers(layer: LayerObservation) -> tuple[float, ...]:
    return layer.mean, layer.rms, layer.minimum, layer.maximum
