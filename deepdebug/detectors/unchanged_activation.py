"""DD107 unchanged-activation."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors import flow, gates
from deepdebug.detectors.findings import finding
from deepdebug.facts import LEARNING_FAMILIES, Facts
from deepdebug.observation import LayerObservation, Observation, Run
from deepdebug.records import Finding

JUDGED_FAMILIES = (*LEARNING_FAMILIES, "activation")


@dataclass(frozen=True)
class UnchangedActivation:
    """Find the first hidden layer whose output stays the same while training goes on.

    What it does:
        Compares mean, root mean square and maximum of the layer's output on the same probe rows over five successive
        checks. Layers that nothing trainable feeds, outputs, solved tasks and runs whose learning rate has run out are
        left out.

    Why it matters:
        The weights up to that layer are being trained, yet it answers as before: the updates do not arrive or do not
        matter.

    How to fix:
        Look for dead or saturated units, a learning rate near 0, or an operation that blocks the gradient.

    Args:
        max_change: Largest change that still counts as none, relative to the root mean square of the output. Defaults
            to `1e-6`, our first setting, not yet calibrated: some units in the last place of float32.
        patience: Successive checks without a change. Defaults to `5`, the window of DeepDiagnosis.
        min_updates: Updates before the first of them. Defaults to `100`, our first setting, not yet calibrated.
        error_skill: Skill up to which the finding is an error. Defaults to `0.02`, our first setting, not yet
            calibrated.

    Example:

    >>> UnchangedActivation(patience=3).code
    'DD107'
    """

    code: ClassVar[str] = "DD107"
    symptom: ClassVar[str] = "unchanged-activation"
    abbreviation: ClassVar[str] = "UCS"
    max_change: float = 1e-6
    patience: int = 5
    min_updates: int = 100
    error_skill: float = 0.02

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding for the first layer that has not changed over the newest `patience` checks."""
        checks = self._comparable(gates.last_checks(run, 2 * self.patience, self.min_updates, self.patience))
        gates.require_learning_rate(run)
        if len(checks) < 2 or gates.converged(run):
            return
        suspects = {layer.name for layer in checks[-1].layers}
        for older, newer in itertools.pairwise(reversed(checks)):
            suspects &= self._unchanged(older.layers, newer.layers)
            if not suspects:
                return
        found = [layer for layer in run.latest.layers if layer.name in suspects and _is_judged(run.facts, layer.name)]
        if found:
            yield self._finding(run, found)

    def _comparable(self, checks: list[Observation]) -> list[Observation]:
        """Return the newest `patience` checks on the same rows; one on more rows, made to confirm, stands for one."""
        usual = Counter((seen.rows, seen.confirmed) for seen in checks).most_common(1)[0][0]
        same = [seen for seen in checks if (seen.rows, seen.confirmed) == usual]
        wanted = self.patience if same[-1] is checks[-1] else self.patience - 1
        return same[-wanted:] if len(same) >= wanted else []

    def _unchanged(self, before: Sequence[LayerObservation], now: Sequence[LayerObservation]) -> set[str]:
        earlier = {layer.name: layer for layer in before}
        return {layer.name for layer in now if layer.name in earlier and self._same(earlier[layer.name], layer)}

    def _same(self, one: LayerObservation, other: LayerObservation) -> bool:
        if one.non_finite or other.non_finite:
            return False
        tolerance = self.max_change * max(one.rms, other.rms)
        changes = (one.mean - other.mean, one.rms - other.rms, one.maximum - other.maximum)
        return all(abs(change) <= tolerance for change in changes)

    def _finding(self, run: Run, found: list[LayerObservation]) -> Finding:
        now, first = run.latest, found[0]
        hopeless = now.skill is not None and now.skill <= self.error_skill
        return finding(
            self,
            now,
            severity="error" if hopeless else "warn",
            confidence="strong",
            layer=first.name,
            location="FW",
            value=0.0,
            threshold=self.max_change,
            message=f"The output of layer '{first.name}' has stayed the same (rms {first.rms:.3g}) over "
            f"{self.patience} checks although trainable weights feed it",
            healthy="changes by more than 1e-4 of its size from epoch to epoch while the model learns",
            evidence={
                "rms": first.rms,
                "layers_affected": len(found),
                "dead_fraction": first.dead_fraction,
                "stuck_fraction": first.stuck_fraction,
                "learning_rate": gates.optimizer_learning_rate(run),
                "skill": now.skill,
            },
        )


def _is_judged(facts: Facts, call: str) -> bool:
    """Tell whether training should change this output: a hidden layer that something trainable surely feeds."""
    name = flow.base_name(call)
    layer = facts.layer(name)
    if layer is None or layer.family not in JUDGED_FAMILIES or name in flow.output_layers(facts):
        return False
    trained = {one.layer for one in facts.variables if one.trainable}
    feeding = flow.upstream(facts, name)
    if feeding is not None:
        return bool(feeding & trained)
    return name in trained and all(one.trainable for one in facts.layers)
