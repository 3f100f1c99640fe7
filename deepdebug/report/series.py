"""The numbers behind the plots of a report: curves over epochs and maps of layers by checks."""

from __future__ import annotations

import math
import statistics
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from deepdebug.facts import Facts
from deepdebug.observation import Observation, Run, VariableObservation

MAX_LAYERS = 60
MAX_COLUMNS = 200
Cells = Mapping[str, float]  # value by layer name, at one check
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Measure:
    """One quantity that can be drawn as a map.

    Args:
        title: What it is, for the reader.
        note: How to read the colours.
        cells: Takes facts and an observation and returns the value by layer; layers without one are left out.
        low: Value of the first colour.
        high: Value of the last colour.
        colors: Name of a colour map that colour-blind readers can tell apart.
    """

    title: str
    note: str
    cells: Callable[[Facts, Observation], Cells]
    low: float
    high: float
    colors: str


@dataclass(frozen=True)
class LayerMap:
    """Values of one measure, layers by checks.

    Args:
        layers: Names of the rows.
        epochs: Epoch of the first check of each column.
        values: Values of shape (layers, columns); NaN where not measured.
        broken: Whether weights, gradient or output held NaN or infinity; same shape.
        omitted: Number of layers left out to keep the map readable.
        checks_per_column: Number of checks whose median a column shows.
    """

    layers: tuple[str, ...]
    epochs: tuple[int, ...]
    values: Numbers
    broken: npt.NDArray[np.bool_]
    omitted: int
    checks_per_column: int


def update_ratios(facts: Facts, seen: Observation) -> Cells:
    """Return log10 of the update ratio, the median over the trainable variables of each layer."""
    cells = {}
    for layer, group in _by_layer(facts, seen):
        ratios = [one.update_ratio for one in group if one.update_ratio is not None]
        known = [ratio for ratio in ratios if not math.isnan(ratio)]
        if known:
            cells[layer] = _log10(statistics.median(known))
    return cells


def gradient_sizes(facts: Facts, seen: Observation) -> Cells:
    """Return log10 of the root mean square gradient over all trainable weights of each layer."""
    sizes = {variable.path: math.prod(variable.shape) for variable in facts.variables}
    cells = {}
    for layer, group in _by_layer(facts, seen):
        known = [(sizes[one.path], one.gradient_rms) for one in group if one.gradient_rms is not None]
        total = sum(size for size, _ in known)
        if total:
            cells[layer] = _log10(math.sqrt(sum(size * rms**2 for size, rms in known) / total))
    return cells


def dead_shares(facts: Facts, seen: Observation) -> Cells:
    """Return the share of dead units of each layer."""
    return {layer.name: layer.dead_fraction for layer in seen.layers if layer.dead_fraction is not None}


def saturated_shares(facts: Facts, seen: Observation) -> Cells:
    """Return the share of saturated elements of each layer."""
    return {layer.name: layer.saturated_fraction for layer in seen.layers if layer.saturated_fraction is not None}


MEASURES = (
    Measure(
        "Update ratio", "log10 of one update divided by the weights; healthy is about -4 to -2",
        update_ratios, -6.0, 0.0, "PuOr_r",
    ),
    Measure(
        "Gradient", "log10 of the root mean square gradient; fading toward the input means vanishing",
        gradient_sizes, -10.0, 1.0, "viridis",
    ),
    Measure("Dead units", "share of units that fire for no probe row", dead_shares, 0.0, 1.0, "cividis"),
    Measure("Saturation", "share of outputs in the flat part of the activation", saturated_shares, 0.0, 1.0, "cividis"),
)  # fmt: skip


def layer_map(run: Run, measure: Measure, wanted: Iterable[str] = ()) -> LayerMap | None:
    """Return the map of one measure over all probed checks, or `None` when nothing was measured.

    Args:
        run: The run.
        measure: What to draw.
        wanted: Layers to keep when there are too many, such as those with findings. Defaults to `()`.
    """
    checks = run.probed
    cells = [measure.cells(run.facts, seen) for seen in checks]
    measured = dict.fromkeys(layer for column in cells for layer in column)
    if not measured:
        return None
    layers = _chosen(_in_data_flow(list(measured), run.facts), set(wanted))
    values = np.array([[column.get(layer, math.nan) for column in cells] for layer in layers])
    broken_at = [_broken_layers(run.facts, seen) for seen in checks]
    broken = np.array([[layer in names for names in broken_at] for layer in layers])
    width = math.ceil(len(checks) / MAX_COLUMNS)
    starts = range(0, len(checks), width)
    return LayerMap(
        layers=tuple(layers),
        epochs=tuple(checks[start].epoch for start in starts),
        values=_medians(np.clip(values, measure.low, measure.high), starts, width),
        broken=np.stack([broken[:, start : start + width].any(axis=1) for start in starts], axis=1),
        omitted=len(measured) - len(layers),
        checks_per_column=width,
    )


def _by_layer(facts: Facts, seen: Observation) -> list[tuple[str, list[VariableObservation]]]:
    owners = {variable.path: variable.layer for variable in facts.trainable_variables()}
    groups: dict[str, list[VariableObservation]] = {}
    for one in seen.variables:
        layer = owners.get(one.path)
        if layer is not None:
            groups.setdefault(layer, []).append(one)
    return list(groups.items())


def _broken_layers(facts: Facts, seen: Observation) -> set[str]:
    variables = {
        layer
        for layer, group in _by_layer(facts, seen)
        if any(one.non_finite or one.gradient_non_finite for one in group)
    }
    return variables | {layer.name for layer in seen.layers if layer.non_finite}


def _log10(value: float) -> float:
    return math.log10(value) if value > 0 else -math.inf if value == 0 else math.nan


def _in_data_flow(names: Sequence[str], facts: Facts) -> list[str]:
    order = {layer.name: index for index, layer in enumerate(facts.layers)}
    return sorted(names, key=lambda name: order.get(name.split("#")[0], len(order)))


def _chosen(names: Sequence[str], wanted: set[str]) -> list[str]:
    """Return at most `MAX_LAYERS` names, the wanted ones first and the others at even distances, in the given order."""
    if len(names) <= MAX_LAYERS:
        return list(names)
    kept = [name for name in names if name in wanted][:MAX_LAYERS]
    others = [name for name in names if name not in wanted]
    places = np.linspace(0, len(others) - 1, min(MAX_LAYERS - len(kept), len(others))).round().astype(int)
    keep = {*kept, *(others[place] for place in places)}
    return [name for name in names if name in keep]


def _medians(values: Numbers, starts: Iterable[int], width: int) -> Numbers:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a column without any value stays NaN
        return np.stack([np.nanmedian(values[:, start : start + width], axis=1) for start in starts], axis=1)


def curves(run: Run) -> tuple[dict[str, list[tuple[int, float]]], dict[str, list[tuple[int, float]]]]:
    """Return the losses and the other metrics, each as (epoch, value) by name."""
    found: dict[str, list[tuple[int, float]]] = {}
    for seen in run.epochs:
        for name, value in seen.metrics.items():
            found.setdefault(name, []).append((seen.epoch, value))
    losses = {name: points for name, points in found.items() if name.endswith("loss")}
    others = {name: points for name, points in found.items() if not name.endswith("loss")}
    others.pop("learning_rate", None)  # ReduceLROnPlateau adds it to the logs
    return losses, others


def learning_rates(run: Run) -> list[tuple[int, float]]:
    """Return the learning rate by epoch where it changed during the run, else nothing."""
    rates = [(seen.epoch, seen.learning_rate) for seen in run.epochs if seen.learning_rate is not None]
    return rates if len({rate for _, rate in rates}) > 1 else []
