"""The program of Stack Overflow question 31880720: a net for two classes that ends in softmax over one unit.

Its accuracy stays at that of a coin whatever is changed. The data of the question are not given; handwritten digits
stand in for them: 128 numbers per row (an image and its mirror image), one class for 0 to 4, one for 5 to 9.
"""

import functools

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from keras import layers  # noqa: E402
from sklearn.datasets import load_digits  # noqa: E402

from deepdebug import Diagnose  # noqa: E402

EPOCHS = 30
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:You are using a softmax:UserWarning")]


@functools.cache
def rows():
    images, digits = load_digits(return_X_y=True)
    images = (images / 16).astype("float32").reshape(-1, 8, 8)
    x = np.concatenate([images, images[:, :, ::-1]], axis=1).reshape(-1, 128)
    return x, (digits >= 5).astype("float32")


def program(last):
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((128,)),
            layers.Dense(50),
            layers.Activation("relu"),
            layers.Dropout(0.2),
            layers.Dense(50),
            layers.Activation("relu"),
            layers.Dropout(0.2),
            layers.Dense(1),
            last,
        ]
    )


def train(model, epochs):
    doctor = Diagnose(verbose=0)
    model.fit(*rows(), batch_size=16, epochs=epochs, verbose=0, callbacks=[doctor])
    return doctor.report


@functools.cache
def faulty():
    """The program as asked about; returns the model and the report of three epochs."""
    model = program(layers.Activation("softmax", name="last"))
    model.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["accuracy"])
    return model, train(model, 3)


@functools.cache
def repaired():
    """The program after the fix that the report gives as code; returns the model and its report."""
    new_layer, _, new_compile = faulty()[1].diagnoses[0].fix.snippet.partition("\nmodel.")
    names = {"keras": keras}
    exec(new_layer, names)  # noqa: S102  the code under test is our own text
    names["model"] = program(names["last"])
    exec(f"model.{new_compile}", names)  # noqa: S102
    return names["model"], train(names["model"], EPOCHS)


def accuracy(model):
    return model.evaluate(*rows(), verbose=0)[1]


def test_the_program_learns_nothing():
    assert accuracy(faulty()[0]) == pytest.approx(np.mean(rows()[1]))


def test_softmax_over_one_unit_is_found_with_certainty_in_the_last_layer_before_training():
    (found,) = [finding for finding in faulty()[1].findings if finding.symptom == "constant-softmax"]
    assert (found.layer, found.severity, found.confidence, found.epoch) == ("last", "error", "certain", -1)
    assert found.message == "Layer 'last' applies softmax over one unit, whose output is the constant 1: use sigmoid"


def test_it_is_the_first_diagnosis():
    first = faulty()[1].diagnoses[0]
    assert (first.action, first.confidence, first.findings[0].symptom) == ("MSG2", "certain", "constant-softmax")
    assert "Use 1 unit with sigmoid" in first.fix.advice


def test_the_fix_makes_the_program_learn():
    assert accuracy(repaired()[0]) > 0.99


def test_the_repaired_program_is_not_reported():
    report = repaired()[1]
    assert [finding.message for finding in report.findings if finding.severity != "info"] == []
    assert report.exit_code == 0
