"""DD203 unchanged-weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors import flow, frozen_layers, gates, weights
from deepdebug.detectors.findings import finding
from deepdebug.detectors.progress import GOOD_SKILL, newest_skill
from deepdebug.detectors.symmetric_weights import comes_trained
from deepdebug.errors import NotJudged
from deepdebug.observation import Observation, Run
from deepdebug.records import Finding, Severity

CHECKS = 2
# A change of a float16 or bfloat16 weight is real however small: rounding leaves such weights exactly where they were.
EPSILONS = {"float64": 2.0**-52}
FLOAT32_EPSILON = 2.0**-23
SEVERITIES: dict[str, Severity] = {
    "no gradient path": "error",
    "zero gradient": "error",
    "learning rate zero": "error",
    "update below resolution": "warn",
    "unknown": "warn",
}


@dataclass(frozen=True)
class UnchangedWeights:
    """Find trainable layers whose weights are still where they started.

    What it does:
        Measures the largest change of every trainable variable since the start of `fit`, after enough updates and in
        two successive checks, and says what holds it: no gradient path, a gradient of exactly 0, a learning rate of 0,
        or updates too small for the number format. Layers held by the same cause make one finding. Biases, gammas and
        betas alone do not count: theirs may rightly be 0, as that of a bias before BatchNormalization. A model without
        any trainable variable is reported at once: `fit` cannot change it. So are a frozen last layer and frozen
        layers that hold the very numbers of their initialiser; both are advice, for both can be meant, and the latter a
        warning while a model with such layers has not learned half of its task, and an error when training ends so.

    Why it matters:
        The layer takes no part in learning.

    How to fix:
        Set `layer.trainable = True` before `compile`, connect the layer to the loss (no `stop_gradient`, numpy or
        rounding in between), or raise the learning rate.

    Args:
        min_updates: Updates before a variable is judged. Defaults to `100`, our first setting, not yet calibrated.
        resolution: Change that still counts as none, in units of the number format's resolution. Defaults to `8.0`, our
            first setting, not yet calibrated.

    Example:

    >>> UnchangedWeights(min_updates=200).code
    'DD203'
    """

    code: ClassVar[str] = "DD203"
    symptom: ClassVar[str] = "unchanged-weights"
    abbreviation: ClassVar[str] = "UCS"
    min_updates: int = 100
    resolution: float = 8.0

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield a finding per cause, for the layer nearest to the loss; for no layer where every layer is unchanged."""
        if run.facts.variables and not run.facts.trainable_variables():
            yield self._all_frozen(run)
            return
        frozen = list(self._frozen(run))
        yield from frozen
        try:
            found = list(self._unmoved(run))
        except NotJudged:
            if not frozen:
                raise
        else:
            yield from found

    def _unmoved(self, run: Run) -> Iterator[Finding]:
        before, now = gates.last_checks(run, CHECKS, self.min_updates)
        candidates = [pair for pair in weights.trained(run, now) if pair[0].role not in weights.SECONDARY_ROLES]
        if any(seen.moved is None for _, seen in candidates):
            raise NotJudged("the weights at the start of `fit` are not known")
        gates.require_learning_rate(run)
        layers: dict[str | None, list[weights.Pair]] = {}
        for pair in weights.in_flow_order(run, candidates):
            layers.setdefault(pair[0].layer, []).append(pair)
        stuck = {name: found for name, found in layers.items() if self._all_stuck(run, before, found)}
        if stuck:
            yield from self._by_cause(run, stuck, whole=len(stuck) == len(layers))

    def _by_cause(self, run: Run, stuck: dict[str | None, list[weights.Pair]], whole: bool) -> Iterator[Finding]:
        learned = gates.learned(run)
        groups: dict[tuple[str, bool], list[str | None]] = {}
        for name, found in stuck.items():
            unused = name is not None and flow.feeds_a_loss(run.facts, name) is False
            groups.setdefault((_cause(run, found), unused), []).append(name)
        for (cause, unused), names in groups.items():
            if learned and cause != "no gradient path":
                continue
            severity: Severity = "info" if unused else "warn" if learned else SEVERITIES[cause]
            everywhere = whole and len(groups) == 1
            yield self._finding(run, None if everywhere else names[-1], [stuck[one] for one in names], cause, severity)

    def _all_stuck(self, run: Run, before: Observation, found: list[weights.Pair]) -> bool:
        if not all(self._is_stuck(run, pair, pair[1].moved) for pair in found):
            return False
        earlier = {seen.path: seen.moved for seen in before.variables}
        return all(self._is_stuck(run, pair, earlier.get(pair[0].path)) for pair in found)

    def _is_stuck(self, run: Run, pair: weights.Pair, moved: float | None) -> bool:
        """Tell whether a variable has not moved; one that started at 0 must stand at 0, for it resolves any change."""
        if moved is None:
            return False
        if moved == 0:
            return True
        bound = self.resolution * EPSILONS.get(pair[0].dtype, FLOAT32_EPSILON)
        half = pair[0].dtype in ("float16", "bfloat16")
        return moved <= bound and not half and not _started_at_zero(run, pair)

    def _finding(
        self, run: Run, layer: str | None, groups: list[list[weights.Pair]], cause: str, severity: Severity
    ) -> Finding:
        now = run.latest
        facts, nearest = groups[-1][0]
        moved = max(seen.moved or 0.0 for found in groups for _, seen in found)
        place = f"of layer '{layer}'" if layer else "of all layers"
        others = f" and of {len(groups) - 1} layers before it" if layer and len(groups) > 1 else ""
        return finding(
            self,
            now,
            severity=severity,
            confidence="strong",
            layer=layer,
            location="W",
            value=moved,
            threshold=self.resolution * EPSILONS.get(facts.dtype, FLOAT32_EPSILON),
            message=f"The trainable weights {place}{others} have changed by {moved:.3g} of their size in {now.step} "
            f"updates ({cause})",
            healthy="above 0.01 after some hundred updates",
            evidence={
                "cause": cause,
                "variable": facts.path,
                "layers_affected": len(groups),
                "first_layer": groups[0][0][0].layer,
                "gradient_rms": nearest.gradient_rms,
                "update_ratio": nearest.update_ratio,
                "learning_rate": gates.optimizer_learning_rate(run),
            },
        )

    def _all_frozen(self, run: Run) -> Finding:
        count = len(run.facts.variables)
        text = f"none of the {count} weight variables of the model is trainable, so `fit` changes nothing"
        return self._of_frozen(run, "error", text, None, count)

    def _frozen(self, run: Run) -> Iterator[Finding]:
        heads = frozen_layers.frozen_heads(run.facts)
        if heads:
            text = f"layer '{heads[-1]}', which computes an output, is frozen, and only layers before it learn"
            yield self._of_frozen(run, "info", text, heads[-1], len(heads))
        random = frozen_layers.untrained_layers(run) if not comes_trained(run.observations[0]) else []
        if random:
            skill = newest_skill(run)
            has_failed = gates.is_warm(run, run.latest) and skill is not None and skill < GOOD_SKILL
            severity: Severity = "info" if not has_failed else "error" if run.finished else "warn"
            among = f", one of {len(random)} such layers," if len(random) > 1 else ""
            text = f"layer '{random[-1]}'{among} is frozen with the random weights of its initialiser"
            yield self._of_frozen(run, severity, text, random[-1], len(random))

    def _of_frozen(self, run: Run, severity: Severity, text: str, layer: str | None, count: int) -> Finding:
        return finding(
            self,
            run.latest,
            severity,
            text,
            confidence="certain" if layer is None else "strong",
            layer=layer,
            location="CONFIG",
            healthy="the last layer is trainable, and a frozen one was trained before",
            evidence={"cause": "frozen", "variables_affected" if layer is None else "layers_affected": count},
        )


def _started_at_zero(run: Run, pair: weights.Pair) -> bool:
    start = run.observations[0]
    seen = start.variable(pair[0].path) if start.epoch < 0 else None
    return seen.max_abs == 0 if seen is not None else pair[1].max_abs <= (pair[1].moved or 0.0)


def _cause(run: Run, found: list[weights.Pair]) -> str:
    """Say what holds these variables; where the gradient is not the user's own, only the learning rate can tell."""
    rates = gates.learning_rates(run)
    own = not run.facts.fit.custom_train_step
    if own and all(seen.has_gradient is False for _, seen in found):
        return "no gradient path"
    if rates and max(rates) == 0:
        return "learning rate zero"
    if own and all(seen.gradient_zero_fraction == 1 and not seen.gradient_non_finite for _, seen in found):
        return "zero gradient"
    ratios = [seen.update_ratio for _, seen in found if seen.update_ratio is not None]
    small = own and bool(ratios) and max(ratios) <= FLOAT32_EPSILON
    return "update below resolution" if small else "unknown"
