"""What the engine leaves out because it cannot matter, and what it reuses of the forward pass."""

import keras
import numpy as np
import pytest
from keras import layers

from deepdebug.lrp import COMPOSITES, relevance
from deepdebug.lrp.affine import affine_parts
from deepdebug.lrp.rules import AlphaBeta, Epsilon, Gamma, ZPlus
from deepdebug.lrp.signs import nonnegative_tensors
from deepdebug.model.record import leaves, recorded_calls

X = np.random.default_rng(0).normal(size=(4, 6)).astype("float32")


def plain():
    keras.utils.set_random_seed(0)
    body = [
        layers.Conv2D(4, 3, activation="relu", bias_initializer="random_normal"),
        layers.MaxPooling2D(),
        layers.Conv2D(5, 3, bias_initializer="random_normal"),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.AveragePooling2D(2),
        layers.Flatten(),
        layers.Dense(6, "relu6"),
        layers.Dense(6, "tanh"),
        layers.Dense(3, "softmax"),
    ]
    return keras.Sequential([keras.Input((12, 12, 2)), *body]), np.random.default_rng(0).normal(size=(4, 12, 12, 2))


def branched():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 8, 2))
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(inputs)
    y = layers.Add()([x, layers.Conv2D(4, 3, padding="same")(x)])
    y = layers.Concatenate()([layers.LeakyReLU()(y), layers.Conv2D(4, 1, activation="relu")(x)])
    y = layers.Multiply()([y, layers.Conv2D(8, 1, activation="sigmoid")(y)])
    y = layers.GlobalMaxPooling2D()(layers.ReLU()(y))
    return keras.Model(inputs, layers.Dense(3)(y)), np.random.default_rng(0).normal(size=(4, 8, 8, 2))


def nonnegative_layers(*body):
    """Return the names of the layers whose output is known to hold no negative element."""
    model = keras.Sequential([keras.Input((6,)), *body])
    x = keras.ops.convert_to_tensor(X)
    with recorded_calls(leaves(model)) as calls:
        model(x, training=False)
    found = nonnegative_tensors(calls, {})
    return [call.name for call in calls if id(call.outputs[0]) in found]


@pytest.mark.parametrize(
    "layer",
    [layers.Dense(2, "relu", name="a"), layers.Dense(2, "softmax", name="a"), layers.ReLU(name="a"),
     layers.Activation("sigmoid", name="a"), layers.Softmax(name="a")],
    ids=["relu", "softmax", "layer", "activation", "softmax-layer"],
)  # fmt: skip
def test_output_without_negatives_is_known(layer):
    assert nonnegative_layers(layer) == ["a"]


@pytest.mark.parametrize(
    "layer",
    [layers.Dense(2, name="a"), layers.Dense(2, "tanh", name="a"), layers.ReLU(negative_slope=0.1, name="a"),
     layers.LeakyReLU(name="a"), layers.Flatten(name="a"), layers.BatchNormalization(name="a")],
    ids=["linear", "tanh", "leaky", "leaky-layer", "flatten", "batch-norm"],
)  # fmt: skip
def test_output_that_may_be_negative_is_not_taken_for_the_other_kind(layer):
    assert nonnegative_layers(layer) == []


def test_layers_that_keep_signs_hand_the_knowledge_on():
    body = [layers.Dense(8, "relu", name="a"), layers.Reshape((4, 2), name="b"), layers.MaxPooling1D(name="c")]
    assert nonnegative_layers(*body, layers.Dense(2, name="d"), layers.Flatten(name="e")) == ["a", "b", "c"]


@pytest.mark.parametrize("rule", [ZPlus(), AlphaBeta(2.0, 1.0), AlphaBeta(1.0, 0.0, "whole"), Gamma()], ids=repr)
def test_known_sign_changes_no_rule(rule):
    keras.utils.set_random_seed(0)
    layer = layers.Dense(5)
    layer.build((None, 6))
    layer.bias.assign(np.linspace(-1, 1, 5))
    (part,) = affine_parts(layer)
    a = keras.ops.convert_to_tensor(np.abs(X))
    relevance = keras.ops.convert_to_tensor(np.random.default_rng(1).normal(size=(4, 5)).astype("float32"))
    known = type(part)(part.apply, part.kernel, part.bias, nonnegative=True)
    results = [np.asarray(keras.ops.convert_to_numpy(rule.propagate(one, a, relevance))) for one in (part, known)]
    np.testing.assert_allclose(*results, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("rule", [Epsilon(0.5), Gamma()], ids=repr)
def test_relevance_on_positive_scores_alone_changes_no_rule(rule):
    keras.utils.set_random_seed(0)
    layer = layers.Dense(5)
    layer.build((None, 6))
    (part,) = affine_parts(layer)
    a = keras.ops.convert_to_tensor(X)
    z = keras.ops.convert_to_numpy(part.apply(a, part.kernel, part.bias))
    relevance = np.where(z > 0, np.random.default_rng(1).normal(size=(4, 5)), 0.0).astype("float32")
    known = type(part)(part.apply, part.kernel, part.bias, only_positive=True)
    results = [
        np.asarray(keras.ops.convert_to_numpy(rule.propagate(one, a, keras.ops.convert_to_tensor(relevance))))
        for one in (part, known)
    ]
    np.testing.assert_allclose(*results, rtol=1e-5, atol=1e-6)


def trusting(monkeypatch, name):
    """Make the engine believe nothing of what it knows of signs, as in the plain formulas."""
    monkeypatch.setattr(f"deepdebug.lrp.engine.{name}", lambda *_: frozenset() if "tensors" in name else False)


@pytest.mark.slow
@pytest.mark.parametrize("composite", sorted(COMPOSITES))
@pytest.mark.parametrize("build", [plain, branched], ids=["plain", "branched"])
def test_knowledge_of_signs_changes_no_relevance(monkeypatch, build, composite):
    model, x = build()
    with_knowledge = relevance(model, x, composite=composite)
    trusting(monkeypatch, "nonnegative_tensors")
    trusting(monkeypatch, "lies_on_positive")
    without = relevance(model, x, composite=composite)
    for name in without:
        worst = np.abs(with_knowledge[name] - without[name]).max()
        assert worst <= 1e-4 * np.abs(without[name]).max(), name


def test_scores_before_an_activation_are_recorded_and_the_layer_is_as_before():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(3, "relu"), layers.Dense(2)])
    activation = model.layers[0].activation
    with recorded_calls(leaves(model), scores=True) as calls:
        model(keras.ops.convert_to_tensor(X), training=False)
    np.testing.assert_allclose(
        *(np.asarray(keras.ops.convert_to_numpy(one)) for one in (keras.ops.relu(calls[0].scores), calls[0].outputs[0]))
    )
    assert model.layers[0].activation is activation
