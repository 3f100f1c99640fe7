"""DD411 data-scale."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors.static import examined_data, static_finding
from deepdebug.facts import Facts, InputFacts, LayerFacts
from deepdebug.observation import Run
from deepdebug.records import Finding

BYTE_MAXIMUM = 255
MIN_BYTE_RANGE = 100
MIN_PIXELS = 64


@dataclass(frozen=True)
class DataScale:
    """Find inputs on a scale at which training is hard.

    What it does:
        Looks at the median absolute value of each input, at the ratio of the interquartile ranges of its features, and
        for pixels from 0 to 255, where the first weights meet it. Inputs that a layer of the model normalises, class
        numbers for an embedding, and inputs of frozen (pretrained) layers are left out.

    Why it matters:
        Initialisations and learning rates are made for inputs of size 1. Large inputs give large activations, dead or
        saturated units and steps that overshoot; features of different size are learned at different speeds.

    How to fix:
        Put `keras.layers.Normalization()`, adapted to the training rows, or `keras.layers.Rescaling(1 / 255)` in front.

    Args:
        max_median: Largest accepted median absolute value. Defaults to `10.0`, our first setting, not yet calibrated.
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
    max_ratio: float = 1000.0

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding per input on an unsuitable scale."""
        for one in examined_data(run.facts).inputs:
            if one.numeric and one.median_absolute is not None and _meets_weights(run.facts, one):
                yield from self._judge(one, _is_normalised_after(run.facts, one))

    def _judge(self, one: InputFacts, is_normalised_after: bool) -> Iterator[Finding]:
        median, ratio, largest = one.median_absolute or 0.0, one.scale_ratio or 0.0, _largest(one)
        if ratio > self.max_ratio and largest > self.max_median:
            text = f"the interquartile ranges of the features of input '{one.name}' differ by a factor of {ratio:.3g}"
            yield self._finding(one, text, ratio, self.max_ratio)
        elif is_normalised_after:
            return
        elif median > self.max_median:
            text = f"input '{one.name}' has a median absolute value of {median:.3g}"
            yield self._finding(one, text, median, self.max_median)
        elif _is_bytes(one):
            text = f"input '{one.name}' has pixels from {one.minimum:.0f} to {one.maximum:.0f}"
            yield self._finding(one, text, largest, self.max_median)

    def _finding(self, one: InputFacts, text: str, value: float, threshold: float) -> Finding:
        return static_finding(
            self,
            "warn",
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
                "scale_ratio": one.scale_ratio,
                "largest_ranges": ", ".join(one.extreme_features),
            },
        )


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
    sources = ("input", f"input:{one.name}")
    receiving = [layer for layer in facts.layers if set(sources).intersection(layer.inputs or ())]
    return not any(_changes_values(layer) for layer in receiving)


def _changes_values(layer: LayerFacts) -> bool:
    is_geometric = layer.kind.startswith("Random") or layer.kind in ("Resizing", "CenterCrop")
    return layer.family == "other" or (layer.family == "preprocessing" and not is_geometric)


def _is_normalised_after(facts: Facts, one: InputFacts) -> bool:
    """Tell whether a normalisation directly behind the first layer takes its common scale out again."""
    first = facts.layer(one.first_learning_layer)
    behind = [layer for layer in facts.layers if first is not None and first.name in (layer.inputs or ())]
    is_linear = first is not None and first.activation == "linear"
    return is_linear and bool(behind) and all(layer.family == "normalization" for layer in behind)
