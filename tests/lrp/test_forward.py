import keras
import numpy as np
import pytest
from keras import layers

from deepdebug.errors import UsageError
from deepdebug.lrp.forward import Forward

X = np.random.default_rng(0).normal(size=(5, 6, 6, 1)).astype("float32")


def model(head="softmax"):
    keras.utils.set_random_seed(1)
    body = [layers.Conv2D(2, 3, activation="relu", name="conv"), layers.Flatten(), layers.Dense(3, head)]
    return keras.Sequential([keras.Input((6, 6, 1)), *body])


def test_scores_are_those_before_the_softmax_and_outputs_those_behind_it():
    found = Forward(model())(X)
    np.testing.assert_allclose(found.outputs, model().predict(X, verbose=0), rtol=1e-4)
    np.testing.assert_allclose(found.scores, model(None).predict(X, verbose=0), rtol=1e-4, atol=1e-6)


def test_output_of_a_layer_is_kept():
    one = model()
    found = Forward(one, ["conv"])(X).activations["conv"]
    np.testing.assert_allclose(found, keras.ops.convert_to_numpy(one.get_layer("conv")(X)), rtol=1e-4, atol=1e-6)


def test_unknown_layer_and_several_outputs_are_refused():
    with pytest.raises(UsageError, match=r"`layers` got \['none'\]"):
        Forward(model(), ["none"])
    inputs = keras.Input((4,))
    two = keras.Model(inputs, [layers.Dense(1)(inputs), layers.Dense(2)(inputs)])
    with pytest.raises(UsageError, match="has 2 outputs; expected one"):
        Forward(two)(np.ones((2, 4), "float32"))


def test_hidden_is_what_the_last_dense_layer_reads():
    one = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(4, "relu", name="h"), keras.layers.Dense(2, name="o")]
    )
    passed = Forward(one, ["h"])(np.ones((5, 3), "float32"))
    np.testing.assert_array_equal(passed.hidden, passed.activations["h"])


def test_model_without_dense_layers_has_nothing_hidden():
    one = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(2, 3), keras.layers.GlobalAveragePooling2D()])
    assert Forward(one)(np.ones((2, 4, 4, 1), "float32")).hidden is None
