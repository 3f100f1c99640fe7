import keras
import numpy as np
import pytest
from keras import layers, ops

from deepdebug.model.record import leaves, recorded_calls, recorded_casts

X = np.ones((2, 4), "float32")


class Outer(layers.Layer):
    def __init__(self):
        super().__init__(name="outer")
        self.first, self.second = layers.Dense(4, name="a"), layers.Dense(4, name="b")

    def call(self, x):
        return self.second(self.first(x))


def test_names_lead_from_the_outer_to_the_inner_layer():
    base = keras.Sequential([keras.Input((4,)), Outer(), layers.Dense(4, name="a")], name="base")
    model = keras.Sequential([keras.Input((4,)), base, layers.Dense(2, name="a")])
    assert list(leaves(model)) == ["base/outer/a", "base/outer/b", "base/a", "a"]


def test_shallow_look_takes_the_layers_of_the_model_itself():
    model = keras.Sequential([keras.Input((4,)), Outer(), layers.Dense(2, name="a")])
    assert list(leaves(model, "shallow")) == ["outer", "a"]


def test_equal_names_are_told_apart():
    class Twice(keras.Model):
        def __init__(self):
            super().__init__()
            self.one, self.two = layers.Dense(4, name="same"), layers.Dense(4, name="same")

        def call(self, x):
            return self.two(self.one(x))

    assert list(leaves(Twice())) == ["same", "same~2"]


def test_shared_layer_is_listed_once():
    shared = layers.Dense(4, name="shared")
    inner = keras.Sequential([keras.Input((4,)), shared], name="inner")
    model = keras.Sequential([keras.Input((4,)), shared, inner])
    assert list(leaves(model)) == ["shared"]


@pytest.mark.parametrize(
    "layer",
    [
        layers.Bidirectional(layers.LSTM(2), name="closed"), layers.RNN(layers.LSTMCell(2), name="closed"),
        layers.TimeDistributed(layers.Dense(2), name="closed"),
    ],
    ids=lambda layer: type(layer).__name__,
)  # fmt: skip
def test_layers_that_loop_over_inner_ones_stay_closed(layer):
    assert list(leaves(keras.Sequential([keras.Input((3, 4)), layer]))) == ["closed"]


def test_calls_are_recorded_with_their_tensors():
    layer = layers.Dense(3)
    layer.build((None, 4))
    with recorded_calls({"mine": layer}) as calls:
        output = layer(X)
    (call,) = calls
    assert (call.name, call.operation) == ("mine", layer)
    np.testing.assert_array_equal(ops.convert_to_numpy(call.outputs[0]), ops.convert_to_numpy(output))
    np.testing.assert_array_equal(ops.convert_to_numpy(call.inputs[0]), X)


def test_masks_are_noted_and_are_no_inputs():
    layer = layers.LSTM(2)
    mask = np.array([[True, False], [True, True]])
    with recorded_calls({"lstm": layer}) as calls:
        layer(np.ones((2, 2, 3), "float32"), mask=mask)
        layer(np.ones((2, 2, 3), "float32"))
    assert [call.masked for call in calls] == [True, False]
    assert [len(call.inputs) for call in calls] == [1, 1]


def test_failing_call_leaves_the_layers_as_they_were():
    layer = layers.Dense(3)
    layer.build((None, 4))
    with pytest.raises(ValueError, match="incompatible"), recorded_calls({"mine": layer}):
        layer(np.ones((2, 7), "float32"))
    assert "call" not in vars(layer)


def test_casts_are_recorded_and_the_policy_is_put_back():
    policy = keras.dtype_policies.DTypePolicy
    original = policy.convert_input
    with recorded_casts() as casts:
        layers.Dense(3, dtype="mixed_float16")(ops.convert_to_tensor(X))
    assert [(keras.backend.standardize_dtype(old.dtype), keras.backend.standardize_dtype(new.dtype))
            for old, new in casts if old is not new] == [("float32", "float16")]  # fmt: skip
    assert policy.convert_input is original
