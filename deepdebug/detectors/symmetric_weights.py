"""DD209 symmetric-weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors import flow, gates, weights
from deepdebug.detectors.findings import finding
from deepdebug.errors import NotJudged
from deepdebug.facts import Facts, VariableFacts
from deepdebug.observation import Observation, Run, VariableObservation
from deepdebug.records import Finding

PRETRAINED_SKILL = 0.2  # our first setting, not yet calibrated
BRANCH_ENDS = ("Add", "Multiply", "Average")
BRANCH_LAYERS = (*flow.RESHAPING, "normalization")


@dataclass(frozen=True)
class SymmetricWeights:
    """Find hidden layers whose units all start with the same weights.

    What it does:
        Compares the columns of every trainable kernel before the first update. Last layers may start alike, since the
        labels tell their units apart; so may the last kernel of a skip connection's branch when it is 0. Recurrent
        kernels, biases, embeddings and models that come trained are not judged.

    Why it matters:
        Units with equal weights compute the same and, behind equal weights, get equal gradients: the layer acts as one
        unit however wide it is. With weights of 0 and relu nothing is learned at all.

    How to fix:
        Initialise the kernel at random: `kernel_initializer="he_normal"` for relu, `"glorot_uniform"` otherwise.

    Args:
        min_distinct: Smallest accepted share of distinct columns. Defaults to `0.5`, our first setting, not yet
            calibrated; one single distinct column is an error, below this share it is a warning.

    Example:

    >>> SymmetricWeights(min_distinct=0.9).code
    'DD209'
    """

    code: ClassVar[str] = "DD209"
    symptom: ClassVar[str] = "symmetric-weights"
    abbreviation: ClassVar[str] = "INI"
    min_distinct: float = 0.5

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding per hidden layer whose kernel has too few distinct columns before training."""
        start = start_of(run)
        suspects = [pair for pair in weights.kernels(run, start) if self._is_suspect(*pair)]
        if not suspects or comes_trained(start) or gates.learned(run):
            return
        judged: set[str | None] = set()
        for facts, seen in suspects:
            if facts.layer not in judged and _matters(run, start, facts, seen):
                judged.add(facts.layer)
                yield self._finding(start, facts, seen)

    def _is_suspect(self, facts: VariableFacts, seen: VariableObservation) -> bool:
        judged = facts.role.endswith("kernel") and not facts.role.startswith("recurrent") and facts.shape[-1] >= 2
        return judged and seen.distinct_units is not None and not seen.non_finite and self._is_low(facts, seen)

    def _is_low(self, facts: VariableFacts, seen: VariableObservation) -> bool:
        return seen.distinct_units is not None and (
            seen.distinct_units < self.min_distinct or _is_symmetric(facts, seen.distinct_units)
        )

    def _finding(self, start: Observation, facts: VariableFacts, seen: VariableObservation) -> Finding:
        share = seen.distinct_units or 0.0
        columns = max(1, round(share * facts.shape[-1]))
        constant = f", all of them {seen.max_abs:.3g} in size" if weights.is_constant(seen) else ""
        return finding(
            self,
            start,
            severity="error" if _is_symmetric(facts, share) else "warn",
            confidence="certain",
            layer=facts.layer,
            location="W",
            value=share,
            threshold=self.min_distinct,
            message=f"The kernel of layer '{facts.layer}' starts with {columns} distinct columns for "
            f"{facts.shape[-1]} units{constant}",
            healthy="all columns differ",
            evidence={
                "variable": facts.path,
                "initializer": facts.initializer,
                "std": seen.std,
                "max_abs": seen.max_abs,
                "units": facts.shape[-1],
            },
        )


def start_of(run: Run) -> Observation:
    """Return the observation before the first update, or raise `NotJudged`."""
    start = run.observations[0] if run.observations else None
    if start is None or start.epoch >= 0 or (run.facts.variables and not start.variables):
        raise NotJudged("the weights were not read before the first update")
    return start


def comes_trained(start: Observation) -> bool:
    """Tell whether the model has skill before the first update, so that its weights are no initial weights."""
    return start.skill is not None and start.skill > PRETRAINED_SKILL


def _is_symmetric(facts: VariableFacts, share: float) -> bool:
    return share * facts.shape[-1] < 1.5


def _matters(run: Run, start: Observation, facts: VariableFacts, seen: VariableObservation) -> bool:
    """Tell whether a later layer learns from this one, and it is not the zero end of a residual branch."""
    if facts.layer is None:
        return True
    ends_branch = seen.max_abs == 0 and flow.reaches(run.facts, facts.layer, BRANCH_ENDS, BRANCH_LAYERS)
    return is_hidden(run.facts, facts.layer) and not ends_branch


def is_hidden(facts: Facts, name: str) -> bool:
    """Tell whether a later layer with a trainable kernel learns from this one."""
    order = flow.positions(facts)
    learning = {one.layer for one in facts.trainable_variables() if weights.is_kernel(one)} - {name, None}
    later = [one for one in learning if one is not None and order.get(one, -1) > order.get(name, -1)]
    feeding = [flow.upstream(facts, one) for one in later]
    if any(names is None for names in feeding):
        return bool(later) and name not in flow.output_layers(facts)
    return any(name in names for names in feeding if names is not None)
