import keras
import numpy as np
import pytest
from keras import layers, ops
from keras.src.initializers.random_initializers import compute_fans

from deepdebug.model.record import leaves
from deepdebug.model.variables import describe_variables, fans, float_variables


def built(layer, shape):
    layer.build(shape)
    return layer


POSITIONAL = [
    (layers.Dense(5), (None, 3)),
    (layers.Conv1D(5, 3), (None, 8, 4)),
    (layers.Conv2D(5, 3), (None, 8, 8, 4)),
    (layers.Conv3D(5, 2), (None, 8, 8, 8, 4)),
    (layers.SimpleRNN(5), (None, 8, 4)),
]


@pytest.mark.parametrize(("layer", "shape"), POSITIONAL, ids=lambda value: type(value).__name__)
def test_fans_agree_with_those_of_the_initializers_of_keras(layer, shape):
    kernel = next(one for one in built(layer, shape).weights if one.path.endswith("/kernel"))
    assert fans(kernel.shape, "kernel", kernel.path, layer) == compute_fans(kernel.shape)


MEASURED = [
    (layers.Dense(5), (1, 3)),
    (layers.Conv1D(5, 3, padding="same"), (1, 9, 4)),
    (layers.Conv2D(5, 3, padding="same"), (1, 9, 9, 4)),
    (layers.Conv1DTranspose(5, 3, padding="same"), (1, 9, 4)),
    (layers.Conv2DTranspose(5, 3, padding="same"), (1, 9, 9, 4)),
    (layers.DepthwiseConv1D(3, depth_multiplier=2, padding="same"), (1, 9, 4)),
    (layers.DepthwiseConv2D(3, padding="same"), (1, 9, 9, 4)),
    (layers.EinsumDense("abc,cde->abde", (None, 2, 3)), (1, 9, 4)),
    (layers.EinsumDense("abcd,cde->abe", (None, 5)), (1, 9, 4, 2)),
]


@pytest.mark.parametrize(("layer", "shape"), MEASURED, ids=lambda value: type(value).__name__)
def test_fan_in_is_the_output_and_fan_out_the_reach_of_a_kernel_of_ones(layer, shape):
    (kernel, *_) = built(layer, shape).weights
    kernel.assign(ops.ones(kernel.shape))
    fan_in, fan_out = fans(kernel.shape, kernel.path.split("/")[-1], kernel.path, layer)
    middle = tuple(size // 2 for size in shape[1:])
    ones, one = np.ones(shape, "float32"), np.zeros(shape, "float32")
    one[(0, *middle)] = 1
    answer = np.asarray(ops.convert_to_numpy(layer(ones)))
    assert answer[(0, *(size // 2 for size in answer.shape[1:]))] == fan_in
    assert np.asarray(ops.convert_to_numpy(layer(one))).sum() == fan_out


def test_fans_of_attention_count_heads_as_outputs_and_then_as_inputs():
    layer = layers.MultiHeadAttention(num_heads=2, key_dim=3)
    layer(np.ones((1, 4, 10), "float32"), np.ones((1, 4, 10), "float32"))
    by_path = {one.path.split("/")[-2]: fans(one.shape, "kernel", one.path, layer)
               for one in layer.weights if one.path.endswith("kernel")}  # fmt: skip
    assert by_path == {"query": (10, 6), "key": (10, 6), "value": (10, 6), "attention_output": (6, 10)}


def test_gates_of_a_recurrent_layer_share_their_inputs():
    layer = built(layers.LSTM(5), (None, 8, 4))
    found = {
        one.path.split("/")[-1]: fans(one.shape, one.path.split("/")[-1], one.path, layer) for one in layer.weights
    }
    assert found == {"kernel": (4, 20), "recurrent_kernel": (5, 20), "bias": (None, None)}


@pytest.mark.parametrize("role", ["bias", "gamma", "embeddings", "moving_mean"])
def test_other_variables_have_no_fans(role):
    assert fans((3, 4), role, f"model/layer/{role}", None) == (None, None)


def described(model, frozen=()):
    return describe_variables(float_variables(model), leaves(model), {id(one) for one in frozen})


def test_variables_are_described_in_the_order_of_the_weights():
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(3, name="hidden"), layers.BatchNormalization(name="norm")]
    )
    facts = described(model)
    assert [one.path for one in facts] == [one.path for one in model.weights]
    assert [one.role for one in facts] == ["kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance"]
    assert [one.layer for one in facts] == ["hidden"] * 2 + ["norm"] * 4
    assert facts[0].initializer == "GlorotUniform"
    assert (facts[0].shape, facts[0].fan_in, facts[0].fan_out) == ((4, 3), 4, 3)


def test_initializer_of_an_embedding_is_found():
    model = keras.Sequential([keras.Input((4,)), layers.Embedding(5, 2, embeddings_initializer="he_normal")])
    assert described(model)[0].initializer == "HeNormal"


def test_seeds_and_counters_are_left_out():
    model = keras.Sequential([keras.Input((4,)), layers.Dropout(0.5), layers.Dense(1)])
    assert [one.role for one in described(model)] == ["kernel", "bias"]
    assert len(model.variables) > 2


def test_frozen_variables_are_marked():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    assert [one.trainable for one in described(model, frozen=model.weights[:1])] == [False, True]


def test_repeated_path_is_made_unique():
    inputs = keras.Input((4,))
    first, second = (keras.Sequential([layers.Dense(2, name="same")], name="part") for _ in range(2))
    second.name = "other"
    model = keras.Model(inputs, layers.Add()([first(inputs), second(inputs)]))
    paths = [one.path for one in described(model)]
    assert len(set(paths)) == len(paths) == 4


def test_variable_of_a_shared_layer_belongs_to_one_layer():
    inputs, shared = keras.Input((4,)), layers.Dense(4, name="shared")
    model = keras.Model(inputs, shared(shared(inputs)))
    assert [one.layer for one in described(model)] == ["shared", "shared"]
