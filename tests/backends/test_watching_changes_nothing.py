"""The promise that matters most: the same seed gives the same training, bit by bit, with and without `Diagnose`."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from deepdebug.callback import Diagnose
from tests.backends import trainings
from tests.backends.trainings import BACKEND, Outcome, train

slow = pytest.mark.slow
FAST_KINDS = ("validation_split", "PyDataset")


def assert_same(plain: Outcome, watched: Outcome) -> None:
    np.testing.assert_equal(watched.history, plain.history)
    assert watched.weights == plain.weights
    assert watched.random_states == plain.random_states


def probe_failures(doctor: Diagnose) -> list[str]:
    """What was left out apart from checks that lacked data; empty when the model was really looked at."""
    return [f"{one.check}: {one.reason}" for one in doctor.report.skipped if not one.check.startswith("DD")]


def assert_watching_changes_nothing(*args, fits=1, check_freq="epoch", **kwargs) -> Diagnose:
    doctor = Diagnose(verbose=0, check_freq=check_freq)
    assert_same(train(*args, fits=fits, **kwargs), train(*args, callbacks=[doctor], fits=fits, **kwargs))
    assert probe_failures(doctor) == []
    assert all(seen.rows and seen.gradient_norm is not None for seen in doctor.report.run.observations)
    return doctor


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=() if kind in FAST_KINDS else slow) for kind in trainings.DATA]
)
def test_every_kind_of_data_trains_as_without_us(kind):
    doctor = assert_watching_changes_nothing(kind)
    expected = "arrays" if kind in ("validation_split", "list", "dict") else kind
    assert doctor.report.run.facts.fit.source == expected


@slow
@pytest.mark.parametrize(
    "build",
    [trainings.Subclassed, trainings.lstm, trainings.half_precision, trainings.convolutional, trainings.noisy],
    ids=lambda build: build.__name__,
)
def test_every_kind_of_model_trains_as_without_us(build):
    assert_watching_changes_nothing("arrays", build)


@slow
@pytest.mark.skipif(BACKEND != "torch", reason="torch modules train on torch only")
@pytest.mark.parametrize("build", [trainings.torch_module, trainings.torch_module_behind_keras])
def test_torch_module_in_a_model_trains_as_without_us(build):
    assert_watching_changes_nothing("arrays", build)


@slow
@pytest.mark.parametrize("kind", ["validation_split", "PyDataset", "generator"])
@pytest.mark.parametrize(
    "compiled", [{"jit_compile": True}, {"steps_per_execution": 4}], ids=["jit_compile", "steps_per_execution"]
)
def test_every_way_to_compile_trains_as_without_us(kind, compiled):
    if BACKEND == "torch":
        pytest.skip("Keras on torch takes one step per execution, and compiling with dynamo needs a C++ compiler")
    assert_watching_changes_nothing(kind, **compiled)


@slow
@pytest.mark.parametrize("kind", ["arrays", "PyDataset"])
def test_eager_training_is_as_without_us(kind):
    assert_watching_changes_nothing(kind, run_eagerly=True)


@slow
@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adafactor", "nadam"])
def test_every_optimizer_trains_as_without_us(optimizer):
    assert_watching_changes_nothing("arrays", optimizer=optimizer)


@slow
@pytest.mark.parametrize("kind", ["arrays", "PyDataset"])
def test_second_fit_with_the_same_callback_is_as_without_us(kind):
    doctor = assert_watching_changes_nothing(kind, fits=2)
    assert [seen.epoch for seen in doctor.report.run.observations] == [-1, 0, 1]


@slow
@pytest.mark.parametrize("kind", ["arrays", "PyDataset"])
def test_checking_after_batches_is_as_without_us(kind):
    doctor = assert_watching_changes_nothing(kind, check_freq=5)
    assert [seen.trigger for seen in doctor.report.run.observations] == ["begin", *["batch", "batch", "epoch"] * 2]


@slow
@pytest.mark.skipif(BACKEND != "tensorflow", reason="`MirroredStrategy` is a matter of TensorFlow")
def test_training_on_two_devices_is_as_without_us():
    root = Path(__file__).parents[2]
    script = Path(__file__).with_name("two_devices.py")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
