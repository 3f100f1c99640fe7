"""DD411 data-scale."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors import flow, gates
from deepdebug.detectors.collapsed_output import CollapsedOutput
from deepdebug.detectors.loss_not_decreasing import LossNotDecreasing
from deepdebug.detectors.registry import judge
from deepdebug.detectors.static import examined_data, static_finding
from deepdebug.facts import Facts, InputFacts, LayerFacts
from deepdebug.observation import Run
from deepdebug.records import Finding, Severity

BYTE_MAXIMUM = 255
MIN_BYTE_RANGE = 100
MIN_PIXELS = 64
MIN_ROWS = 20  # for the quartiles of a feature; our first setting, not yet calibrated
ARITHMETIC = ("Add", "Subtract", "Multiply", "Divide")

Measured = tuple[str, float, float]


@dataclass(frozen=True)
class DataScale:
    """Find inputs on a scale at which training is hard.

    What it does:
        Looks at the median absolute value of each input and of its largest feature, at the ratio of the interquartile
        ranges of its features, and for pixels from 0 to 255, where the first weights meet it. Inputs that the model
        normalises or computes with, class numbers for an embedding, and inputs of frozen (pretrained) layers are left
        out. It is an error once the loss is no longer finite, or once DD105 or DD303 say as an error that the model
        does not learn.

    Why it matters:
        Initialisations and learning rates are made for inputs of size 1. Large inputs give large activations, dead or
        saturated units and steps that overshoot; features of different size are learned at different speeds.

    How to fix:
        Put `keras.layers.Normalization()`, adapted to the training rows, or `keras.layers.Rescaling(1 / 255)` in front.

    Args:
        max_median: Largest accepted median absolute value. Defaults to `10.0`, our first setting, not yet calibrated.
        max_feature_median: Largest accepted median absolute value of one feature beside smaller ones. Defaults to
            `100.0`, our first setting, not yet calibrated: an age in years does little harm.
        max_ratio: Largest accepted ratio of interquartile ranges between features. It counts only where some value
            exceeds `max_median`. Defaults to `1000.0`, our first setting, not yet calibrated.

    Example:

    >>> DataScale(max_median=100.0).code
    'DD411'
    """

    code: ClassVar[str] = "DD411"
    symptom: ClassVar[str] = "data-scale"
    abbreviation: ClassVar[str] = "SCL"
    max_median: float = 10.0
    max_feature_median: float = 100.0
    max_ratio: float = 1000.0

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding per input on an unsuitable scale."""
        data = examined_data(run.facts)
        severity: Severity | None = None
        for one in data.inputs:
            if one.numeric and one.median_absolute is not None and _meets_weights(run.facts, one):
                uneven = self._uneven(one) if data.rows >= MIN_ROWS else None
                found = uneven or (None if _is_normalised_after(run.facts, one) else self._large(one))
                if found is not None:
                    severity = severity or ("error" if _fails(run) else "warn")
                    yield self._finding(one, severity, *found)

    def _uneven(self, one: InputFacts) -> Measured | None:
        """Return what tells that features differ in size, which no normalisation behind the first layer can mend."""
        ratio, largest_median = one.scale_ratio or 0.0, one.largest_median or 0.0
        if ratio > self.max_ratio and _largest(one) > self.max_median:
            text = f"the interquartile ranges of the features of input '{one.name}' differ by a factor of {ratio:.3g}"
            return text, ratio, self.max_ratio
        is_common = (one.median_absolute or 0.0) > self.max_median or _is_bytes(one)
        if largest_median > self.max_feature_median and not is_common:
            text = f"a feature of input '{one.name}' has a median absolute value of {largest_median:.3g}"
            return text, largest_median, self.max_feature_median
        return None

    def _large(self, one: InputFacts) -> Measured | None:
        median = one.median_absolute or 0.0
        if median > self.max_median:
            return f"input '{one.name}' has a median absolute value of {median:.3g}", median, self.max_median
        if _is_bytes(one):
            text = f"input '{one.name}' has pixels from {one.minimum:.0f} to {one.maximum:.0f}"
            return text, _largest(one), self.max_median
        return None

    def _finding(self, one: InputFacts, severity: Severity, text: str, value: float, threshold: float) -> Finding:
        return static_finding(
            self,
            severity,
            f"{text}, which layer '{one.first_learning_layer}' receives as it is",
            layer=one.first_learning_layer,
            location="DATA",
            confidence="strong",
            value=value,
            threshold=threshold,
            healthy="values of size 1, every feature with about the same range",
            evidence={
                "minimum": one.minimum,
                "maximum": one.maximum,
                "median_absolute": one.median_absolute,
                "largest_median": one.largest_median,
                "scale_ratio": one.scale_ratio,
                "largest_ranges": ", ".join(one.extreme_features),
            },
        )


def _fails(run: Run) -> bool:
    """Tell whether the model comes to nothing, with these inputs; never so before the warm-up."""
    if not run.observations:
        return False
    symptoms = judge(run, (CollapsedOutput(), LossNotDecreasing())).findings
    return gates.broken(run) or any(symptom.severity == "error" for symptom in symptoms)


def _largest(one: InputFacts) -> float:
    return max(abs(one.minimum or 0.0), abs(one.maximum or 0.0))


def _is_bytes(one: InputFacts) -> bool:
    is_byte_range = one.integer and (one.minimum or 0) >= 0 and MIN_BYTE_RANGE < (one.maximum or 0) <= BYTE_MAXIMUM
    return is_byte_range and math.prod(one.shape) >= MIN_PIXELS


def _meets_weights(facts: Facts, one: InputFacts) -> bool:
    """Tell whether the values reach trainable weights as they are."""
    first = facts.layer(one.first_learning_layer)
    if first is None or one.normalized_by is not None or first.family == "embedding" or not first.trainable:
        return False
    return not any(_changes_values(layer) for layer in _receiving(facts, one))


def _receiving(facts: Facts, one: InputFacts) -> list[LayerFacts]:
    """Return the layers that the input reaches as it is, at most reshaped or cast on the way."""
    carrying, receiving = {"input", f"input:{one.name}"}, []
    for layer in facts.layers:
        if carrying.intersection(layer.inputs or ()):
            receiving.append(layer)
            if layer.family in flow.RESHAPING:
                carrying.add(layer.name)
    return receiving


def _changes_values(layer: LayerFacts) -> bool:
    """Tell whether a layer or operation that an input reaches may give its values another scale."""
    if layer.family == "merge":
        return layer.kind in ARITHMETIC and len(layer.inputs or ()) == 1  # with a number: no other layer feeds it
    is_geometric = layer.kind.startswith("Random") or layer.kind in ("Resizing", "CenterCrop")
    return layer.family == "other" or (layer.family == "preprocessing" and not is_geometric)


def _is_normalised_after(facts: Facts, one: InputFacts) -> bool:
    """Tell whether a normalisation directly behind the first layer takes its common scale out again."""
    first = facts.layer(one.first_learning_layer)
    behind = [layer for layer in facts.layers if first is not None and first.name in (layer.inputs or ())]
    is_linear = first is not None and first.activation == "linear"
    return is_linear and bool(behind) and all(layer.family == "normalization" for layer in behind)
