"""DD210 weight-scale."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors import flow, gates
from deepdebug.detectors.findings import finding
from deepdebug.detectors.initial_scale import RECTIFIERS, following_activation, recommended_std, usual_stds
from deepdebug.detectors.symmetric_weights import comes_trained, is_hidden, start_of
from deepdebug.detectors.weights import Pair, is_constant, kernels
from deepdebug.facts import Facts, VariableFacts
from deepdebug.observation import Observation, Run
from deepdebug.records import Finding, Severity


@dataclass(frozen=True)
class WeightScale:
    """Find kernels that start far larger or smaller than their number of inputs calls for.

    What it does:
        Compares the standard deviation of every trainable kernel before the first update with those of He, Glorot and
        LeCun initialisation for its shape. In stacks of rectifier layers without normalisation it also compares the
        size of the output of the last hidden layer with that of the first. Constant kernels (see DD209), recurrent
        kernels, embeddings, small last layers and models that come trained are not judged.

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
        min_depth: Hidden rectifier layers needed to judge that ratio. Defaults to `4`, our first setting, not yet
            calibrated.

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
        """Yield a finding per layer that starts at a wrong scale, notes in one; or one for the stack as a whole."""
        start = start_of(run)
        if comes_trained(start):
            return
        found = [pair for pair in kernels(run, start) if self._is_off(pair)]
        if not found:
            yield from self._judge_signal(run, start)
            return
        if gates.learned(run):
            return
        farthest: dict[str | None, Pair] = {}
        for pair in found:
            if _excess(pair) > 1 or _is_hidden(run.facts, pair[0]):
                known = farthest.get(pair[0].layer)
                farthest[pair[0].layer] = pair if known is None else max(known, pair, key=_factor)
        notes = [pair for pair in farthest.values() if self._severity(run, pair) == "info"]
        for pair in farthest.values():
            if pair not in notes:
                yield self._finding(run, start, pair, 1)
        if notes:
            yield self._finding(run, start, max(notes, key=_factor), len(notes))

    def _is_off(self, pair: Pair) -> bool:
        facts, seen = pair
        judged = facts.role.endswith("kernel") and not facts.role.startswith("recurrent") and not is_constant(seen)
        if not judged or seen.non_finite or not facts.fan_in or not facts.fan_out:
            return False
        excess = _excess(pair)
        return excess > self.max_factor or excess < 1 / self.max_factor

    def _severity(self, run: Run, pair: Pair) -> Severity:
        excess = _excess(pair)
        harmless = excess >= 1 / self.max_small_factor or _is_normalised(run.facts)
        return "info" if excess < 1 and harmless else "warn"

    def _finding(self, run: Run, start: Observation, pair: Pair, layers: int) -> Finding:
        facts, seen = pair
        excess, wanted = _excess(pair), recommended_std(run.facts, facts)
        stds = usual_stds(facts)
        others = f", and {layers - 1} layers more start as small" if layers > 1 else ""
        return finding(
            self,
            start,
            severity=self._severity(run, pair),
            confidence="strong",
            layer=facts.layer,
            location="W",
            value=seen.std,
            threshold=max(stds) * self.max_factor if excess > 1 else min(stds) / self.max_factor,
            message=f"The kernel of layer '{facts.layer}' starts with a standard deviation of {seen.std:.3g}; "
            f"{wanted:.3g} suits its {facts.fan_in} inputs{others}",
            healthy="within a factor of 4 of He, Glorot or LeCun initialisation",
            evidence={
                "variable": facts.path,
                "std": seen.std,
                "recommended_std": wanted,
                "factor": excess,
                "layers_affected": layers,
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
        yield finding(
            self,
            start,
            severity="warn",
            confidence="strong" if start.confirmed else "weak",
            layer=last,
            location="FW",
            value=ratio,
            threshold=self.max_signal_ratio if ratio > 1 else 1 / self.max_signal_ratio,
            message=f"Before training the output of layer '{last}' is {ratio:.3g} times as large as that of layer "
            f"'{first}': over {len(signals)} layers the signal {'grows' if ratio > 1 else 'fades'}",
            healthy="within a factor of 10 from the first to the last hidden layer",
            evidence={"signal_ratio": ratio, "first_layer": first, "depth": len(signals)},
        )


def _excess(pair: Pair) -> float:
    """Return by what factor the standard deviation leaves the span of the usual ones; 1 inside it."""
    stds = usual_stds(pair[0])
    low, high, std = min(stds), max(stds), pair[1].std
    return std / high if std > high else std / low if std < low else 1.0


def _factor(pair: Pair) -> float:
    excess = _excess(pair)
    return max(excess, 1 / excess)


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
    if _is_normalised(facts) or any(following_activation(facts, layer.name) not in RECTIFIERS for layer in hidden):
        return []
    sizes = {layer.name: layer.rms for layer in start.layers if not layer.non_finite}
    return [(layer.name, sizes[layer.name]) for layer in hidden if layer.name in sizes]
