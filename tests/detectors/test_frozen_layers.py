from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import truncnorm

from deepdebug.detectors import frozen_layers
from deepdebug.detectors.unchanged_weights import UnchangedWeights
from tests.detectors.deep import chain, unskilled
from tests.factory import change_variable, dense, healthy_run, kernel

GLOROT = (2 / 32) ** 0.5  # of a square kernel with 16 inputs


def frozen_run(*names, epochs=5, initializer="GlorotUniform", **seen):
    layers = [dense("first"), dense("second"), dense("head", 3, "softmax")]
    facts = chain(*[replace(one, trainable=one.name not in names) for one in layers])
    facts = replace(
        facts,
        variables=tuple(
            kernel(one.name, (16, 16), trainable=one.trainable, initializer=initializer) for one in facts.layers
        ),
    )
    run = healthy_run(epochs, facts)
    for name in names:
        run = change_variable(run, f"model/{name}/kernel", std=GLOROT, max_abs=1.73 * GLOROT, moved=0.0)
        run = change_variable(run, f"model/{name}/kernel", **seen)
    return run


def found(run):
    return [(one.severity, one.layer, one.evidence["cause"]) for one in UnchangedWeights().detect(run)]


def test_frozen_head_is_advice():
    assert found(frozen_run("head")) == [("info", "head", "frozen")]


def test_frozen_head_is_seen_before_the_first_update():
    assert found(frozen_run("head", epochs=0)) == [("info", "head", "frozen")]


def test_frozen_layer_that_was_trained_before_is_silent():
    assert found(frozen_run("first", max_abs=1.74 * GLOROT)) == []
    assert found(frozen_run("first", std=1.2 * GLOROT)) == []


def test_frozen_random_layer_of_a_model_that_learns_is_advice():
    assert found(frozen_run("first")) == [("info", "first", "frozen")]


def test_frozen_random_layers_of_a_model_that_does_not_learn_are_a_warning():
    assert found(unskilled(frozen_run("first", "second"))) == [("warn", "second", "frozen")]


def test_frozen_random_layers_are_an_error_when_training_ends_without_skill():
    run = frozen_run("first", "second")
    assert found(replace(unskilled(run), finished=True)) == [("error", "second", "frozen")]
    assert found(replace(run, finished=True)) == [("info", "second", "frozen")]


def test_frozen_layers_of_a_model_with_skill_from_the_start_are_silent():
    run = frozen_run("first")
    start = run.observations[0]
    trained = replace(start, outputs=(replace(start.outputs[0], loss=0.1, constant_loss=1.0),))
    assert found(replace(run, observations=[trained, *run.observations[1:]])) == []


def test_initialiser_of_another_kind_is_not_judged():
    assert frozen_layers.untrained_layers(frozen_run("first", initializer="Orthogonal")) == []


def test_few_weights_do_not_tell():
    run = frozen_run("first")
    small = tuple(replace(one, shape=(15, 17)) for one in run.facts.variables)
    assert frozen_layers.untrained_layers(replace(run, facts=replace(run.facts, variables=small))) == []


@pytest.mark.parametrize("shape", [(8, 32), (3, 3, 4, 16), (200, 300)])
@pytest.mark.parametrize(("start", "scale"), [("Glorot", 2.0), ("He", 2.0), ("Lecun", 1.0)])
def test_what_an_initialiser_draws_is_recognised(start, scale, shape):
    fan_in, fan_out = (int(np.prod(shape[:-2])) * size for size in shape[-2:])
    std = (scale / (fan_in + fan_out if start == "Glorot" else fan_in)) ** 0.5
    draws = {
        "Uniform": np.random.default_rng(1).uniform(-(3**0.5) * std, 3**0.5 * std, shape),
        "Normal": truncnorm(-2, 2, scale=std / truncnorm(-2, 2).std()).rvs(shape, random_state=1),
    }
    for name, values in draws.items():
        run = frozen_run("first", std=float(values.std()), max_abs=float(np.abs(values).max()))
        changes = {"shape": shape, "initializer": start + name, "fan_in": fan_in, "fan_out": fan_out}
        drawn = tuple(replace(one, **changes) for one in run.facts.variables)
        assert frozen_layers.untrained_layers(replace(run, facts=replace(run.facts, variables=drawn))) == ["first"]
