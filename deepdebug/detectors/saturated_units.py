"""DD102 saturated-units."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors import flow, gates, weights
from deepdebug.detectors.findings import finding
from deepdebug.facts import Facts
from deepdebug.observation import LayerObservation, Observation, Run
from deepdebug.records import Finding, Number

GATED_FAMILIES = ("recurrent", "attention")
GATING_KINDS = ("Multiply",)


@dataclass(frozen=True)
class SaturatedUnits:
    """Find hidden sigmoid and tanh layers whose units are stuck in the flat part of the function.

    What it does:
        Counts, per hidden layer, the units that stay in the flat part on one side (derivative at most 0.01 for sigmoid,
        0.02 for tanh) for at least 90 % of the probe rows. A layer with fewer such units still counts when most of its
        outputs are in a flat part and the relative gradient falls more than 10-fold across it. Two of the newest three
        checks must agree. Outputs, gates and solved tasks are left out.

    Why it matters:
        In the flat part the derivative is almost 0: the layer passes nearly the same output for every row and nearly
        no gradient to the layers before it.

    How to fix:
        Scale the inputs, use Glorot initialisation and a smaller learning rate, put BatchNormalization before the
        activation, or use relu.

    Args:
        max_fraction: Largest accepted share of stuck units, or of outputs in a flat part. Defaults to `0.5`, the share
            of nodes of SageMaker Debugger's SaturatedActivation rule.
        error_fraction: Share of stuck units from which the finding is an error. Defaults to `0.9`, our first setting,
            not yet calibrated.
        min_gradient_ratio: Smallest accepted ratio of the relative gradient before the activation to that of the next
            layer, asked for only where most outputs are in a flat part. Defaults to `0.1`, our first setting, not yet
            calibrated.

    Example:

    >>> SaturatedUnits(max_fraction=0.6).code
    'DD102'
    """

    code: ClassVar[str] = "DD102"
    symptom: ClassVar[str] = "saturated-units"
    abbreviation: ClassVar[str] = "SAS"
    max_fraction: float = 0.5
    error_fraction: float = 0.9
    min_gradient_ratio: float = 0.1

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding per hidden layer that is saturated now and in one of the two checks before."""
        checks = gates.last_checks(run, 3, least=2)
        now = checks[-1]
        suspects = {layer.name for layer in now.layers if self._share(layer) > self.max_fraction}
        if not suspects or gates.learned(run):
            return
        suspects = {name for name in suspects if _is_judged(run.facts, name)} & self._saturated(run, now)
        earlier = [self._saturated(run, seen) for seen in checks[:-1]]
        for layer in now.layers:
            if layer.name in suspects and any(layer.name in found for found in earlier):
                yield self._finding(run, now, layer)

    def _share(self, layer: LayerObservation) -> float:
        return max(layer.stuck_fraction or 0.0, layer.saturated_fraction or 0.0)

    def _saturated(self, run: Run, seen: Observation) -> set[str]:
        found = set()
        for layer in seen.layers:
            stuck, flat = layer.stuck_fraction or 0.0, layer.saturated_fraction or 0.0
            if stuck > self.max_fraction or (flat > self.max_fraction and self._loses_gradient(run, seen, layer.name)):
                found.add(layer.name)
        return found

    def _loses_gradient(self, run: Run, seen: Observation, name: str) -> bool:
        ratio = _gradient_ratio(run, seen, name)
        return ratio is not None and ratio < self.min_gradient_ratio

    def _finding(self, run: Run, now: Observation, layer: LayerObservation) -> Finding:
        share = self._share(layer)
        stuck = layer.stuck_fraction or 0.0
        return finding(
            self,
            now,
            severity="error" if stuck > self.error_fraction else "warn",
            confidence="strong" if now.confirmed else "weak",
            layer=layer.name,
            location="FW",
            value=stuck if stuck > self.max_fraction else share,
            threshold=self.max_fraction,
            message=f"{stuck:.0%} of the units of layer '{layer.name}' are stuck in the flat part of their activation "
            f"and {layer.saturated_fraction or 0.0:.0%} of its outputs lie in a flat part",
            healthy="below 10 % of the units stuck; a confident output layer is normal and not judged",
            evidence=_evidence(run, now, layer),
        )


def _is_judged(facts: Facts, call: str) -> bool:
    """Tell whether saturation of this layer means something: it is no output, no gate and no recurrent layer."""
    name = flow.base_name(call)
    layer = facts.layer(name)
    if layer is None or layer.family in GATED_FAMILIES or name in flow.output_layers(facts):
        return False
    return not flow.reaches(facts, name, GATING_KINDS)


def _gradient_ratio(run: Run, seen: Observation, call: str) -> float | None:
    """Return the relative gradient of the kernel before the activation divided by that of the kernel after it."""
    if run.facts.fit.custom_train_step:
        return None
    order = flow.positions(run.facts)
    place = order.get(flow.base_name(call))
    profile = weights.gradient_profile(run, seen)
    if place is None:
        return None
    before = [depth.relative for depth in profile if order[depth.layer] <= place]
    after = [depth.relative for depth in profile if order[depth.layer] > place]
    return before[-1] / after[0] if before and after and after[0] > 0 else None


def _evidence(run: Run, now: Observation, layer: LayerObservation) -> dict[str, Number]:
    at_start = {one.name: one.stuck_fraction for one in run.observations[0].layers}
    inputs = run.facts.data.inputs if run.facts.data else ()
    scales = [one.median_absolute for one in inputs if one.median_absolute is not None]
    return {
        "stuck_fraction": layer.stuck_fraction,
        "saturated_fraction": layer.saturated_fraction,
        "stuck_at_start": at_start.get(layer.name),
        "mean_output": layer.mean,
        "gradient_ratio": _gradient_ratio(run, now, layer.name),
        "input_scale": max(scales, default=None),
    }
