"""DD211 batch-norm-gap."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors import flow, gates, weights
from deepdebug.detectors.findings import finding
from deepdebug.errors import NotJudged
from deepdebug.facts import Facts, LayerFacts
from deepdebug.observation import Observation, Run
from deepdebug.records import Finding

CHECKS = 3


@dataclass(frozen=True)
class BatchNormGap:
    """Find models with BatchNormalization that do much worse in inference than in training mode.

    What it does:
        Compares the loss of the same probe rows in inference mode, with the moving statistics, and in training mode,
        with those of the batch, in three successive checks after the moving statistics had time to settle. Looks also
        for moving variances that are 0 or beyond all scale.

    Why it matters:
        Training looks fine while validation and prediction, which use the moving statistics, do not.

    How to fix:
        Use `BatchNormalization(momentum=0.9)` when there are few updates, a larger batch or another normalisation
        when batches are small, and drop a last batch of one row.

    Args:
        max_ratio: Largest accepted ratio of the loss in inference mode to that in training mode. Defaults to `2.0`, our
            first setting, not yet calibrated.
        error_ratio: Ratio from which the finding is an error. Defaults to `10.0`, our first setting, not yet
            calibrated.
        min_gap: Smallest difference of the losses that counts, as a share of the loss of the best constant. Defaults to
            `0.05`, our first setting, not yet calibrated.
        max_variance: Largest accepted moving variance. Defaults to `1e6`, our first setting, not yet calibrated.
        min_variance: A layer whose moving variances all lie below this gets the same input every time. Defaults to
            `1e-12`, our first setting, not yet calibrated.
        working_skill: Skill above which the moving variances are left alone. Defaults to `0.2`, our first setting, not
            yet calibrated.

    Example:

    >>> BatchNormGap(max_ratio=3.0).code
    'DD211'
    """

    code: ClassVar[str] = "DD211"
    symptom: ClassVar[str] = "batch-norm-gap"
    abbreviation: ClassVar[str] = "BN"
    max_ratio: float = 2.0
    error_ratio: float = 10.0
    min_gap: float = 0.05
    max_variance: float = 1e6
    min_variance: float = 1e-12
    working_skill: float = 0.2

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding per layer with a bad moving variance, and one when the two modes differ."""
        normalizing = [layer for layer in run.facts.layers if layer.kind == "BatchNormalization"]
        if not normalizing:
            return
        checks = gates.last_checks(run, CHECKS)
        if gates.learned(run):
            return
        yield from self._variances(run, checks)
        if any(seen.training_loss is None or seen.loss is None for seen in checks):
            raise NotJudged("the loss in training mode was not measured; needs a compiled loss and labels")
        ratios = [loss_ratio(seen) for seen in checks]
        known = [ratio for ratio in ratios if ratio is not None]
        if len(known) == CHECKS and min(known) > self.max_ratio and self._is_large(run, checks[-1]):
            yield self._gap(run, checks[-1], known, normalizing)

    def _is_large(self, run: Run, now: Observation) -> bool:
        """Tell whether the difference matters beside the loss of a constant (or, not knowing that, the first loss)."""
        constants = [output.constant_loss for output in now.outputs if output.constant_loss is not None]
        scale = sum(constants) if constants else run.observations[0].loss
        gap = (now.loss or 0.0) - (now.training_loss or 0.0)
        return scale is not None and math.isfinite(scale) and gap > self.min_gap * abs(scale)

    def _gap(self, run: Run, now: Observation, ratios: list[float], normalizing: list[LayerFacts]) -> Finding:
        fit = run.facts.fit
        return finding(
            self,
            now,
            severity="error" if min(ratios) > self.error_ratio else "warn",
            confidence="strong",
            layer=None,
            location="FW",
            value=ratios[-1],
            threshold=self.max_ratio,
            message=f"On the same {now.rows} rows the loss is {now.loss or 0.0:.3g} in inference mode and "
            f"{now.training_loss or 0.0:.3g} in training mode; the moving statistics of {len(normalizing)} "
            "BatchNormalization layers do not fit",
            healthy="a ratio between 0.5 and 1.5",
            evidence={
                "loss": now.loss,
                "training_loss": now.training_loss,
                "first_layer": normalizing[0].name,
                "momentum": _momentum(normalizing[0]),
                "batch_size": fit.batch_size,
                "updates": now.step,
                "warm_up_updates": gates.warm_up_updates(run),
            },
        )

    def _variances(self, run: Run, checks: list[Observation]) -> Iterator[Finding]:
        before, now = checks[-2:]
        if now.skill is not None and now.skill > self.working_skill:
            return
        earlier = {variable.path: variable.max_abs for variable in before.variables}
        for facts, seen in weights.pairs(run, now):
            if facts.role != "moving_variance" or facts.layer is None or seen.non_finite:
                continue
            sizes = (earlier.get(facts.path, 1.0), seen.max_abs)
            tiny, huge = max(sizes) < self.min_variance, min(sizes) > self.max_variance
            if tiny or (huge and not _sees_the_input(run.facts, facts.layer)):
                yield self._variance(now, facts.layer, seen.max_abs, tiny)

    def _variance(self, now: Observation, layer: str, size: float, tiny: bool) -> Finding:
        what = "its input is the same for every row" if tiny else "its input has a huge scale"
        return finding(
            self,
            now,
            severity="warn",
            confidence="strong" if now.confirmed else "weak",
            layer=layer,
            location="W",
            value=size,
            threshold=self.min_variance if tiny else self.max_variance,
            message=f"The largest moving variance of layer '{layer}' is {size:.3g}: {what}",
            healthy="between 1e-4 and 1e3",
            evidence={"moving_variance": size, "skill": now.skill},
        )


def loss_ratio(seen: Observation) -> float | None:
    """Return the loss in inference mode divided by that in training mode, penalties left out."""
    if seen.loss is None or seen.training_loss is None:
        return None
    penalty = seen.penalty or 0.0
    training = seen.training_loss - penalty
    ratio = (seen.loss - penalty) / training if training > 0 else None
    return ratio if ratio is not None and math.isfinite(ratio) else None


def _momentum(layer: LayerFacts) -> float | None:
    value = layer.config.get("momentum")
    return float(value) if isinstance(value, int | float) else None


def _sees_the_input(facts: Facts, name: str) -> bool:
    """Tell whether a layer normalises the data themselves, whose scale it may well take away."""
    feeding = flow.upstream(facts, name)
    learning = {one.layer for one in facts.variables if weights.is_kernel(one)}
    return feeding is None or not feeding & learning
