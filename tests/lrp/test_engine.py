"""Relevance through whole models."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import layers, ops

from deepdebug.errors import UsageError
from deepdebug.lrp import COMPOSITES, Composite, Explainer, register_rule, relevance
from deepdebug.lrp.rules import Epsilon

X = np.random.RandomState(0).rand(6, 12, 12, 2).astype("float32")
ZERO = Composite(Epsilon(0.0), Epsilon(0.0), Epsilon(0.0))


def without_bias(*body, head="softmax"):
    """Return a functional model; `body` are layers without bias."""
    keras.utils.set_random_seed(3)
    inputs = outputs = keras.Input((12, 12, 2))
    for layer in body:
        outputs = layer(outputs)
    outputs = layers.Flatten()(outputs) if len(outputs.shape) > 2 else outputs
    return keras.Model(inputs, layers.Dense(3, head, use_bias=False)(outputs))


def conv(filters=4, size=3, **settings):
    return layers.Conv2D(filters, size, use_bias=False, **settings)


def residual():
    keras.utils.set_random_seed(3)
    inputs = keras.Input((12, 12, 2))
    x = conv(activation="relu", padding="same")(inputs)
    x = layers.ReLU()(layers.Add()([x, conv(padding="same")(x)]))
    x = layers.Concatenate()([x, layers.Average()([x, x])])
    return keras.Model(inputs, layers.Dense(3, use_bias=False)(layers.GlobalAveragePooling2D()(x)))


MODELS = {
    "valid": lambda: without_bias(conv(activation="relu"), conv(strides=2, activation="relu")),
    "dilated": lambda: without_bias(conv(dilation_rate=2, activation="relu")),
    "grouped": lambda: without_bias(conv(groups=2, padding="same", activation="relu")),
    "depthwise": lambda: without_bias(layers.DepthwiseConv2D(3, use_bias=False), layers.ReLU()),
    "transposed": lambda: without_bias(conv(strides=2), layers.Conv2DTranspose(2, 3, use_bias=False)),
    "max_pooling": lambda: without_bias(conv(activation="relu"), layers.MaxPooling2D(3, 2)),
    "average_pooling": lambda: without_bias(conv(activation="relu"), layers.AveragePooling2D(2)),
    "global_max": lambda: without_bias(conv(activation="relu"), layers.GlobalMaxPooling2D()),
    "moved": lambda: without_bias(layers.Permute((2, 1, 3)), layers.Reshape((24, 12, 1)), conv(), layers.Dropout(0.5)),
    "residual": residual,
}


def by_operations():
    keras.utils.set_random_seed(3)
    inputs = keras.Input((12, 12, 2))
    x = ops.relu(conv()(inputs / 2.0))
    x = ops.concatenate([ops.max(x, axis=(1, 2)), ops.mean(x, axis=(1, 2)), ops.sum(-x, axis=(1, 2))], axis=-1)
    return keras.Model(inputs, layers.Dense(3, use_bias=False)(ops.expand_dims(x, 1)[:, 0]))


MODELS["operations"] = by_operations


def fast_ones(names, *fast):
    """Return the names as parameters, all but the fast ones marked as slow."""
    return [pytest.param(name, marks=() if name in fast else pytest.mark.slow) for name in names]


def logits(model, x):
    last = model.layers[-1]
    before = keras.Model(model.inputs, last.input).predict(x, verbose=0)
    return before @ ops.convert_to_numpy(last.kernel)


@pytest.mark.parametrize("kind", fast_ones(MODELS, "max_pooling"))
def test_check_01_relevance_is_conserved_in_every_layer(kind):
    model = MODELS[kind]()
    found = relevance(model, X, composite=ZERO)
    explained = logits(model, X).max(axis=1).sum()
    for one in found.conservation:
        assert one.inputs == pytest.approx(one.outputs, rel=2e-4), one.layer
    assert next(iter(found.values())).sum() == pytest.approx(explained, rel=1e-3)
    assert {array.shape[0] for array in found.values()} == {len(X)}


@pytest.mark.parametrize("composite", fast_ones(COMPOSITES, "epsilon-plus"))
def test_every_composite_gives_finite_relevance_of_the_shape_of_each_input(composite):
    model = residual()
    found = relevance(model, X, composite=composite)
    assert all(np.isfinite(array).all() for array in found.values())
    assert next(iter(found.values())).shape == X.shape


@pytest.mark.slow
def test_check_05_zero_rule_is_gradient_times_input_without_bias():
    model = MODELS["valid"]()
    step = 1e-2
    first = next(iter(relevance(model, X[:1], composite=ZERO, target=1).values()))
    base = logits(model, X[:1])[0, 1]
    for place in [(0, 3, 4, 1), (0, 7, 7, 0)]:
        moved = X[:1].copy()
        moved[place] += step
        gradient = (logits(model, moved)[0, 1] - base) / step
        assert first[place] == pytest.approx(gradient * X[place], abs=2e-3)


def test_check_03_bias_takes_its_share_and_the_record_says_so():
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1, name="head")])
    model.set_weights([np.array([[1.0], [2.0]]), np.array([3.0])])
    found = relevance(model, np.array([[1.0, 1.0]]), composite=ZERO)
    np.testing.assert_allclose(found["head"], [[1.0, 2.0]], rtol=1e-6)
    (record,) = found.conservation
    assert (record.outputs, record.inputs, record.absorbed) == (6.0, 3.0, 0.5)


def test_check_09_softmax_behind_the_last_layer_is_stripped_too():
    stack = [keras.Input((2,)), layers.Dense(2, use_bias=False, name="head"), layers.Softmax()]
    model = keras.Sequential(stack)
    model.set_weights([np.array([[1.0, 0.0], [0.0, 2.0]])])
    np.testing.assert_allclose(relevance(model, np.array([[1.0, 3.0]]), composite=ZERO)["head"], [[0.0, 6.0]])


@pytest.mark.slow
def test_check_07_images_do_not_influence_each_other():
    explainer = Explainer(MODELS["max_pooling"]())
    together = explainer(X)
    for index in (0, 4):
        alone = explainer(X[index : index + 1])
        for name, array in alone.items():
            np.testing.assert_allclose(array[0], together[name][index], rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_each_row_may_have_a_target_of_its_own():
    model = MODELS["valid"]()
    wanted = np.array([0, 1, 2, 0, 1, 2])
    found = relevance(model, X, composite=ZERO, target=wanted)
    sums = next(iter(found.values())).reshape(len(X), -1).sum(axis=1)
    np.testing.assert_allclose(sums, logits(model, X)[np.arange(6), wanted], rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_new_weights_are_seen_by_a_compiled_explainer():
    model = MODELS["valid"]()
    explainer = Explainer(model, composite=ZERO)
    before = sum(array.sum() for array in explainer(X, 0).values())
    model.layers[-1].kernel.assign(2 * model.layers[-1].kernel)
    assert sum(array.sum() for array in explainer(X, 0).values()) == pytest.approx(2 * before, rel=1e-3)


@pytest.mark.slow
def test_check_08_model_is_left_as_it_was():
    model = without_bias(conv(activation="relu"), layers.BatchNormalization())
    model.compile("sgd", "mse")
    before = [one.copy() for one in model.get_weights()]
    settings = [set(vars(layer)) for layer in model.layers]
    relevance(model, X)
    assert [set(vars(layer)) for layer in model.layers] == settings
    assert all(np.array_equal(one, other) for one, other in zip(model.get_weights(), before, strict=True))


@pytest.mark.slow
def test_only_the_layers_asked_for_are_returned():
    model = residual()
    name = model.layers[-1].name
    assert list(relevance(model, X, layers=[name])) == [name]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"composite": "deep-taylor"}, "`composite` got 'deep-taylor'; expected one of hudd"),
        ({"target": "truth"}, "`target` got 'truth'"),
        ({"target": [0, 1]}, r"`target` got an array of shape \(2,\)"),
        ({"layers": ["gone"]}, r"`layers` got \['gone'\]"),
        ({"on_unknown": "skip"}, "`on_unknown` got 'skip'"),
    ],
)
def test_wrong_argument_is_refused(arguments, message):
    with pytest.raises(UsageError, match=message):
        relevance(residual(), X, **arguments)


def test_rule_of_a_layer_is_that_of_its_name_else_of_its_class_else_of_its_place():
    named, typed, first, dense = Epsilon(1.0), Epsilon(2.0), Epsilon(3.0), Epsilon(4.0)
    composite = Composite(dense, dense, first=first, by_name={"a": named}, by_type={layers.Conv2D: typed})
    assert composite.rule("a", layers.Conv2D, "convolution", True) is named
    assert composite.rule("b", layers.Conv2D, "convolution", True) is typed
    assert composite.rule("b", layers.Conv1D, "convolution", True) is first
    assert composite.rule("b", layers.Dense, "dense", False) is dense


def test_unknown_pooling_rule_is_refused():
    with pytest.raises(UsageError, match="`max_pooling` got 'average'; expected one of winner, proportional"):
        Composite(Epsilon(), Epsilon(), max_pooling="average")


@pytest.mark.parametrize("pool", [layers.MaxPooling2D(3, 2), layers.GlobalMaxPooling2D()])
def test_check_02_proportional_pooling_conserves_and_shares(pool):
    model = without_bias(conv(activation="relu"), pool)
    shared = relevance(model, X, composite=replace(ZERO, max_pooling="proportional"), layers=[pool.name])[pool.name]
    winner = relevance(model, X, composite=ZERO, layers=[pool.name])[pool.name]
    np.testing.assert_allclose(shared.sum(axis=(1, 2, 3)), winner.sum(axis=(1, 2, 3)), rtol=1e-3, atol=1e-4)
    assert (shared != 0).sum() > (winner != 0).sum()


class Doubled(keras.layers.Layer):
    def call(self, x):
        return 2 * x


def test_unknown_layer_is_an_error_that_says_what_to_do():
    model = without_bias(Doubled(name="mine"))
    with pytest.raises(UsageError, match=r"Layer 'mine' is a Doubled.*register_rule.*on_unknown"):
        relevance(model, X)


@pytest.mark.slow
def test_unknown_layer_may_pass_by_gradient_times_input():
    model = without_bias(Doubled())
    found = relevance(model, X, composite=ZERO, on_unknown="gradient")
    assert found.conservation[0].absorbed == pytest.approx(0, abs=1e-4)


class Tripled(keras.layers.Layer):
    def call(self, x):
        return 3 * x


def test_layer_of_the_user_gets_the_rule_that_was_registered():
    @register_rule(Tripled)
    def through(call, relevance):
        return [0.5 * relevance]

    found = relevance(without_bias(Tripled(name="mine")), X, composite=ZERO)
    record = next(one for one in found.conservation if one.layer == "mine")
    assert record.absorbed == pytest.approx(0.5)


def test_operation_between_the_layers_of_a_subclassed_model_is_an_error():
    class Broken(keras.Model):
        def __init__(self):
            super().__init__()
            self.one, self.two = layers.Dense(3, name="one"), layers.Dense(2, name="two")

        def call(self, x):
            return self.two(ops.square(self.one(x)))

    model = Broken()
    model(np.zeros((1, 4), "float32"))
    with pytest.raises(UsageError, match="cannot be followed at layer 'two'"):
        relevance(model, np.ones((1, 4), "float32"))


@pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="Keras multiplies in single precision there")
def test_check_01_double_precision_conserves_to_the_eighth_digit():
    keras.utils.set_random_seed(3)
    stack = [
        keras.Input((12, 12, 2), dtype="float64"), conv(activation="relu", dtype="float64"),
        layers.MaxPooling2D(3, 2, dtype="float64"), conv(strides=2, padding="same", activation="relu", dtype="float64"),
        layers.AveragePooling2D(2, dtype="float64"), layers.Flatten(dtype="float64"),
        layers.Dense(3, use_bias=False, dtype="float64"),
    ]  # fmt: skip
    model = keras.Sequential(stack)
    rule = Epsilon(1e-12)
    found = relevance(model, X.astype("float64"), composite=Composite(rule, rule, rule))
    explained = found.conservation[-1].outputs
    assert all(abs(one.inputs - explained) <= 1e-8 * abs(explained) for one in found.conservation)


def test_what_was_explained_comes_with_its_score_and_probability():
    model = residual()
    found = relevance(model, X)
    outputs = model.predict(X, verbose=0)
    np.testing.assert_array_equal(found.explained.indices, outputs.argmax(axis=1))
    np.testing.assert_array_equal(found.explained.predicted, outputs.argmax(axis=1))
    np.testing.assert_allclose(found.explained.scores, outputs.max(axis=1), rtol=1e-4)
    named = relevance(model, X, target=2).explained
    np.testing.assert_array_equal(named.indices, 2)
    np.testing.assert_allclose(named.outputs, outputs[:, 2], rtol=1e-4)


def test_relevance_of_the_input_is_that_of_all_its_readers():
    keras.utils.set_random_seed(3)
    inputs = keras.Input((12, 12, 2))
    x = layers.Add(name="add")([conv(2, 1, name="left")(inputs), conv(2, 1, name="right")(inputs), inputs])
    model = keras.Model(inputs, layers.Dense(3, use_bias=False)(layers.Flatten()(x)))
    found = relevance(model, X, composite=ZERO)
    (at_input,) = found.inputs
    assert at_input.shape == X.shape
    np.testing.assert_allclose(at_input.sum(axis=(1, 2, 3)), found.explained.scores, rtol=1e-3, atol=1e-4)
    assert np.abs(found["left"] + found["right"] - at_input).max() > 1e-3


def test_each_of_several_inputs_has_its_relevance_and_an_unused_one_has_none():
    keras.utils.set_random_seed(3)
    first, second, unused = keras.Input((4,)), keras.Input((3,)), keras.Input((2,))
    outputs = layers.Dense(3, use_bias=False)(layers.Concatenate()([first, second]))
    model = keras.Model([first, second, unused], outputs)
    x = [np.random.RandomState(1).rand(5, size).astype("float32") for size in (4, 3, 2)]
    found = relevance(model, x, composite=ZERO)
    assert [one.shape for one in found.inputs] == [(5, 4), (5, 3), (5, 2)]
    total = sum(one.sum(axis=1) for one in found.inputs)
    np.testing.assert_allclose(total, found.explained.scores, rtol=1e-4)
    assert not found.inputs[2].any()
