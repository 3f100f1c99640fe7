"""Frozen layers that look like an oversight: a head that cannot learn, and weights that nobody has trained."""

from __future__ import annotations

import math

from deepdebug.detectors import flow, weights
from deepdebug.detectors.initial_scale import usual_stds
from deepdebug.facts import Facts, VariableFacts
from deepdebug.observation import Run, VariableObservation

MIN_ELEMENTS = 256  # fewer do not tell a drawn kernel from a trained one; our first setting, not yet calibrated
STD_TOLERANCE = 0.1  # deviation from the initialiser's standard deviation; our first setting, not yet calibrated
# The draw of an initialiser limits its elements to so many standard deviations, and training does not: the square root
# of 3 for a uniform draw, 2 / 0.8796 for a normal one, which Keras cuts off at two standard deviations; and rounding.
LIMITS = {"Uniform": 1.7321, "Normal": 2.2738}
SCALES = {"He": (0,), "Lecun": (1,), "Glorot": (2, 3)}  # places in `usual_stds`


def frozen_heads(facts: Facts) -> list[str]:
    """Return the layers with kernels that compute an output with a loss and are frozen."""
    heads = {output.layer for output in facts.outputs if output.loss.kind != "none"}
    return [name for name in _frozen(facts) if name in heads]


def untrained_layers(run: Run) -> list[str]:
    """Return the frozen layers before the heads whose kernels are all as their initialiser has drawn them."""
    seen = next((one.variables for one in run.observations if one.variables), ())
    by_path = {variable.path: variable for variable in seen}
    heads = flow.output_layers(run.facts)
    return [
        name
        for name, kernels in _frozen(run.facts).items()
        if name not in heads and all(one.path in by_path and _is_drawn(one, by_path[one.path]) for one in kernels)
    ]


def _frozen(facts: Facts) -> dict[str, list[VariableFacts]]:
    kept = {layer.name for layer in facts.layers if not layer.trainable}
    frozen: dict[str, list[VariableFacts]] = {}
    for one in facts.variables:
        if one.layer is not None and weights.is_kernel(one) and (not one.trainable or one.layer in kept):
            frozen.setdefault(one.layer, []).append(one)
    return frozen


def _is_drawn(facts: VariableFacts, seen: VariableObservation) -> bool:
    name = facts.initializer or ""
    limit = next((limit for shape, limit in LIMITS.items() if name.endswith(shape)), 0.0)
    places = next((places for start, places in SCALES.items() if name.startswith(start)), ())
    if not facts.fan_in or math.prod(facts.shape) < MIN_ELEMENTS:
        return False
    stds = [usual_stds(facts)[place] for place in places]
    return any(seen.max_abs <= limit * std and abs(seen.std / std - 1) <= STD_TOLERANCE for std in stds)
