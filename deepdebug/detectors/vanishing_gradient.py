"""DD205 vanishing-gradient."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors import gates, trends, weights
from deepdebug.detectors.findings import finding
from deepdebug.detectors.weights import Depth
from deepdebug.errors import NotJudged
from deepdebug.observation import Observation, Run
from deepdebug.records import Finding

CHECKS = 3
SMALLEST = 1e-30  # stands for a gradient of exactly 0 in logarithms


@dataclass(frozen=True)
class VanishingGradient:
    """Find deep models whose gradient fades out on its way back to the first layers.

    What it does:
        Takes the gradient of each layer relative to its weights and follows it over depth. It must fall steadily toward
        the input, be at least 1000 times smaller in the first layer than in the last, and be so small that the
        optimizer cannot make up for it: Adam and its relatives rescale small gradients until these come near their
        epsilon, SGD does not. Two of the newest three checks must agree. Solved tasks and learning rates that have run
        out are left out.

    Why it matters:
        The first layers stay as they were initialised, and the later ones work on random features.

    How to fix:
        Use relu or gelu with He initialisation in place of sigmoid or tanh, put BatchNormalization or
        LayerNormalization between the layers, or add skip connections.

    Args:
        max_slope: Largest accepted slope of log10(relative gradient) per layer toward the input, below 0. Defaults to
            `-0.3`, our first setting, not yet calibrated.
        min_ratio: Smallest accepted ratio of the first to the last layer's relative gradient. Defaults to `1e-3`, as in
            AUTOTRAINER (ICSE 2021).
        min_layers: Layers with kernels below which a model is not deep enough to judge. Defaults to `4`, our first
            setting, not yet calibrated.
        epsilons: Gradient of the first layer, in units of the optimizer's epsilon, below which the update is lost.
            Defaults to `10.0`, our first setting, not yet calibrated.
        min_update: For optimizers without epsilon: relative update below which it is lost. Defaults to `1e-6`, our
            first setting, not yet calibrated.
        error_skill: Skill below which the finding is an error. Defaults to `0.2`, our first setting, not yet
            calibrated.

    Example:

    >>> VanishingGradient(min_layers=6).code
    'DD205'
    """

    code: ClassVar[str] = "DD205"
    symptom: ClassVar[str] = "vanishing-gradient"
    abbreviation: ClassVar[str] = "VGS"
    max_slope: float = -0.3
    min_ratio: float = 1e-3
    min_layers: int = 4
    epsilons: float = 10.0
    min_update: float = 1e-6
    error_skill: float = 0.2

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding when the gradient vanishes now and in one of the two checks before."""
        checks = gates.last_checks(run, CHECKS, least=2)
        now = checks[-1]
        weights.require_gradients(run, now)
        if run.facts.variables and not run.facts.layers:
            raise NotJudged("the order of the layers is not known")
        profile = weights.gradient_profile(run, now)
        gates.require_learning_rate(run)
        if not self._vanishes(run, now, profile) or gates.converged(run):
            return
        if any(self._vanishes(run, seen, weights.gradient_profile(run, seen)) for seen in checks[:-1]):
            yield self._finding(run, now, profile)

    def _vanishes(self, run: Run, seen: Observation, profile: list[Depth]) -> bool:
        if len(profile) < self.min_layers:
            return False
        first, last = profile[0], profile[-1]
        if last.relative <= 0 or first.relative > self.min_ratio * last.relative:
            return False
        return self._is_lost(run, seen, first) and trends.theil_sen(_toward_input(profile)) <= self.max_slope

    def _is_lost(self, run: Run, seen: Observation, first: Depth) -> bool:
        """Tell whether the optimizer cannot turn this gradient into a useful update."""
        optimizer = run.facts.optimizer
        if first.gradient_rms == 0:
            return True
        if optimizer is not None and optimizer.epsilon:
            return first.gradient_rms < self.epsilons * optimizer.epsilon
        if first.update_ratio is not None:
            return first.update_ratio < self.min_update
        rate = seen.learning_rate or (optimizer.learning_rate if optimizer else None)
        return rate is not None and rate * first.relative < self.min_update

    def _finding(self, run: Run, now: Observation, profile: list[Depth]) -> Finding:
        first, last = profile[0], profile[-1]
        ratio = first.relative / last.relative
        source = attenuating_layer(profile, self.max_slope)
        layer = run.facts.layer(source)
        return finding(
            self,
            now,
            severity="error" if now.skill is not None and now.skill < self.error_skill else "warn",
            confidence="strong" if now.confirmed else "weak",
            layer=first.layer,
            location="DW",
            value=ratio,
            threshold=self.min_ratio,
            message=f"The relative gradient of layer '{first.layer}' is {ratio:.3g} of that of layer '{last.layer}'; "
            f"on the way back it fades from layer '{source}' on",
            healthy="between 0.01 and 100 from the first to the last layer",
            evidence={
                "first_attenuating_layer": source,
                "attenuating_activation": layer.activation if layer else None,
                "slope": trends.theil_sen(_toward_input(profile)),
                "gradient_rms": first.gradient_rms,
                "update_ratio": first.update_ratio,
                "epsilon": run.facts.optimizer.epsilon if run.facts.optimizer else None,
                "depth": len(profile),
                "profile": ", ".join(f"{depth.layer} {depth.relative:.2g}" for depth in profile[:12]),
                "skill": now.skill,
                "learning_rate": gates.optimizer_learning_rate(run),
            },
        )


def _toward_input(profile: Sequence[Depth]) -> list[float]:
    """Return log10(relative gradient) per layer, walking from the output to the input."""
    return [math.log10(max(depth.relative, SMALLEST)) for depth in reversed(profile)]


def attenuating_layer(profile: Sequence[Depth], slope: float) -> str:
    """Return the first layer, walking from the output, whose gradient is smaller by `slope` than the next one's."""
    heights = _toward_input(profile)
    names = [depth.layer for depth in reversed(profile)]
    falls = (index for index in range(1, len(heights)) if heights[index] - heights[index - 1] <= slope)
    return names[next(falls, len(names) - 1)]
