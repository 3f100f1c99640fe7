import math
from dataclasses import replace

import numpy as np
import pytest

from deepdebug.report import series
from deepdebug.report.series import MEASURES, layer_map
from tests.factory import (
    change_layer,
    change_variable,
    classifier_facts,
    dense,
    healthy_layer,
    healthy_run,
    healthy_variable,
    kernel,
    observation,
    with_metric,
)

UPDATE_RATIO, GRADIENT, DEAD, SATURATED = MEASURES


def deep_run(count, epochs=3):
    names = [f"layer_{number:03}" for number in range(count)]
    facts = classifier_facts(layers=tuple(map(dense, names)), variables=tuple(map(kernel, names)))
    return replace(
        healthy_run(1, facts),
        observations=[
            observation(facts, epoch, layers=tuple(healthy_layer(name) for name in names)) for epoch in range(epochs)
        ],
    )


def test_update_ratio_is_the_median_over_the_trainable_variables_of_a_layer():
    variables = (
        kernel("hidden"), kernel("hidden", path="b", role="bias"), kernel("hidden", path="c"),
        kernel("hidden", path="frozen", trainable=False),
    )  # fmt: skip
    facts = classifier_facts(variables=variables)
    ratios = {"model/hidden/kernel": 1e-2, "b": 1e-3, "c": 1e-5, "frozen": 1.0}
    seen = observation(
        facts, 0, variables=tuple(healthy_variable(path, rms=1.0, update_rms=ratio) for path, ratio in ratios.items())
    )
    assert series.update_ratios(facts, seen) == pytest.approx({"hidden": -3.0})


def test_gradient_of_a_layer_is_taken_over_all_its_weights():
    facts = classifier_facts(variables=(kernel("hidden", (3, 1)), kernel("hidden", (1,), path="b")))
    seen = observation(
        facts, 0,
        variables=(healthy_variable("model/hidden/kernel", gradient_rms=0.2), healthy_variable("b", gradient_rms=0.0)),
    )  # fmt: skip
    assert series.gradient_sizes(facts, seen) == pytest.approx({"hidden": math.log10(math.sqrt(3 * 0.04 / 4))})


def test_zero_update_lies_at_the_low_end_of_the_map():
    run = change_variable(healthy_run(2), "model/hidden/kernel", update_rms=0.0)
    cells = layer_map(run, UPDATE_RATIO)
    assert cells.values[cells.layers.index("hidden")].tolist() == [UPDATE_RATIO.low] * 3


def test_map_has_layers_in_data_flow_by_checks():
    cells = layer_map(healthy_run(4), UPDATE_RATIO)
    assert (cells.layers, cells.epochs) == (("hidden", "head"), (-1, 0, 1, 2, 3))
    assert cells.values.shape == (2, 5)
    assert (cells.omitted, cells.checks_per_column) == (0, 1)


def test_layers_that_a_measure_does_not_apply_to_are_no_rows():
    assert layer_map(healthy_run(), DEAD).layers == ("hidden",)


def test_measure_without_any_value_gives_no_map():
    assert layer_map(healthy_run(), SATURATED) is None


def test_check_without_the_value_is_a_hole():
    run = change_layer(healthy_run(3), "hidden", only=(1,), dead_fraction=None)
    assert np.isnan(layer_map(run, DEAD).values).tolist() == [[False, False, True, False]]


def test_non_finite_weights_gradients_and_outputs_are_marked():
    run = change_variable(healthy_run(3), "model/hidden/kernel", only=(1,), non_finite=0.5)
    run = change_variable(run, "model/hidden/kernel", only=(2,), gradient_non_finite=0.1)
    run = change_layer(run, "head", only=(0,), non_finite=0.1)
    assert layer_map(run, UPDATE_RATIO).broken.tolist() == [[False, False, True, True], [False, True, False, False]]


def test_many_layers_are_thinned_out_evenly_and_those_with_findings_kept():
    cells = layer_map(deep_run(150), DEAD, wanted=["layer_001", "layer_148"])
    assert (len(cells.layers), cells.omitted) == (series.MAX_LAYERS, 150 - series.MAX_LAYERS)
    assert {"layer_000", "layer_001", "layer_148", "layer_149"} <= set(cells.layers)
    assert list(cells.layers) == sorted(cells.layers)
    numbers = [int(name[-3:]) for name in cells.layers]
    assert max(np.diff(numbers)) <= 4


def test_many_checks_are_binned_by_their_median():
    run = healthy_run(499)
    run = change_layer(run, "hidden", only=range(300, 499), dead_fraction=1.0)
    cells = layer_map(run, DEAD)
    assert cells.values.shape == (1, 167)
    assert cells.checks_per_column == 3
    assert (cells.values[0, 0], cells.values[0, -1]) == (0.02, 1.0)
    assert (cells.epochs[0], cells.epochs[1]) == (-1, 2)


def test_one_bad_check_in_a_bin_marks_it():
    run = change_layer(healthy_run(400), "hidden", only=(200,), non_finite=0.1)
    assert layer_map(run, DEAD).broken.sum() == 1


def test_second_call_of_a_shared_layer_stands_beside_the_first():
    run = deep_run(2)
    twice = [healthy_layer("layer_001#2"), *(healthy_layer(name) for name in ("layer_000", "layer_001"))]
    run = replace(run, observations=[replace(seen, layers=tuple(twice)) for seen in run.observations])
    assert layer_map(run, DEAD).layers == ("layer_000", "layer_001#2", "layer_001")


def test_losses_and_metrics_are_told_apart():
    run = with_metric(with_metric(healthy_run(2), "val_loss", [1.0, 0.9]), "learning_rate", [0.1, 0.1])
    losses, metrics = series.curves(run)
    assert (set(losses), set(metrics)) == ({"loss", "val_loss"}, {"accuracy"})
    assert losses["val_loss"] == [(0, 1.0), (1, 0.9)]


def test_constant_learning_rate_is_no_curve():
    run = healthy_run(2)
    assert series.learning_rates(run) == []
    changed = [replace(seen, learning_rate=0.1 / (seen.epoch + 2)) for seen in run.observations]
    assert series.learning_rates(replace(run, observations=changed)) == [(0, 0.05), (1, pytest.approx(0.1 / 3))]
