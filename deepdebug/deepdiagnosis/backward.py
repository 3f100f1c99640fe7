"""The symptoms that DeepDiagnosis looks for in gradients and weights: NS, VGS, UCS."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.deepdiagnosis.checks import WINDOW, hit, kernels, observed_window, probed_epoch_end, unchanged
from deepdebug.errors import NotJudged
from deepdebug.observation import Observation, Run, VariableObservation
from deepdebug.records import Finding


def _gradient_check(run: Run) -> Observation:
    now = probed_epoch_end(run)
    if all(seen.gradient_rms is None for seen in now.variables):
        raise NotJudged("no gradient was taken; needs a compiled loss and labels for the probe rows")
    return now


@dataclass(frozen=True)
class NonFiniteGradient:
    """Find gradients that are NaN, infinite or 0 throughout (NS).

    Example:

    >>> NonFiniteGradient().code
    'DD202'
    """

    code: ClassVar[str] = "DD202"
    symptom: ClassVar[str] = "non-finite-gradient"
    abbreviation: ClassVar[str] = "NS"

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding per layer, from the last to the first."""
        now = _gradient_check(run)
        for facts, seen in kernels(run, now):
            if seen.gradient_non_finite:
                text = f"{seen.gradient_non_finite:.3g} of the gradient of layer '{facts.layer}' is NaN or infinite"
                yield hit(self, now, text, "DW", facts.layer, value=seen.gradient_non_finite, severity="fatal")
            elif seen.gradient_rms == 0:
                yield hit(
                    self, now, f"the gradient of layer '{facts.layer}' is 0 throughout", "DW", facts.layer, value=0.0
                )


@dataclass(frozen=True)
class VanishingGradient:
    """Find gradients close to 0 (VGS).

    Args:
        min_gradient: Smallest accepted root mean square. Defaults to `1e-7`, the bound that DeepDiagnosis (ICSE 2022)
            took from SageMaker Debugger for the mean absolute gradient.

    Example:

    >>> VanishingGradient().code
    'DD205'
    """

    code: ClassVar[str] = "DD205"
    symptom: ClassVar[str] = "vanishing-gradient"
    abbreviation: ClassVar[str] = "VGS"
    min_gradient: float = 1e-7

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding per layer, from the last to the first."""
        now = _gradient_check(run)
        for facts, seen in kernels(run, now):
            if seen.gradient_rms is not None and seen.gradient_rms < self.min_gradient:
                text = f"the gradient of layer '{facts.layer}' has a root mean square of {seen.gradient_rms:.3g}"
                yield hit(self, now, text, "DW", facts.layer, value=seen.gradient_rms, threshold=self.min_gradient)


@dataclass(frozen=True)
class NonFiniteWeights:
    """Find weights that are NaN, infinite or 0 throughout (NS).

    Example:

    >>> NonFiniteWeights().code
    'DD201'
    """

    code: ClassVar[str] = "DD201"
    symptom: ClassVar[str] = "non-finite-weights"
    abbreviation: ClassVar[str] = "NS"

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding per layer, from the last to the first."""
        now = probed_epoch_end(run)
        for facts, seen in kernels(run, now):
            if seen.non_finite:
                text = f"{seen.non_finite:.3g} of the weights of layer '{facts.layer}' is NaN or infinite"
                yield hit(self, now, text, "W", facts.layer, value=seen.non_finite, severity="fatal")
            elif seen.rms == 0:
                yield hit(
                    self, now, f"the weights of layer '{facts.layer}' are 0 throughout", "W", facts.layer, value=0.0
                )


@dataclass(frozen=True)
class UnchangedGradient:
    """Find gradients that have not changed over a window of 5 epochs (UCS).

    Example:

    >>> UnchangedGradient().code
    'DD204'
    """

    code: ClassVar[str] = "DD204"
    symptom: ClassVar[str] = "zero-gradient"
    abbreviation: ClassVar[str] = "UCS"

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding per layer, from the last to the first."""
        now = _gradient_check(run)
        for layer, records in _histories(run):
            numbers = [(one.gradient_rms, one.gradient_max) for one in records]
            known = [(rms, largest) for rms, largest in numbers if rms is not None and largest is not None]
            if len(known) == WINDOW and unchanged(known):
                text = f"the gradient of layer '{layer}' has not changed for {WINDOW} epochs"
                yield hit(self, now, text, "DW", layer)


@dataclass(frozen=True)
class UnchangedWeights:
    """Find weights that have not changed over a window of 5 epochs (UCS).

    Example:

    >>> UnchangedWeights().code
    'DD203'
    """

    code: ClassVar[str] = "DD203"
    symptom: ClassVar[str] = "unchanged-weights"
    abbreviation: ClassVar[str] = "UCS"

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding per layer, from the last to the first."""
        now = probed_epoch_end(run)
        for layer, records in _histories(run):
            if unchanged([(one.rms, one.std, one.max_abs, one.moved or 0.0) for one in records]):
                text = f"the weights of layer '{layer}' have not changed for {WINDOW} epochs"
                yield hit(self, now, text, "W", layer)


def _histories(run: Run) -> Iterator[tuple[str, list[VariableObservation]]]:
    """Yield, per layer from the last to the first, what was seen of its kernel in the window that ends now."""
    checks = [seen for seen in observed_window(run, WINDOW) if seen.variables]
    if len(checks) == WINDOW:
        for pairs in zip(*(kernels(run, seen) for seen in checks), strict=True):
            yield pairs[0][0].layer or "", [seen for _, seen in pairs]
