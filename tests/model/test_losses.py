import inspect

import keras
import pytest
from keras import layers, ops

from deepdebug.facts import LossFacts
from deepdebug.model.losses import NO_LOSS, describe, losses_of


def own_loss(y_true, y_pred):
    return ops.mean(ops.square(y_true - y_pred))


class OwnLoss(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return own_loss(y_true, y_pred)


@pytest.mark.parametrize("name", ["mse", "mean_squared_error", "MSE", "MeanSquaredError"])
def test_every_spelling_of_a_name_gives_one_kind(name):
    assert describe(name).kind == "mean_squared_error"


@pytest.mark.parametrize("kind", ["binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy"])
def test_name_function_and_object_of_a_crossentropy_agree(kind):
    by_class = getattr(keras.losses, "".join(word.capitalize() for word in kind.split("_")))
    facts = [describe(one) for one in (kind, getattr(keras.losses, kind), by_class(), by_class(from_logits=True))]
    assert [one.kind for one in facts] == [kind] * 4
    assert [one.from_logits for one in facts] == [False, False, False, True]
    assert [one.is_function for one in facts] == [True, True, False, False]


def test_loss_without_the_flag_has_none():
    assert describe("mae").from_logits is None
    assert describe(keras.losses.Huber()).from_logits is None


def test_class_instead_of_an_object_is_understood():
    assert describe(keras.losses.BinaryCrossentropy).kind == "binary_crossentropy"


@pytest.mark.parametrize("loss", [own_loss, OwnLoss(), OwnLoss, lambda y, p: ops.mean(p - y)])
def test_loss_of_the_user_is_custom(loss):
    assert describe(loss).kind == "custom"


def test_name_of_a_custom_loss_is_kept():
    assert describe(own_loss) == LossFacts("custom", "own_loss", is_function=True)


def test_wrapped_function_of_the_user_is_custom_though_the_wrapper_is_from_keras():
    wrapper = type(keras.losses.MeanSquaredError()).__mro__[1]
    assert describe(wrapper(own_loss)).kind == "custom"


def test_unknown_name_is_custom():
    assert describe("no_such_loss").kind == "custom"


def test_every_loss_class_of_keras_has_the_kind_of_its_function():
    for name, one in inspect.getmembers(keras.losses, inspect.isclass):
        if one is not keras.losses.Loss:
            assert describe(one()).kind not in ("custom", "none"), name


def two_outputs(loss):
    inputs = keras.Input((2,))
    model = keras.Model(inputs, {"a": layers.Dense(1)(inputs), "b": layers.Dense(1)(inputs)})
    model.compile("sgd", loss)
    return losses_of(model, ["a", "b"])


def test_dictionary_gives_every_output_its_own_loss():
    assert [one.kind for one in two_outputs({"b": "mae", "a": "mse"})] == ["mean_squared_error", "mean_absolute_error"]


def test_output_missing_from_the_dictionary_has_no_loss():
    assert two_outputs({"b": "mae"})[0] == NO_LOSS


def test_list_gives_losses_in_order():
    assert [one.kind for one in two_outputs(["mse", None])] == ["mean_squared_error", "none"]


def test_single_loss_goes_to_the_single_output():
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    assert [one.kind for one in losses_of(model, ["output"])] == ["mean_squared_error"]


def test_model_without_a_loss_has_none():
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    model.compile("sgd")
    assert losses_of(model, ["output"]) == [NO_LOSS]
