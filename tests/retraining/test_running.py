import dataclasses

import keras
import numpy as np
import pytest

from deepdebug.hudd.explaining import Labelled
from deepdebug.hudd.images import ArrayImages
from deepdebug.hudd.tested import WRONG_LABEL
from deepdebug.model.saved import load_model, save_model
from deepdebug.retraining.arms import Plan
from deepdebug.retraining.asked import TrainSettings
from deepdebug.retraining.running import Material, carry_out, check_same_start

pytestmark = pytest.mark.slow
CLASSES = ("a", "b", "c")
SETTINGS = TrainSettings(epochs=2, batch_size=8)


def data(seed):
    x = np.random.default_rng(seed).normal(size=(40, 4)).astype("float32")
    return x, x[:, :3].argmax(axis=1)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    layers = [keras.Input((4,)), keras.layers.Dense(16, "relu"), keras.layers.Dropout(0.5), keras.layers.Dense(3)]
    model = keras.Sequential(layers)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model(np.zeros((1, 4)))
    return save_model(tmp_path_factory.mktemp("model") / "model.keras", model)


def material(file):
    (x, y), (more, _), (test, right) = (data(seed) for seed in range(3))
    labelled = Labelled(ArrayImages(test), right, CLASSES)
    return Material(lambda: load_model(file, compiled=True), lambda rows: x[rows], y, lambda rows: more[rows], labelled,
                    WRONG_LABEL)  # fmt: skip


def planned(arm="BL2", seed=7):
    rows = np.arange(40)
    return Plan(arm, 1, seed, np.arange(10), rows[4:], rows[:4], np.arange(2, 10), np.arange(2))


def weights(outcome):
    return np.concatenate([one.ravel() for one in outcome.trained.model.get_weights()])


def test_check_24_same_plan_gives_the_same_model_even_with_dropout_and_whatever_ran_before(file):
    labels = data(1)[1][:10]
    one = carry_out(planned(), labels, material(file), SETTINGS)
    keras.random.uniform((3,))
    again = carry_out(planned(), labels, material(file), SETTINGS)
    other = carry_out(planned(seed=8), labels, material(file), SETTINGS)
    np.testing.assert_array_equal(weights(one), weights(again))
    assert (weights(one) != weights(other)).any()
    assert one.start == again.start == other.start


def test_check_24_retrainings_from_different_weights_are_a_fault_of_the_program(file):
    check_same_start({"HUDD_01": "a", "BL2_01": "a"})
    with pytest.raises(RuntimeError, match=r"different weights: .*BL2_01"):
        check_same_start({"HUDD_01": "a", "BL2_01": "b"})


@pytest.mark.parametrize("spoilt", [slice(0, 1), slice(None)])
def test_model_whose_answers_are_not_finite_is_kept_out(file, spoilt):
    known = material(file)
    test, right = data(2)
    test[spoilt] = np.float32(1e38)  # finite, but not what the model makes of it
    known = dataclasses.replace(known, test=Labelled(ArrayImages(test), right, CLASSES))

    def train(model, _):
        model.set_weights([10 * one for one in model.get_weights()])
        return model

    found = carry_out(planned(), data(1)[1][:10], known, SETTINGS, own=train)
    assert found.tested is None
    assert found.accuracy is None
    assert found.trained.diverged
