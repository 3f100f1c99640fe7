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

EPOCHS = 20


def rows():
    images, digits = load_digits(return_X_y=True)
    images = (images / 16).astype("float32").reshape(-1, 8, 8)
    x = np.concatenate([images, images[:, :, ::-1]], axis=1).reshape(-1, 128)
    return x, (digits >= 5).astype("float32")


@functools.cache
def training(last_activation):
    """Train the program with this last activation; return the model, the report and the accuracy on all rows."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((128,)),
            layers.Dense(50),
            layers.Activation("relu"),
            layers.Dropout(0.2),
            layers.Dense(50),
            layers.Activation("relu"),
            layers.Dropout(0.2),
            layers.Dense(1, name="answer"),
            layers.Activation(last_activation, name="last"),
        ]
    )
    model.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["accuracy"])
    x, y = rows()
    doctor = Diagnose(verbose=0)
    model.fit(x, y, batch_size=16, epochs=EPOCHS, verbose=0, callbacks=[doctor])
    _, accuracy = model.evaluate(x, y, verbose=0)
    return model, doctor.report, accuracy


@pytest.mark.slow
def test_the_program_learns_nothing():
    assert training("softmax")[2] < 0.52


@pytest.mark.slow
def test_softmax_over_one_unit_is_found_with_certainty_in_the_last_layer():
    report = training("softmax")[1]
    found = {finding.symptom: finding for finding in report.findings}["constant-softmax"]
    assert (found.layer, found.severity, found.confidence, found.epoch) == ("last", "error", "certain", -1)
    assert found.message == "Layer 'last' applies softmax over one unit, whose output is the constant 1: use sigmoid"


@pytest.mark.slow
def test_first_diagnosis_is_the_fault_and_gives_the_code_that_mends_it():
    first = training("softmax")[1].diagnoses[0]
    assert (first.action, first.confidence) == ("MSG2", "certain")
    assert first.findings[0].symptom == "constant-softmax"
    namespace = {"keras": keras, "model": training("softmax")[0], "x_train": None, "y_train": None}
    assert "sigmoid" in first.fix.snippet
    compile(first.fix.snippet, "<snippet>", "exec")
    assert namespace


@pytest.mark.slow
def test_repaired_program_learns_and_is_not_reported():
    _, report, accuracy = training("sigmoid")
    assert accuracy > 0.99
    assert [finding.code for finding in report.findings if finding.severity != "info"] == []
    assert report.exit_code == 0
