"""DD204 zero-gradient."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors import flow, gates, weights
from deepdebug.detectors.findings import finding
from deepdebug.errors import NotJudged
from deepdebug.observation import Observation, Run
from deepdebug.records import Finding, Severity


@dataclass(frozen=True)
class ZeroGradient:
    """Find trainable layers that the loss does not depend on, or whose gradient is exactly 0.

    What it does:
        Names the layer nearest to the loss that no gradient path reaches, and the layer nearest to the loss whose
        gradient is 0 in every element in two successive checks of a task that is not solved. Biases, gammas and betas
        alone do not count. A layer that feeds no output with a loss gets a note only.

    Why it matters:
        Neither this layer nor any before it can learn, whatever the learning rate.

    How to fix:
        No path: take out `stop_gradient`, numpy, rounding or argmax behind the layer, or connect it. Exactly 0: revive
        the dead layer that the evidence names (smaller learning rate, He initialisation, leaky rectifier).

    Args:
        min_zero_fraction: Share of exact zeros from which a gradient counts as 0. Defaults to `1.0`, as SageMaker
            Debugger's AllZero.

    Example:

    >>> ZeroGradient().code
    'DD204'
    """

    code: ClassVar[str] = "DD204"
    symptom: ClassVar[str] = "zero-gradient"
    abbreviation: ClassVar[str] = "UCS"
    min_zero_fraction: float = 1.0

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield at most one finding for layers without a use, one for those without a path, one for gradients of 0."""
        now = run.latest
        layers = _by_layer(weights.in_flow_order(run, weights.trained(run, now)))
        weights.require_gradients(run, now)
        cut = [name for name, found in layers.items() if all(seen.has_gradient is False for _, seen in found)]
        unused = [name for name in cut if flow.feeds_a_loss(run.facts, name) is False]
        cut = [name for name in cut if name not in unused]
        if unused:
            yield self._finding(run, unused, "unused", "info")
        if cut:
            sure = not gates.learned(run) or flow.feeds_a_loss(run.facts, cut[-1])
            yield self._finding(run, cut, "no gradient path", "error" if sure else "warn")
        zero = [name for name, found in layers.items() if self._is_zero(found)]
        if zero:
            yield from self._judge_zero(run, zero)

    def _is_zero(self, found: list[weights.Pair]) -> bool:
        main = [seen for facts, seen in found if facts.role not in weights.SECONDARY_ROLES]
        return bool(main) and all(
            (seen.gradient_zero_fraction or 0.0) >= self.min_zero_fraction and not seen.gradient_non_finite
            for seen in main
        )

    def _judge_zero(self, run: Run, zero: list[str]) -> Iterator[Finding]:
        try:
            before = gates.last_checks(run, 2)[0]
        except NotJudged:
            return
        earlier = _by_layer(weights.trained(run, before))
        zero = [name for name in zero if self._is_zero(earlier.get(name, []))]
        if zero and not gates.converged(run) and not gates.loss_is_zero(run.latest):
            half = weights.is_half_precision(run)
            yield self._finding(run, zero, "zero gradient", "warn" if half else "error")

    def _finding(self, run: Run, names: list[str], cause: str, severity: Severity) -> Finding:
        now, name = run.latest, names[-1]
        others = f", and {len(names) - 1} layers before it in the same way" if len(names) > 1 else ""
        is_zero = cause == "zero gradient"
        what = {
            "unused": "feeds no output that has a loss, so it is not trained",
            "no gradient path": "has no gradient path from the loss",
            "zero gradient": f"has a gradient of exactly 0 on all {now.rows} probe rows",
        }[cause]
        return finding(
            self,
            now,
            severity=severity,
            confidence="strong" if is_zero else "certain",
            layer=name or None,
            location="DW",
            value=1.0 if is_zero else None,
            threshold=self.min_zero_fraction if is_zero else None,
            message=f"Layer '{name or 'unknown'}' {what}{others}",
            healthy="every trainable kernel has gradient elements other than 0",
            evidence={
                "cause": cause,
                "layers_affected": len(names),
                "first_layer": names[0] or None,
                "dead_layer": _dead_layer(now),
                "saturated_layer": _stuck_layer(now),
                "skill": now.skill,
                "learning_rate": gates.optimizer_learning_rate(run),
            },
        )


def _by_layer(found: list[weights.Pair]) -> dict[str, list[weights.Pair]]:
    layers: dict[str, list[weights.Pair]] = {}
    for pair in found:
        layers.setdefault(pair[0].layer or "", []).append(pair)
    return layers


def _dead_layer(now: Observation) -> str | None:
    """Return the first layer that is dead as a whole: it explains gradients of 0 before and right behind it."""
    return next((layer.name for layer in now.layers if (layer.dead_fraction or 0.0) >= 1.0), None)


def _stuck_layer(now: Observation) -> str | None:
    return next((layer.name for layer in now.layers if (layer.stuck_fraction or 0.0) >= 1.0), None)
