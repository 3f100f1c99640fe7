"""DD101 dead-units."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors import flow, gates
from deepdebug.detectors.findings import finding
from deepdebug.observation import LayerObservation, Observation, Run
from deepdebug.records import Finding, Severity


@dataclass(frozen=True)
class DeadUnits:
    """Find rectifier layers in which many units never fire.

    What it does:
        Counts, per layer, the units whose output is 0 for every probe row and position, in two successive checks.
        Where the task is solved, only a share from `error_fraction` on counts.

    Why it matters:
        Such a unit has a zero gradient, so no later step can bring it back; the layer is narrower than it looks.

    How to fix:
        Lower the learning rate, use He initialisation, scale the inputs, or use a leaky rectifier.

    Args:
        max_fraction: Largest accepted share of dead units. Defaults to `0.4`, the first setting of our method, below
            the 0.5 of SageMaker Debugger's DeadRelu and the 0.7 of DeepDiagnosis, which count elements, not units.
        error_fraction: Share from which the finding is an error. Defaults to `0.9`, our first setting, not yet
            calibrated.
        working_skill: Skill below which a layer that is dead as a whole is fatal. Defaults to `0.2`, our first setting,
            not yet calibrated.

    Example:

    >>> DeadUnits(max_fraction=0.5).code
    'DD101'
    """

    code: ClassVar[str] = "DD101"
    symptom: ClassVar[str] = "dead-units"
    abbreviation: ClassVar[str] = "DNS"
    max_fraction: float = 0.4
    error_fraction: float = 0.9
    working_skill: float = 0.2

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding per layer whose newest two checks both exceed `max_fraction`."""
        before, now = gates.last_checks(run, 2)
        least = self.error_fraction if gates.learned(run) else self.max_fraction
        previous = {layer.name: layer.dead_fraction for layer in before.layers}
        at_start = {layer.name: layer.dead_fraction for layer in run.observations[0].layers}
        for layer in now.layers:
            earlier = previous.get(layer.name)
            if layer.dead_fraction is None or earlier is None or min(earlier, layer.dead_fraction) < least:
                continue
            severity = self._severity(run, now, layer.dead_fraction)
            yield self._finding(run, now, layer, at_start.get(layer.name), severity)

    def _severity(self, run: Run, now: Observation, share: float) -> Severity:
        """Grade a dead share; a model that works has ways around even a layer that is dead as a whole."""
        if gates.learned(run):
            return "warn"
        working = now.skill is not None and now.skill >= self.working_skill
        return "fatal" if share >= 1.0 and not working else "error" if share >= self.error_fraction else "warn"

    def _finding(
        self, run: Run, now: Observation, layer: LayerObservation, at_start: float | None, severity: Severity
    ) -> Finding:
        share = layer.dead_fraction or 0.0
        return finding(
            self,
            now,
            severity=severity,
            confidence="strong" if now.confirmed else "weak",
            layer=layer.name,
            location="FW",
            value=share,
            threshold=self.max_fraction,
            message=f"{share:.0%} of the units of layer '{layer.name}' output zero for all {now.rows} probe rows",
            healthy="below 10 %; a unit that fires for some rows only is normal",
            evidence={
                "dead_at_start": at_start,
                "upper_bound_on_firing": 3 / now.rows,
                "bias_rms": _bias_rms(run, now, layer.name),
                "learning_rate": gates.optimizer_learning_rate(run, now),
            },
        )


def _bias_rms(run: Run, now: Observation, name: str) -> float | None:
    """Return the size of a layer's bias: a large one holds its units at 0, a small one leaves that to the inputs."""
    owned = (one.path for one in run.facts.variables if one.layer == flow.base_name(name) and one.role == "bias")
    seen = now.variable(next(owned, ""))
    return None if seen is None else seen.rms
