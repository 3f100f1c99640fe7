"""DD210 weight-scale."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors import flow, gates
from deepdebug.detectors.symmetric_weights import comes_trained, is_hidden, start_of
from deepdebug.detectors.weights import Pair, kernels
from deepdebug.facts import Facts, VariableFacts
from deepdebug.observation import Observation, Run
from deepdebug.records import Finding, Severity

RECTIFIERS = ("relu", "relu6", "leaky_relu", "elu", "gelu", "silu")


@dataclass(frozen=True)
class WeightScale:
    """Find kernels that start far larger or smaller than their number of inputs calls for.

    What it does:
        Compares the standard deviation of every trainable kernel before the first update with those of He, Glorot and
        LeCun initialisation for its shape. In stacks of rectifier layers without normalisation it also compares the
        size of the output of the last hidden layer with that of the first. Kernels of 0 (see DD209), recurrent kernels,
        embeddings, small last layers and models that come trained are not judged.

    Why it matters:
        Signals grow or fade from layer to layer by this factor: units saturate or the gradient explodes, or the first
        steps achieve nothing.

    How to fix:
        `kernel_initializer="he_normal"` for relu, `"lecun_normal"` for selu, `"glorot_uniform"` otherwise.

    Args:
        max_factor: Largest accepted factor above the largest or below the smallest recommended value. Defaults to
            `4.0`, our first setting, not yet calibrated; TheDeepChecker accepts a variance ratio of 2.71.
        max_small_factor: Factor below the recommended value up to which it is only a note. Defaults to `40.0`, our
            first setting, not yet calibrated: shallow models train from such weights.
        max_signal_ratio: Largest accepted ratio of the outputs of the last and the first hidden layer, or its inverse.
            Defaults to `100.0`, our first setting, not yet calibrated.
        min_depth: Hidden rectifier layers needed to judge that ratio. Defaults to `4`.

    Example:

    >>> WeightScale(max_factor=8.0).code
    'DD210'
    """

    code: ClassVar[str] = "DD210"
    symptom: ClassVar[str] = "weight-scale"
    abbreviation: ClassVar[str] = "INI"
    max_factor: float = 4.0
    max_small_factor: float = 40.0
    max_signal_ratio: float = 100.0
    min_depth: int = 4

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding per layer whose kernel starts at a wrong scale, or one for the stack as a whole."""
        start = start_of(run)
        if comes_trained(start):
            return
        found = [pair for pair in kernels(run, start) if self._is_off(pair)]
        if not found:
            yield from self._judge_signal(run, start)
            return
        if gates.learned(run):
            return
        judged: set[str | None] = set()
        for pair in found:
            if pair[0].layer not in judged and (_excess(pair) > 1 or _is_hidden(run.facts, pair[0])):
                judged.add(pair[0].layer)
                yield self._finding(run, start, pair)

    def _is_off(self, pair: Pair) -> bool:
        facts, seen = pair
        judged = facts.role.endswith("kernel") and not facts.role.startswith("recurrent") and seen.std > 0
        if not judged or seen.non_finite or not facts.fan_in or not facts.fan_out:
            return False
        excess = _excess(pair)
        return excess > self.max_factor or excess < 1 / self.max_factor

    def _finding(self, run: Run, start: Observation, pair: Pair) -> Finding:
        facts, seen = pair
        excess, wanted = _excess(pair), recommended_std(run.facts, facts)
        small = excess >= 1 / self.max_small_factor and excess < 1
        severity: Severity = "info" if small or (excess < 1 and _is_normalised(run.facts)) else "warn"
        return Finding(
            code=self.code,
            symptom=self.symptom,
            abbreviation=self.abbreviation,
            severity=severity,
            confidence="strong",
            layer=facts.layer,
            location="W",
            epoch=start.epoch,
            step=start.step,
            value=seen.std,
            threshold=max(usual_stds(facts)) * self.max_factor
            if excess > 1
            else min(usual_stds(facts)) / self.max_factor,
            message=f"The kernel of layer '{facts.layer}' starts with a standard deviation of {seen.std:.3g}; "
            f"{wanted:.3g} suits its {facts.fan_in} inputs",
            healthy="within a factor of 4 of He, Glorot or LeCun initialisation",
            evidence={
                "variable": facts.path,
                "std": seen.std,
                "recommended_std": wanted,
                "factor": excess,
                "initializer": facts.initializer,
                "fan_in": facts.fan_in,
                "fan_out": facts.fan_out,
            },
        )

    def _judge_signal(self, run: Run, start: Observation) -> Iterator[Finding]:
        signals = _rectifier_signals(run.facts, start)
        if len(signals) < self.min_depth or gates.learned(run):
            return
        (first, size), (last, last_size) = signals[0], signals[-1]
        ratio = last_size / size if size > 0 else 1.0
        if 1 / self.max_signal_ratio <= ratio <= self.max_signal_ratio:
            return
        yield Finding(
            code=self.code,
            symptom=self.symptom,
            abbreviation=self.abbreviation,
            severity="warn",
            confidence="strong" if start.confirmed else "weak",
            layer=last,
            location="FW",
            epoch=start.epoch,
            step=start.step,
            value=ratio,
            threshold=self.max_signal_ratio if ratio > 1 else 1 / self.max_signal_ratio,
            message=f"Before training the output of layer '{last}' is {ratio:.3g} times as large as that of layer "
            f"'{first}': over {len(signals)} layers the signal {'grows' if ratio > 1 else 'fades'}",
            healthy="within a factor of 10 from the first to the last hidden layer",
            evidence={"signal_ratio": ratio, "first_layer": first, "depth": len(signals)},
        )


def usual_stds(facts: VariableFacts) -> tuple[float, ...]:
    """Return the standard deviations of He, LeCun and Glorot initialisation for a kernel, and Keras's own Glorot.

    Keras counts inputs and outputs by the position of the axes alone: it differs for depthwise and attention kernels.
    """
    fan_in, fan_out = facts.fan_in or 1, facts.fan_out or 1
    receptive = math.prod(facts.shape[:-2])
    keras_glorot = math.sqrt(2 / (receptive * (facts.shape[-2] + facts.shape[-1])))
    return math.sqrt(2 / fan_in), math.sqrt(1 / fan_in), math.sqrt(2 / (fan_in + fan_out)), keras_glorot


def recommended_std(facts: Facts, variable: VariableFacts) -> float:
    """Return the standard deviation that suits a kernel: He before rectifiers, LeCun before selu, else Glorot."""
    he, lecun, glorot, _ = usual_stds(variable)
    activation = _activation(facts, variable.layer)
    return he if activation in RECTIFIERS else lecun if activation == "selu" else glorot


def _activation(facts: Facts, name: str | None) -> str:
    """Return the activation of a layer, or of the activation or normalisation layers right behind a linear one."""
    layer = facts.layer(name)
    for _ in range(3):
        if layer is None or layer.activation != "linear":
            break
        following = flow.consumers(facts, layer.name) or []
        alone = len(following) == 1 and following[0].family in ("activation", "normalization", "dropout")
        layer = following[0] if alone else None
    return layer.activation if layer is not None else "linear"


def _excess(pair: Pair) -> float:
    """Return by what factor the standard deviation leaves the span of the usual ones; 1 inside it."""
    stds = usual_stds(pair[0])
    low, high, std = min(stds), max(stds), pair[1].std
    return std / high if std > high else std / low if std < low else 1.0


def _is_hidden(facts: Facts, variable: VariableFacts) -> bool:
    return variable.layer is None or is_hidden(facts, variable.layer)


def _is_normalised(facts: Facts) -> bool:
    return any(layer.family == "normalization" for layer in facts.layers)


def _rectifier_signals(facts: Facts, start: Observation) -> list[tuple[str, float]]:
    """Return (layer, size of its output) of the hidden layers of a stack of rectifiers without normalisation."""
    hidden = [
        layer
        for layer in facts.layers
        if layer.family in ("dense", "convolution") and layer.name not in flow.output_layers(facts)
    ]
    if _is_normalised(facts) or any(_activation(facts, layer.name) not in RECTIFIERS for layer in hidden):
        return []
    sizes = {layer.name: layer.rms for layer in start.layers if not layer.non_finite}
    return [(layer.name, sizes[layer.name]) for layer in hidden if layer.name in sizes]
