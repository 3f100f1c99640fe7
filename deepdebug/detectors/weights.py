"""The weights of one observation, paired with what is known of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from deepdebug.detectors import flow
from deepdebug.errors import NotJudged
from deepdebug.facts import VariableFacts
from deepdebug.observation import Observation, Run, VariableObservation

CONSTANT = 1e-5  # standard deviation, relative to the largest value, up to which a variable counts as constant
SECONDARY_ROLES = ("bias", "beta", "gamma", "alpha")  # variables that may rightly stay where they are
Pair = tuple[VariableFacts, VariableObservation]


def pairs(run: Run, seen: Observation) -> list[Pair]:
    """Return the variables that were seen, in the order of the model.

    Raises:
        NotJudged: When the model has weights and none was seen.
    """
    if run.facts.variables and not seen.variables:
        raise NotJudged("the weights were not read at this check; needs a probe of the model")
    by_path = {variable.path: variable for variable in seen.variables}
    return [(facts, by_path[facts.path]) for facts in run.facts.variables if facts.path in by_path]


def trained(run: Run, seen: Observation) -> list[Pair]:
    """Return the variables that training may change: trainable, in layers that are not frozen."""
    frozen = {layer.name for layer in run.facts.layers if not layer.trainable}
    return [pair for pair in pairs(run, seen) if pair[0].trainable and pair[0].layer not in frozen]


def is_kernel(facts: VariableFacts) -> bool:
    """Tell whether a variable is a weight matrix: two axes or more, and neither a bias nor an embedding table."""
    return len(facts.shape) >= 2 and facts.role != "bias" and "embedding" not in facts.role


def kernels(run: Run, seen: Observation) -> list[Pair]:
    """Return the trained weight matrices."""
    return [pair for pair in trained(run, seen) if is_kernel(pair[0])]


def require_gradients(run: Run, seen: Observation) -> None:
    """Raise `NotJudged` unless this observation holds the gradient that training follows."""
    if run.facts.fit.custom_train_step:
        raise NotJudged("the model overrides `train_step`, so the gradient that it trains with is not known")
    if all(variable.gradient_rms is None and variable.has_gradient is None for variable in seen.variables):
        raise NotJudged("no gradient was taken at this check; needs a compiled loss and labels for the probe rows")


def in_flow_order(run: Run, found: list[Pair]) -> list[Pair]:
    """Return the pairs in the order in which data flows through their layers, unknown layers last."""
    order = flow.positions(run.facts)
    return sorted(found, key=lambda pair: order.get(pair[0].layer or "", len(order)))


@dataclass(frozen=True, slots=True)
class Depth:
    """The gradient at one layer of a profile over depth.

    Args:
        layer: Name of the layer.
        relative: RMS of the gradient divided by RMS of the weights, of the layer's kernel with the largest.
        gradient_rms: RMS of the gradient of that kernel.
        update_ratio: RMS of one update divided by RMS of the weights of that kernel, where measured.
    """

    layer: str
    relative: float
    gradient_rms: float
    update_ratio: float | None


def gradient_profile(run: Run, seen: Observation) -> list[Depth]:
    """Return the relative gradient per layer with trained kernels, in the order in which data flows."""
    order = flow.positions(run.facts)
    best: dict[str, Depth] = {}
    for facts, variable in kernels(run, seen):
        relative, layer = variable.relative_gradient, facts.layer
        if layer not in order or relative is None or variable.gradient_rms is None or not _is_sound(variable):
            continue
        if layer not in best or relative > best[layer].relative:
            best[layer] = Depth(layer, relative, variable.gradient_rms, variable.update_ratio)
    return [best[name] for name in flow.by_flow(run.facts, best)]


def _is_sound(variable: VariableObservation) -> bool:
    return not variable.non_finite and not variable.gradient_non_finite and variable.rms > 0


def is_constant(variable: VariableObservation) -> bool:
    """Tell whether all elements of a variable have one value, but for rounding."""
    return variable.std <= CONSTANT * variable.max_abs


def alive_share(run: Run, seen: Observation) -> float | None:
    """Return the share of the trained kernels with a gradient above 0; `None` where none was taken."""
    gradients = [one.gradient_rms for _, one in kernels(run, seen) if one.gradient_rms is not None]
    return sum(gradient > 0 for gradient in gradients) / len(gradients) if gradients else None


def median_update(run: Run, seen: Observation) -> float | None:
    """Return the median over the trained kernels of log10(RMS of one update / RMS of the weights).

    Kernels without a gradient are left out: not the learning rate holds them. `None` when none is left.
    """
    ratios = [
        variable.update_ratio
        for _, variable in kernels(run, seen)
        if _is_sound(variable) and (variable.gradient_rms is None or variable.gradient_rms > 0)
    ]
    usable = [ratio for ratio in ratios if ratio is not None and math.isfinite(ratio) and ratio > 0]
    return math.log10(median(usable)) if usable else None


def recent_median_update(run: Run, checks: list[Observation]) -> float | None:
    """Return the median over these checks of `median_update`."""
    found = [one for one in _medians(run, checks) if one is not None]
    return median(found) if found else None


def _medians(run: Run, checks: list[Observation]) -> Iterator[float | None]:
    for seen in checks:
        yield median_update(run, seen)


def suggested_learning_rate(learning_rate: float | None, median_log10_update: float) -> float | None:
    """Return the learning rate that would make one update change the weights by 0.1 %, at most 100 times away.

    Example:

    >>> round(suggested_learning_rate(0.1, -1.0), 6)
    0.001
    """
    if learning_rate is None:
        return None
    return float(learning_rate * min(max(10 ** (-3 - median_log10_update), 0.01), 100.0))


def is_half_precision(run: Run) -> bool:
    """Tell whether some layer computes in float16, where gradients can leave the range of numbers by themselves."""
    return any(layer.config.get("compute_dtype") == "float16" for layer in run.facts.layers)


def median_moved(run: Run, now: Observation) -> float | None:
    """Return how far the median kernel has moved since the start, relative to its size; `None` where none is known."""
    moved = [seen.moved for _, seen in kernels(run, now) if seen.moved is not None]
    return median(moved) if moved else None
