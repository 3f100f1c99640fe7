"""Reduced precision, dead channels, empty images, many calls: nothing breaks, nothing leaks."""

import gc

import keras
import numpy as np
import psutil
import pytest
from keras import layers

from deepdebug.lrp import COMPOSITES, Composite, Explainer, relevance
from deepdebug.lrp.rules import Epsilon

X = np.random.default_rng(0).random((4, 12, 12, 2), dtype="float32")
EVERY_COMPOSITE = sorted(COMPOSITES)


def network(dtype=None):
    keras.utils.set_random_seed(4)
    model = keras.Sequential(
        [
            keras.Input((12, 12, 2)),
            layers.Conv2D(6, 3, name="conv"),
            layers.BatchNormalization(name="norm"),
            layers.ReLU(),
            layers.MaxPooling2D(),
            layers.DepthwiseConv2D(3, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(5, activation="softmax", name="head"),
        ]
    )
    model.get_layer("norm").moving_variance.assign(np.linspace(0.3, 2.0, 6))
    model.get_layer("norm").moving_mean.assign(np.linspace(-0.3, 0.3, 6))
    if dtype is None:
        return model
    policies = keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy(dtype)
        reduced = keras.Sequential.from_config(model.get_config() | {"layers": _with_policy(model, dtype)})
    finally:
        keras.config.set_dtype_policy(policies)
    reduced.set_weights(model.get_weights())
    return reduced


def _with_policy(model, dtype):
    config = model.get_config()["layers"]
    for layer in config:
        if layer["class_name"] != "InputLayer":
            layer["config"]["dtype"] = dtype
    return config


def assert_finite(found):
    assert all(np.isfinite(array).all() for array in found.values())
    assert all(np.isfinite([one.inputs, one.outputs]).all() for one in found.conservation)


@pytest.mark.slow
@pytest.mark.parametrize("composite", EVERY_COMPOSITE)
@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16", "float16"])
def test_check_10_reduced_precision_gives_finite_relevance_in_single_precision(dtype, composite):
    found = relevance(network(dtype), X, composite=composite)
    assert_finite(found)
    assert {array.dtype for array in found.values()} == {np.dtype("float32")}


def test_mixed_precision_differs_little_from_single():
    exact, mixed = (relevance(network(dtype), X, composite="z-plus")["conv"] for dtype in (None, "mixed_bfloat16"))
    assert np.abs(exact - mixed).max() <= 0.05 * np.abs(exact).max()


@pytest.mark.slow
@pytest.mark.parametrize("composite", EVERY_COMPOSITE)
def test_check_10_dead_channels_and_empty_images_give_finite_relevance(composite):
    model = network()
    kernel = np.array(keras.ops.convert_to_numpy(model.get_layer("conv").kernel))
    kernel[..., :3] = 0.0  # channels that say nothing
    model.get_layer("conv").kernel.assign(kernel)
    model.get_layer("norm").gamma.assign([0.0, 1.0, 0.0, 1.0, 0.0, 1.0])
    model.get_layer("norm").moving_variance.assign([0.0, 0.0, 1.0, 1.0, 1.0, 1.0])
    explainer = Explainer(model, composite=composite)
    assert_finite(explainer(X))
    assert_finite(explainer(np.zeros_like(X)))


def test_check_10_folded_batch_norm_is_the_same_function_and_gives_the_same_relevance_in_front():
    """Batch norm with its own rule at epsilon 0 equals the convolution that it can be folded into."""
    model = network()
    norm, conv = model.get_layer("norm"), model.get_layer("conv")
    gamma, beta, mean, variance = (np.asarray(value) for value in norm.get_weights())
    scale = gamma / np.sqrt(variance + norm.epsilon)
    folded = keras.models.clone_model(model)
    folded.set_weights(model.get_weights())
    kernel, bias = conv.get_weights()
    folded.get_layer("conv").set_weights([kernel * scale, (bias - mean) * scale + beta])
    ones = np.ones_like(gamma)
    folded.get_layer("norm").set_weights([ones, 0 * ones, 0 * ones, ones - norm.epsilon])
    np.testing.assert_allclose(model.predict(X, verbose=0), folded.predict(X, verbose=0), rtol=1e-5, atol=1e-6)
    zero = Composite(Epsilon(0.0), Epsilon(0.0), Epsilon(0.0))
    ours, theirs = (relevance(one, X, composite=zero)["conv"] for one in (model, folded))
    assert np.abs(ours - theirs).max() <= 1e-3 * np.abs(theirs).max()


@pytest.mark.slow
def test_check_08_thousand_calls_leave_no_memory_behind():
    model = network()
    explainer = Explainer(model)
    for _ in range(100):
        explainer(X)
    gc.collect()
    before = psutil.Process().memory_info().rss
    for _ in range(1000):
        explainer(X)
    gc.collect()
    assert psutil.Process().memory_info().rss - before < 20 * 2**20


def test_arrays_are_read_only():
    found = relevance(network(), X)
    with pytest.raises(ValueError, match="read-only"):
        found["conv"][0] = 0.0


def test_array_stays_valid_when_everything_else_is_gone():
    array = Explainer(network(), layers=["conv"])(X)["conv"]
    before = array.copy()
    gc.collect()
    relevance(network(), np.flip(X, axis=0), composite="z-plus")
    np.testing.assert_array_equal(array, before)


def test_only_rows_given_are_answered_whatever_their_number():
    explainer = Explainer(network())
    whole = explainer(X)
    for rows in (1, 3):
        part = explainer(X[:rows])
        np.testing.assert_allclose(part["conv"], whole["conv"][:rows], rtol=1e-4, atol=1e-6)
