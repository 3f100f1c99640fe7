import keras
import numpy as np
import pytest
from keras import layers, ops

from deepdebug.lrp.rules import Epsilon
from deepdebug.lrp.scaling import scaling_part

X = np.random.RandomState(0).normal(size=(4, 5, 6)).astype("float32")


def built(layer, spread=True):
    layer.build((None, 5, 6))
    if spread:
        draw = np.random.RandomState(1)
        layer.set_weights([draw.uniform(0.5, 3.0, one.shape) for one in layer.get_weights()])
    return layer


def through(layer, relevance):
    part = scaling_part(layer, ops.convert_to_tensor(X))
    found = Epsilon(1e-9).propagate(part, ops.convert_to_tensor(X), ops.convert_to_tensor(relevance))
    return part, ops.convert_to_numpy(found)


LAYERS = {
    "batch": lambda: built(layers.BatchNormalization()),
    "batch_axis": lambda: built(layers.BatchNormalization(axis=1)),
    "batch_plain": lambda: built(layers.BatchNormalization(scale=False, center=False)),
    "layer": lambda: built(layers.LayerNormalization()),
    "layer_axes": lambda: built(layers.LayerNormalization(axis=(1, 2))),
    "layer_plain": lambda: built(layers.LayerNormalization(scale=False, center=False)),
    "group": lambda: built(layers.GroupNormalization(groups=3)),
    "group_axis": lambda: built(layers.GroupNormalization(groups=5, axis=1)),
    "group_each": lambda: built(layers.GroupNormalization(groups=-1)),
    "unit": lambda: built(layers.UnitNormalization()),
    "rms": lambda: built(layers.RMSNormalization()),
}


@pytest.mark.parametrize("build", LAYERS.values(), ids=LAYERS)
def test_part_computes_what_the_layer_computes(build):
    layer = build()
    part = scaling_part(layer, ops.convert_to_tensor(X))
    found = part.apply(ops.convert_to_tensor(X), part.kernel, part.bias)
    np.testing.assert_allclose(ops.convert_to_numpy(found), ops.convert_to_numpy(layer(X)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["batch_plain", "layer_plain", "unit", "rms"])
def test_relevance_is_conserved_where_nothing_is_added(kind):
    layer = LAYERS[kind]()
    if kind == "batch_plain":
        layer.moving_mean.assign(np.zeros(6))
    relevance = np.random.RandomState(2).rand(*X.shape).astype("float32")
    _, found = through(layer, relevance)
    np.testing.assert_allclose(found.sum(axis=(1, 2)), relevance.sum(axis=(1, 2)), rtol=2e-3)


def test_batch_norm_shares_by_scaled_input_against_output():
    layer = LAYERS["batch"]()
    relevance = np.ones_like(X)
    gamma, _, _, variance = layer.get_weights()
    y = ops.convert_to_numpy(layer(X))
    _, found = through(layer, relevance)
    np.testing.assert_allclose(found, X * gamma / np.sqrt(variance + layer.epsilon) / y, rtol=1e-3)


def test_statistics_of_the_input_are_held_fixed():
    layer = LAYERS["layer_plain"]()
    part = scaling_part(layer, ops.convert_to_tensor(X))
    doubled = part.apply(ops.convert_to_tensor(2 * X), part.kernel, part.bias)
    np.testing.assert_allclose(ops.convert_to_numpy(doubled), 2 * ops.convert_to_numpy(layer(X)), rtol=1e-4, atol=1e-5)


def test_other_layers_are_none():
    assert scaling_part(keras.layers.Dense(2), ops.convert_to_tensor(X)) is None
