"""Turns what the probe returned into an `Observation`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from deepdebug.facts import Facts
from deepdebug.observation import LayerObservation, Observation, VariableObservation
from deepdebug.observe.outputs import observe_output

Key = tuple[Any, ...]
MAX_KERNEL_SIZE = 2**22  # larger kernels are not searched for equal units
MAX_UNITS = 256  # the eigenvalues of larger kernels take too long


@dataclass(frozen=True, slots=True)
class Readings:
    """What one run of the probe returns.

    Args:
        numbers: Statistics by key: ("loss",), ("layer", name, statistic) or ("variable", index, statistic).
        predictions: One array per flat output, of shape (rows, ...); rows are cut where the output is large.
        rows: Number of probe rows; 0 when only the weights were looked at.
        graded: Whether loss and gradients were taken.
    """

    numbers: Mapping[Key, float]
    predictions: tuple[npt.NDArray[Any], ...]
    rows: int
    graded: bool


def with_readings(seen: Observation, readings: Readings, facts: Facts, labels: Sequence[Any]) -> Observation:
    """Return the observation with everything filled in that the probe saw.

    Args:
        seen: Epoch, step, trigger, metrics and learning rate.
        readings: What the probe returned.
        facts: What is known of the model.
        labels: One array per output, or `None` for an output without.
    """
    numbers = readings.numbers
    squares = [value for key, value in numbers.items() if key[-1] == "gradient_squares"]
    return replace(
        seen,
        rows=readings.rows,
        loss=numbers.get(("loss",)),
        permuted_loss=numbers.get(("permuted_loss",)),
        training_loss=numbers.get(("training_loss",)),
        penalty=numbers.get(("penalty",)),
        gradient_norm=math.sqrt(math.fsum(squares)) if squares and all(map(math.isfinite, squares)) else None,
        layers=_layers(numbers),
        variables=_variables(numbers, facts, readings.graded),
        outputs=tuple(
            observe_output(output, truth[: len(prediction)], prediction)
            for output, truth, prediction in zip(facts.outputs, labels, readings.predictions, strict=False)
            if truth is not None
        ),
    )


def _layers(numbers: Mapping[Key, float]) -> tuple[LayerObservation, ...]:
    by_layer: dict[str, dict[str, float]] = {}
    for key, value in numbers.items():
        if key[0] == "layer":
            by_layer.setdefault(key[1], {})[key[2]] = value
    return tuple(LayerObservation(name, **statistics) for name, statistics in by_layer.items())


def _variables(numbers: Mapping[Key, float], facts: Facts, graded: bool) -> tuple[VariableObservation, ...]:
    by_variable: dict[int, dict[str, float]] = {index: {} for index in range(len(facts.variables))}
    for key, value in numbers.items():
        if key[0] == "variable" and key[2] != "gradient_squares":
            by_variable[key[1]][key[2]] = value
    return tuple(
        VariableObservation(
            variable.path,
            has_gradient=("gradient_rms" in by_variable[index]) if graded and variable.trainable else None,
            **by_variable[index],
        )
        for index, variable in enumerate(facts.variables)
    )


def with_distinct_units(seen: Observation, facts: Facts, values: Sequence[npt.NDArray[Any]]) -> Observation:
    """Return the observation with the share of distinct columns of every trainable kernel.

    Args:
        seen: An observation with its variables.
        facts: What is known of the model.
        values: The weights, one array per variable.
    """
    shares = [
        distinct_columns(value) if variable.trainable and variable.fan_in and value.size <= MAX_KERNEL_SIZE else None
        for variable, value in zip(facts.variables, values, strict=True)
    ]
    variables = tuple(replace(one, distinct_units=share) for one, share in zip(seen.variables, shares, strict=True))
    return replace(seen, variables=variables)


def distinct_columns(kernel: npt.NDArray[Any]) -> float:
    """Return the share of distinct columns (last axis) of a kernel; 1 when all differ or there is only one."""
    columns = np.ascontiguousarray(kernel.reshape(-1, kernel.shape[-1]).T.astype("float32"))
    return len({column.tobytes() for column in columns}) / len(columns)


def with_spectral_radii(seen: Observation, facts: Facts, value_of: Callable[[int], npt.NDArray[Any]]) -> Observation:
    """Return the observation with the spectral radius of every recurrent kernel that a rectifier leaves unbounded.

    Args:
        seen: An observation with its variables.
        facts: What is known of the model.
        value_of: Gives the present value of the variable at a position.
    """
    rectified = {layer.name for layer in facts.layers if layer.kind == "SimpleRNN" and layer.activation == "relu"}
    if not rectified:
        return seen
    radii = [
        spectral_radius(value_of(index))
        if one.layer in rectified and one.role == "recurrent_kernel" and one.shape[-1] <= MAX_UNITS
        else None
        for index, one in enumerate(facts.variables)
    ]
    variables = tuple(replace(one, spectral_radius=radius) for one, radius in zip(seen.variables, radii, strict=True))
    return replace(seen, variables=variables)


def spectral_radius(kernel: npt.NDArray[Any]) -> float | None:
    """Return the largest absolute eigenvalue of a square matrix, `None` where an element is NaN or infinite."""
    values = kernel.astype("float64")
    return float(np.abs(np.linalg.eigvals(values)).max()) if np.isfinite(values).all() else None
