"""Faults planted in real models lead to their causes."""

import keras
import numpy as np
import pytest

from deepdebug.callback import Diagnose

pytestmark = pytest.mark.slow
ROWS = 1600


def train(layers, x, y, loss, optimizer="adam"):
    model = keras.Sequential([keras.Input(x.shape[1:]), *layers])
    model.compile(optimizer, loss, metrics=["accuracy"])
    doctor = Diagnose(verbose=0)
    model.fit(x, y, epochs=6, batch_size=32, verbose=0, callbacks=[doctor])
    return [one for one in doctor.report.diagnoses if any(found.severity != "info" for found in one.findings)]


@pytest.fixture
def rows():
    keras.utils.set_random_seed(3)
    random = np.random.default_rng(3)
    x = random.normal(size=(ROWS, 8)).astype("float32")
    classes = np.argmax(x @ random.normal(size=(8, 3)), axis=1)
    return x, np.eye(3, dtype="float32")[classes], (x[:, 0] > 0).astype("float32")


@pytest.mark.filterwarnings("ignore:You are using a softmax over axis -1:UserWarning")
def test_motivating_example_is_one_certain_diagnosis_of_the_last_layer(rows):
    x, _, yes = rows
    layers = [keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1, activation="softmax", name="last")]
    (diagnosis,) = train(layers, x, yes, "binary_crossentropy")
    assert (diagnosis.action, diagnosis.confidence) == ("MSG2", "certain")
    assert diagnosis.findings[0].layer == "last"


def test_huge_learning_rate_is_one_diagnosis(rows):
    x, one_hot, _ = rows
    layers = [keras.layers.Dense(16, activation="relu") for _ in range(2)]
    head = keras.layers.Dense(3, activation="softmax")
    (diagnosis,) = train([*layers, head], x, one_hot, "categorical_crossentropy", keras.optimizers.Adam(10.0))
    assert diagnosis.action == "MSG3"


def test_deep_sigmoid_stack_is_one_diagnosis_of_its_activations(rows):
    x, one_hot, _ = rows
    layers = [keras.layers.Dense(16, activation="sigmoid") for _ in range(10)]
    head = keras.layers.Dense(3, activation="softmax")
    (diagnosis,) = train([*layers, head], x, one_hot, "categorical_crossentropy", keras.optimizers.SGD(0.01))
    assert diagnosis.action == "MSG2"


def test_healthy_classifier_has_no_diagnosis(rows):
    x, one_hot, _ = rows
    layers = [keras.layers.Dense(16, activation="relu"), keras.layers.Dense(3, activation="softmax")]
    assert train(layers, x, one_hot, "categorical_crossentropy") == []
