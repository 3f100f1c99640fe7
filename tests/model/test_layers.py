"""Following the data flow of models of every kind."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from deepdebug.facts import LayerFacts
from deepdebug.model.layers import effective_activation, follow

X = np.random.RandomState(0).normal(size=(3, 4)).astype("float32")


def flow_of(model, x=X, depth="deep"):
    return follow(model, keras.tree.map_structure(ops.convert_to_tensor, x), depth)


def inputs_by_name(flow):
    return {layer.name: layer.inputs for layer in flow.layers}


class Residual(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = layers.Dense(4, "relu", name="inner")

    def call(self, x):
        return x + self.inner(x)


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.block = Residual(name="block")
        self.head = layers.Dense(2, "softmax", name="head")

    def call(self, x, training=None):
        return self.head(self.block(x))


def test_sequential_layers_follow_one_another():
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(3, "tanh", name="a"), layers.Dropout(0.5, name="b"), layers.Dense(2, name="c")]
    )
    flow = flow_of(model)
    assert inputs_by_name(flow) == {"a": ("input",), "b": ("a",), "c": ("b",)}
    assert [layer.activation for layer in flow.layers] == ["tanh", "linear", "linear"]
    assert [layer.output_shape for layer in flow.layers] == [(3,), (3,), (2,)]
    assert flow.output_makers == ("c",)
    assert flow.output_shapes == ((2,),)


def test_operations_of_a_functional_graph_are_followed():
    inputs = keras.Input((4,))
    hidden = ops.relu(layers.Dense(4, name="a")(inputs))
    model = keras.Model(inputs, layers.Dense(2, name="b")(hidden + inputs))
    flow = flow_of(model)
    relu, add = (layer for layer in flow.layers if layer.kind in ("Relu", "Add"))
    assert (relu.family, relu.activation, relu.inputs) == ("activation", "relu", ("a",))
    assert (add.family, set(add.inputs)) == ("merge", {relu.name, "input"})
    assert inputs_by_name(flow)["b"] == (add.name,)


def test_nested_models_are_opened():
    base = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="a"), layers.Dense(3, name="b")], name="base")
    model = keras.Sequential([keras.Input((4,)), base, layers.Dense(2, name="head")])
    flow = flow_of(model)
    assert inputs_by_name(flow) == {"base/a": ("input",), "base/b": ("base/a",), "head": ("base/b",)}


def test_shallow_look_leaves_nested_models_closed():
    base = keras.Sequential([keras.Input((4,)), layers.Dense(3, name="a")], name="base")
    model = keras.Sequential([keras.Input((4,)), base, layers.Dense(2, name="head")])
    assert [layer.name for layer in flow_of(model, depth="shallow").layers] == ["base", "head"]


def test_shared_layer_is_described_once_with_its_number_of_uses():
    inputs, shared = keras.Input((4,)), layers.Dense(4, name="shared")
    flow = flow_of(keras.Model(inputs, shared(shared(inputs))))
    (layer,) = flow.layers
    assert (layer.name, layer.uses) == ("shared", 2)


def test_subclassed_model_is_followed_into_its_layers():
    model = Subclassed()
    model(X)
    flow = flow_of(model)
    assert inputs_by_name(flow) == {"block/inner": ("input",), "head": None}
    assert flow.output_makers == ("head",)


def test_sum_inside_a_layer_of_the_user_breaks_the_flow_and_is_not_guessed():
    model = keras.Sequential([keras.Input((4,)), Residual(name="one"), layers.Dense(2, name="head")])
    head = flow_of(model).layers[-1]
    assert head.name == "head"
    assert head.inputs != ("one/inner",)


def test_layer_that_is_never_called_is_left_out():
    model = Subclassed()
    model.unused = layers.Dense(7, name="unused")
    model.unused.build((None, 4))
    assert "unused" not in {layer.name for layer in flow_of(model).layers}


@pytest.mark.parametrize("structure", [list, dict])
def test_several_inputs_and_outputs_are_told_apart(structure):
    left, right = keras.Input((4,), name="z"), keras.Input((4,), name="y")
    a, b = layers.Dense(2, name="a")(left), layers.Dense(3, name="b")(right)
    model = keras.Model([left, right] if structure is list else {"z": left, "y": right}, {"first": a, "second": b})
    flow = flow_of(model, [X, X] if structure is list else {"z": X, "y": X})
    assert inputs_by_name(flow) == {"a": ("input:z",), "b": ("input:y",)}
    assert flow.output_makers == ("a", "b")
    assert flow.output_shapes == ((2,), (3,))


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_does_not_break_the_flow(policy):
    model = keras.Sequential(
        [
            keras.Input((4,)), layers.Dense(3, name="a", dtype=policy),
            layers.BatchNormalization(name="b", dtype=policy), layers.Dense(2, name="c", dtype="float32"),
        ]
    )  # fmt: skip
    assert inputs_by_name(flow_of(model)) == {"a": ("input",), "b": ("a",), "c": ("b",)}


def test_mixed_precision_does_not_break_a_branching_flow():
    inputs = keras.Input((4,))
    hidden = layers.Dense(4, name="a", dtype="mixed_float16")(inputs)
    merged = layers.Add(name="sum", dtype="mixed_float16")([hidden, inputs])
    model = keras.Model(inputs, layers.Dense(2, name="c", dtype="float32")(merged))
    assert inputs_by_name(flow_of(model)) == {"a": ("input",), "sum": ("a", "input"), "c": ("sum",)}


def test_mask_that_reaches_a_recurrent_layer_is_noted():
    ids = np.array([[1, 2, 0], [3, 0, 0]])
    for mask_zero in (True, False):
        model = keras.Sequential([keras.Input((3,)), layers.Embedding(5, 2, mask_zero=mask_zero), layers.LSTM(2)])
        assert flow_of(model, ids).layers[-1].config["receives_mask"] is mask_zero


def test_configuration_keeps_plain_values_and_the_names_of_initializers():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, kernel_initializer="he_normal", name="a")])
    config = flow_of(model).layers[0].config
    assert (config["units"], config["kernel_initializer"], config["use_bias"]) == (3, "HeNormal", True)
    assert all(isinstance(value, bool | int | float | str | None) for value in config.values())


def test_configuration_keeps_the_names_of_regularizers():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, kernel_regularizer="l2", name="a")])
    config = flow_of(model).layers[0].config
    assert (config["kernel_regularizer"], config["bias_regularizer"]) == ("L2", None)


def test_layer_without_a_configuration_is_no_obstacle():
    class Bare(layers.Layer):
        def __init__(self, factor):
            super().__init__()
            self.factor = factor

        def call(self, x):
            return x * self.factor

        def get_config(self):
            raise NotImplementedError

    assert flow_of(keras.Sequential([keras.Input((4,)), Bare(2)])).layers[0].kind == "Bare"


def test_following_changes_no_layer_and_no_weight():
    model = Subclassed()
    model(X)
    before = [np.asarray(weight) for weight in model.get_weights()]
    flow_of(model)
    assert "call" not in vars(model.head)
    assert "call" not in vars(model.block.inner)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_activation_is_found_through_wrappers():
    model = keras.Sequential(
        [
            keras.Input((5, 4)), layers.TimeDistributed(layers.Dense(3, "relu"), name="a"),
            layers.Bidirectional(layers.LSTM(2, activation="sigmoid"), name="b"),
        ]
    )  # fmt: skip
    assert [layer.activation for layer in flow_of(model, np.ones((2, 5, 4), "float32")).layers] == ["relu", "sigmoid"]


FACTS = {
    layer.name: layer
    for layer in (
        LayerFacts("dense", "Dense", "dense", "softmax", inputs=("input",)),
        LayerFacts("reshape", "Reshape", "reshape", inputs=("dense",)),
        LayerFacts("cast", "Activation", "activation", "linear", inputs=("reshape",)),
        LayerFacts("softmax", "Softmax", "activation", "softmax", inputs=("dense",)),
        LayerFacts("sum", "Add", "merge", inputs=("dense", "reshape")),
    )
}


@pytest.mark.parametrize(
    ("maker", "expected"),
    [
        ("dense", ("dense", "softmax", "dense")),
        ("reshape", ("dense", "softmax", "dense")),
        ("cast", ("dense", "softmax", "dense")),
        ("softmax", ("softmax", "softmax", "softmax")),
        ("sum", ("sum", "unknown", "sum")),
        (None, (None, "unknown", None)),
        ("elsewhere", (None, "unknown", None)),
    ],
)
def test_activation_of_an_output_passes_over_layers_that_only_reshape(maker, expected):
    assert effective_activation(FACTS, maker) == expected


def test_input_of_another_type_than_declared_is_followed():
    ids, numbers = keras.Input((5,), dtype="int32", name="ids"), keras.Input((3,), name="numbers")
    embedded = layers.Flatten()(layers.Embedding(10, 4, name="table")(ids))
    model = keras.Model([ids, numbers], layers.Dense(1)(layers.Concatenate()([embedded, numbers])))
    x = [keras.ops.ones((2, 5), "uint8"), keras.ops.ones((2, 3))]
    facts = {layer.name: layer for layer in follow(model, x).layers}
    assert facts["table"].inputs == ("input:ids",)
