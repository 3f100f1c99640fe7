"""The data flow is followed through every kind of model, or its break is an error."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from deepdebug.errors import UsageError
from deepdebug.lrp import Composite, register_rule, relevance
from deepdebug.lrp.propagate import _registered
from deepdebug.lrp.rules import Epsilon, Flat

pytestmark = pytest.mark.slow
ZERO = Composite(Epsilon(0.0), Epsilon(0.0), Epsilon(0.0))
X = np.random.default_rng(0).random((4, 8, 8, 1), dtype="float32")


def assert_conserved(found):
    arrived = sum(one.reshape(len(one), -1).sum(axis=1) for one in found.inputs)
    np.testing.assert_allclose(arrived, found.explained.scores, rtol=1e-3, atol=1e-4)


class Block(layers.Layer):
    """A residual block that adds outside its layers."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.conv = layers.Conv2D(1, 3, padding="same", use_bias=False)

    def call(self, x):
        return x + self.conv(x)


def with_block():
    keras.utils.set_random_seed(1)
    inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(1, 3, padding="same", use_bias=False)(inputs)
    return keras.Model(inputs, layers.Dense(2, use_bias=False)(layers.Flatten()(Block(name="block")(x))))


def test_sum_that_a_layer_makes_by_itself_is_an_error_that_names_it():
    with pytest.raises(UsageError, match="was made by 'block' outside its layers"):
        relevance(with_block(), X)


def test_rule_of_a_layer_with_inner_layers_is_used():
    @register_rule(Block)
    def through_block(call, relevance_out):
        z, x = call.outputs[0], call.inputs[0]
        return [relevance_out * ops.ones_like(x) + 0 * z]

    try:
        found = relevance(with_block(), X, composite=ZERO)
        assert "block" in found
        assert_conserved(found)
    finally:
        del _registered[Block]


@pytest.mark.parametrize("returned", [lambda _, r: r, lambda _, r: [r, r], lambda _, r: [r[:, :1]]])
def test_rule_that_returns_something_else_is_told(returned):
    register_rule(Block)(returned)
    try:
        with pytest.raises(UsageError, match="The rule registered for Block returned"):
            relevance(with_block(), X)
    finally:
        del _registered[Block]


class Sum(keras.Model):
    def __init__(self):
        super().__init__()
        self.flat, self.a, self.b = layers.Flatten(), layers.Dense(2), layers.Dense(2)

    def call(self, x):
        x = self.flat(x)
        return self.a(x) + self.b(x)


class Auxiliary(Sum):
    def call(self, x):
        x = self.flat(x)
        main = self.a(x)
        self.b(x)
        return main


def test_output_that_no_layer_made_is_an_error():
    model = Sum()
    model(X)
    with pytest.raises(UsageError, match="was made by none of its layers"):
        relevance(model, X)


def test_relevance_begins_at_the_output_and_not_at_the_last_call():
    model = Auxiliary()
    model(X)
    found = relevance(model, X, composite=ZERO)
    np.testing.assert_allclose(found.explained.outputs, model.predict(X, verbose=0).max(axis=1), rtol=1e-4)
    assert model.b.name not in found


def test_model_with_two_outputs_is_refused():
    inputs = keras.Input((8, 8, 1))
    flat = layers.Flatten()(inputs)
    with pytest.raises(UsageError, match="has 2 outputs; expected one"):
        relevance(keras.Model(inputs, [layers.Dense(1)(flat), layers.Dense(2)(flat)]), X)


def test_constants_in_a_graph_are_no_break():
    keras.utils.set_random_seed(1)
    inputs = keras.Input((8, 8, 1))
    shifted = ops.multiply(inputs, ops.convert_to_tensor(np.full((1, 8, 8, 1), 2.0, "float32")))
    model = keras.Model(inputs, layers.Dense(2, use_bias=False)(layers.Flatten()(shifted)))
    assert relevance(model, X).inputs[0].shape == X.shape


def test_two_inputs_of_one_shape_and_another_type_keep_their_places():
    keras.utils.set_random_seed(1)
    first, second = keras.Input((3,), dtype="int32"), keras.Input((3,), dtype="int32")
    embedded = [layers.Flatten()(layers.Embedding(5, 2)(one)) for one in (second, first)]
    outputs = layers.Dense(2, use_bias=False)(layers.Concatenate()(embedded))
    model = keras.Model([first, second], outputs)
    ids = [np.array([[0, 1, 2]]), np.array([[3, 4, 3]])]
    found = relevance(model, ids, composite=ZERO, target=0)
    assert_conserved(found)
    kernel = keras.ops.convert_to_numpy(model.layers[-1].kernel)[:, 0]
    vectors = [keras.ops.convert_to_numpy(layer.embeddings) for layer in model.layers if "embedding" in layer.name]
    assert len(vectors) == 2
    expected = (vectors[0][[3, 4, 3]] * kernel[:6].reshape(3, 2)).sum(axis=1)
    other = (vectors[1][[3, 4, 3]] * kernel[:6].reshape(3, 2)).sum(axis=1)
    assert any(np.allclose(found.inputs[1][0], one, atol=1e-5) for one in (expected, other))


def test_missing_channel_axis_is_given_back():
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(2, use_bias=False)])
    found = relevance(model, X[..., 0], composite=ZERO)
    assert found.inputs[0].shape == (4, 8, 8)
    assert_conserved(found)


def test_pixels_as_whole_numbers_go_through_rescaling():
    keras.utils.set_random_seed(1)
    inputs = keras.Input((8, 8, 1), dtype="uint8")
    x = layers.Flatten()(layers.Rescaling(1 / 255)(inputs))
    model = keras.Model(inputs, layers.Dense(2, use_bias=False)(x))
    assert_conserved(relevance(model, (255 * X).astype("uint8"), composite=ZERO))


def test_rescaling_keeps_the_relevance_of_black_pixels():
    keras.utils.set_random_seed(1)
    body = [layers.Conv2D(2, 3, name="conv"), layers.Flatten(), layers.Dense(2)]
    plain = keras.Sequential([keras.Input((8, 8, 1)), *body])
    rescaled = keras.Sequential([keras.Input((8, 8, 1)), layers.Rescaling(1 / 255, offset=0.1), *body])
    x = X * (X > 0.5)
    ours = relevance(rescaled, 255 * (x - 0.1), composite="epsilon-gamma-box").inputs[0]
    theirs = relevance(plain, x, composite="epsilon-gamma-box").inputs[0]
    np.testing.assert_allclose(ours, theirs, rtol=1e-2, atol=1e-4)


@pytest.mark.parametrize("rule", ["zplus", Flat, None])
def test_what_is_no_rule_is_told(rule):
    with pytest.raises(UsageError, match=r"`convolution` got .* expected a rule"):
        Composite(Epsilon(), rule)


def test_layer_that_is_not_there_is_told():
    model = keras.Sequential([keras.Input((5,)), layers.Dense(2, name="head")])
    with pytest.raises(KeyError, match="no relevance of 'haed'; there is that of head"):
        relevance(model, np.ones((2, 5)))["haed"]


def test_nested_model_in_mixed_precision_is_followed():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        inner = keras.Sequential([keras.Input((6, 6, 2)), layers.Conv2D(2, 3, use_bias=False), layers.ReLU()])
        inputs = keras.Input((8, 8, 1))
        x = inner(layers.Conv2D(2, 3, use_bias=False)(inputs))
        model = keras.Model(inputs, layers.Dense(2, use_bias=False)(layers.Flatten()(x)))
    finally:
        keras.config.set_dtype_policy(before)
    found = relevance(model, X, composite=ZERO)
    arrived = found.inputs[0].reshape(4, -1).sum(axis=1)
    np.testing.assert_allclose(arrived, found.explained.scores, rtol=0.1, atol=1e-2)


@pytest.mark.parametrize(
    "before",
    [layers.ZeroPadding2D(1), layers.Dropout(0.5), layers.Rescaling(2.0), layers.RandomFlip()],
    ids=lambda one: type(one).__name__,
)
def test_first_rule_is_that_of_the_first_layer_that_learns(before):
    keras.utils.set_random_seed(1)
    body = [before, layers.Conv2D(2, 3, name="first"), layers.Conv2D(2, 3, name="second"), layers.Flatten()]
    model = keras.Sequential([keras.Input((8, 8, 1)), *body, layers.Dense(2)])
    plain, flat = (
        relevance(model, X, composite=Composite(Epsilon(0.1), Epsilon(0.1), first=one), layers=["first", "second"])
        for one in (None, Flat())
    )
    np.testing.assert_allclose(plain["second"], flat["second"], rtol=1e-4, atol=1e-6)
    assert np.abs(plain["first"] - flat["first"]).max() > 1e-3


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu"])
def test_activation_inside_time_distributed_is_seen(activation):
    keras.utils.set_random_seed(1)
    dense = layers.Dense(4, activation, name="dense")
    wrapped = keras.Sequential([keras.Input((3, 5)), layers.TimeDistributed(dense), layers.Flatten(), layers.Dense(2)])
    plain = keras.Sequential([keras.Input((3, 5)), layers.Dense(4, activation), layers.Flatten(), layers.Dense(2)])
    plain.set_weights(wrapped.get_weights())
    x = np.random.default_rng(0).normal(size=(4, 3, 5)).astype("float32")
    ours, theirs = (relevance(one, x, composite="epsilon").inputs[0] for one in (wrapped, plain))
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-5)


def test_products_of_vectors_share_evenly_and_lose_nothing():
    keras.utils.set_random_seed(1)
    a, b = keras.Input((5,)), keras.Input((5,))
    product = layers.Dot(axes=1)([layers.Dense(4, use_bias=False)(a), layers.Dense(4, use_bias=False)(b)])
    model = keras.Model([a, b], layers.Dense(1, use_bias=False)(product))
    x = [np.random.default_rng(seed).random((4, 5), dtype="float32") for seed in (0, 1)]
    found = relevance(model, x, composite=ZERO)
    assert_conserved(found)
    np.testing.assert_allclose(found.inputs[0].sum(axis=1), found.inputs[1].sum(axis=1), rtol=1e-3)


def test_name_of_a_shared_layer_means_all_its_calls():
    keras.utils.set_random_seed(1)
    inputs = keras.Input((5,))
    shared = layers.Dense(5, name="shared")
    model = keras.Model(inputs, layers.Dense(2)(shared(shared(inputs))))
    x = np.ones((2, 5), "float32")
    assert list(relevance(model, x, layers=["shared"])) == ["shared", "shared#2"]
    assert list(relevance(model, x, layers=["shared#2"])) == ["shared#2"]


def test_rule_by_name_is_that_of_all_calls_of_a_shared_layer():
    keras.utils.set_random_seed(1)
    inputs = keras.Input((5,))
    shared = layers.Dense(5, name="shared")
    model = keras.Model(inputs, layers.Dense(2)(shared(shared(inputs))))
    x = np.random.default_rng(0).normal(size=(3, 5)).astype("float32")
    by_name = relevance(model, x, composite=Composite(Epsilon(0.1), Epsilon(0.1), by_name={"shared": Flat()}))
    by_type = relevance(
        model, x, composite=Composite(Flat(), Epsilon(0.1), by_name={model.layers[-1].name: Epsilon(0.1)})
    )
    for name in ("shared", "shared#2"):
        np.testing.assert_allclose(by_name[name], by_type[name], rtol=1e-5)


def test_misspelt_layer_in_a_composite_is_told():
    model = keras.Sequential([keras.Input((5,)), layers.Dense(2, name="head")])
    with pytest.raises(UsageError, match=r"`by_name` of the composite names \['haed'\]"):
        relevance(model, np.ones((2, 5)), composite=Composite(Epsilon(), Epsilon(), by_name={"haed": Flat()}))


def test_sign_rules_are_refused_where_a_layer_takes_its_mean_away():
    model = keras.Sequential([keras.Input((5,)), layers.LayerNormalization(name="norm"), layers.Dense(2)])
    with pytest.raises(UsageError, match=r"layer 'norm' .* the rule Flat; layers that take"):
        relevance(model, np.ones((2, 5)), composite=Composite(Epsilon(), Epsilon(), normalization=Flat()))
