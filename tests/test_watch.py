"""Whatever fails inside, the training goes on as without us, and the report says what was left out."""

import errno
import gc
import os
import weakref
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers, ops

from deepdebug import Diagnose, callback
from deepdebug.detectors.registry import all_rules
from deepdebug.judging import replay
from deepdebug.model.probe import Probe
from deepdebug.recording import RecordingWriter
from deepdebug.recording_reader import read_recording
from tests.factory import healthy_run
from tests.tiny import BATCH, EPOCHS, ROWS, Batches, X, Y, fit, skipped, tiny_model, watched_fit, weights

BACKEND = keras.config.backend()
slow = pytest.mark.slow


class InjectedError(Exception):
    """Raised by the tests where something is to fail."""


def fail(*_, **__):
    raise InjectedError("as planned")


@pytest.fixture(scope="module")
def plain_weights():
    return weights(fit())


# --- detectors ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.symptom)
def test_failing_detector_stops_no_other(rule, monkeypatch):
    detectors = tuple(one() for one in all_rules())
    run = healthy_run(finished=True)
    sound = replay(run, detectors)
    monkeypatch.setattr(rule, "detect", fail)
    log = replay(run, detectors)
    reasons = {one.check: one.reason for one in log.skipped}
    assert reasons[rule.code] == "the detector failed: InjectedError: as planned"
    assert log.findings == tuple(one for one in sound.findings if one.code != rule.code)
    assert set(log.judged) == set(sound.judged) - {rule.code}


def test_training_goes_on_when_every_detector_fails(monkeypatch, plain_weights):
    for rule in all_rules():
        monkeypatch.setattr(rule, "detect", fail)
    doctor = Diagnose(verbose=0)
    assert weights(fit(doctor)) == plain_weights
    assert doctor.report.judged == ()
    assert {one.check for one in doctor.report.skipped} >= {rule.code for rule in all_rules()}
    assert doctor.report.exit_code == 3


# --- parts ----------------------------------------------------------------------------------------------------------

PARTS = {
    # what fails: the entry under `skipped` that tells of it
    "deepdebug.watch.Feed": "training data",
    "deepdebug.model.feed.find_source": "training data",
    "deepdebug.model.feed.sample_arrays": "training data",
    "deepdebug.model.source.describe_data": "data",
    "deepdebug.watch.with_data_flow": "data",
    "deepdebug.model.observer.follow": "probe",
    "deepdebug.model.observer.inspect_model": "training data",
    "deepdebug.model.observer.Probe": "training data",
    "deepdebug.model.probe.private.compute_loss": "probe",
    "deepdebug.model.probe.layer_statistics": "probe",
    "deepdebug.model.probe.gradient_statistics": "probe",
    "deepdebug.model.probe.private.variable_values_after_step": "probe",
    "deepdebug.model.observer.with_readings": "check",
    "deepdebug.watch.judge": "check",
    "deepdebug.watch.RecordingWriter": "observations.jsonl",
    "deepdebug.report.html.render": "report.html",
    "deepdebug.report.json_report.render": "report.json",
    "deepdebug.report.console.show": "console",
}
QUICK = ("deepdebug.watch.Feed", "deepdebug.model.observer.follow", "deepdebug.report.html.render")


@pytest.mark.parametrize("part", [pytest.param(part, marks=() if part in QUICK else slow) for part in PARTS])
def test_training_goes_on_when_a_part_fails(part, monkeypatch, plain_weights, tmp_path):
    monkeypatch.setattr(part, fail)
    doctor = Diagnose(verbose=1, log_dir=tmp_path)
    assert weights(fit(doctor)) == plain_weights
    assert any("as planned" in reason for reason in skipped(doctor).values()), doctor.report.skipped
    assert PARTS[part] in skipped(doctor)


@slow
@pytest.mark.parametrize("part", ["deepdebug.model.tap.as_array", "deepdebug.model.observer.inspect_model"])
def test_training_goes_on_when_the_batches_cannot_be_looked_at(part, monkeypatch):
    batches = {"x": Batches(), "y": None, "batch_size": None}
    plain = weights(fit(**batches))
    monkeypatch.setattr(part, fail)
    doctor = Diagnose(verbose=0)
    assert weights(fit(doctor, **batches)) == plain
    assert any("as planned" in reason for reason in skipped(doctor).values())


def test_training_goes_on_when_the_grouping_by_cause_fails(monkeypatch, plain_weights):
    sound = callback.find_preset("default")
    monkeypatch.setattr(callback, "find_preset", lambda name: replace(sound, diagnose=fail))
    doctor = Diagnose(verbose=0)
    assert weights(fit(doctor)) == plain_weights
    assert skipped(doctor) == {"diagnosis": "grouping by cause failed: InjectedError: as planned"}


@slow
def test_check_that_fails_once_is_left_out_and_the_next_one_made(monkeypatch, plain_weights):
    original, calls = Probe.read, []

    def fail_once(self, *arguments):
        calls.append(arguments)
        return fail() if len(calls) == 3 else original(self, *arguments)  # tried, begin, first epoch

    monkeypatch.setattr(Probe, "read", fail_once)
    monkeypatch.setattr(Probe, "without_loss", fail)
    doctor = Diagnose("DD4", verbose=0)
    assert weights(fit(doctor)) == plain_weights
    assert [seen.epoch for seen in doctor.report.run.observations] == [-1, 1]
    assert skipped(doctor)["check"] == "InjectedError: as planned"


@slow
def test_full_disk_ends_the_recording_and_not_the_training(monkeypatch, plain_weights, tmp_path):
    def no_space(self, text):
        raise OSError(errno.ENOSPC, "No space left on device")

    original, doctor = RecordingWriter._append, Diagnose(verbose=0, log_dir=tmp_path)
    monkeypatch.setattr(
        RecordingWriter, "_append", lambda self, text: (no_space if b"observation" in text else original)(self, text)
    )
    assert weights(fit(doctor)) == plain_weights
    assert "No space left on device" in skipped(doctor)["observations.jsonl"]
    assert read_recording(tmp_path).facts == doctor.report.run.facts


@slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_full_disk_raises_nothing_when_the_recording_is_closed(monkeypatch, plain_weights, tmp_path):
    doctor = Diagnose(verbose=0, log_dir=tmp_path)
    original = RecordingWriter.observation

    def onto_full_disk(self, observation):
        os.dup2(os.open("/dev/full", os.O_WRONLY), self._file.fileno())
        original(self, observation)

    monkeypatch.setattr(RecordingWriter, "observation", onto_full_disk)
    assert weights(fit(doctor)) == plain_weights
    assert "No space left on device" in skipped(doctor)["observations.jsonl"]
    assert (tmp_path / "report.html").exists()


@slow
def test_finding_stays_when_the_second_look_fails(monkeypatch, tmp_path):
    original = Probe.read

    def only_few(self, x, y, rows):
        return fail() if rows == ROWS else original(self, x, y, rows)

    monkeypatch.setattr("deepdebug.model.source.SCREEN_ROWS", (8, 8))
    monkeypatch.setattr(Probe, "read", only_few)
    doctor = Diagnose(verbose=0, log_dir=tmp_path)
    fit(doctor, model=tiny_model("linear"))
    assert "DD403" in {one.code for one in doctor.report.findings}
    assert skipped(doctor)["confirmation"] == "InjectedError: as planned"
    assert len(read_recording(tmp_path).observations) == 1 + EPOCHS


@slow
def test_data_and_model_are_let_go_after_the_training():
    x = X.copy()
    known = weakref.ref(x)
    doctor = Diagnose(verbose=0)
    fit(doctor, x=x)
    del x
    gc.collect()
    assert known() is None
    assert doctor.report.run.facts.layers


@slow
def test_folder_that_cannot_be_made_is_reported(plain_weights, tmp_path):
    (tmp_path / "file").write_text("")
    doctor = Diagnose(verbose=0, log_dir=tmp_path / "file" / "folder")
    assert weights(fit(doctor)) == plain_weights
    assert {"observations.jsonl", "report.json", "report.html"} <= set(skipped(doctor))


def test_error_to_be_raised_is_ours_even_when_the_report_cannot_be_rendered(monkeypatch):
    monkeypatch.setattr("deepdebug.report.console.render", fail)
    with pytest.raises(callback.DiagnosisError, match=r"^DD403: "):
        fit(Diagnose(verbose=0, action="raise"), model=tiny_model("linear"))


# --- odd models -----------------------------------------------------------------------------------------------------


def compiled(model, loss="mse", optimizer="sgd", **named):
    model.compile(optimizer, loss, **named)
    return model


def scalar_per_row():
    inputs = keras.Input((4,))
    return compiled(keras.Model(inputs, ops.squeeze(layers.Dense(1)(inputs), axis=-1)))


def unknown_loss():
    return compiled(tiny_model(), lambda y, prediction: ops.mean(ops.abs(y - prediction)))


def without_training_argument():
    class Plain(keras.Model):
        def __init__(self):
            super().__init__()
            self.head = layers.Dense(1)

        def call(self, x):
            return self.head(x)

    return compiled(Plain())


def with_lambdas():
    stack = [keras.Input((4,)), layers.Lambda(lambda x: x * 2), layers.Dense(1), layers.Lambda(ops.tanh)]
    return compiled(keras.Sequential(stack))


def embedded():
    stack = [keras.Input((4,), dtype="int32"), layers.Embedding(10, 3), layers.Flatten(), layers.Dense(1)]
    return compiled(keras.Sequential(stack))


def unbuilt():
    return compiled(keras.Sequential([layers.Dense(3, "relu"), layers.Dense(1)]))


def two_heads_one_loss():
    inputs = keras.Input((4,))
    heads = {"kept": layers.Dense(1, name="kept")(inputs), "free": layers.Rescaling(2.0, name="free")(inputs)}
    return compiled(keras.Model(inputs, heads), {"kept": "mse", "free": None})


def augmenting():
    stack = [
        keras.Input((4,)), layers.Reshape((2, 2, 1)), layers.RandomFlip(seed=1), layers.Conv2D(2, 2),
        layers.BatchNormalization(), layers.Flatten(), layers.Dense(1),
    ]  # fmt: skip
    return compiled(keras.Sequential(stack))


def variational():
    class Sampling(layers.Layer):
        def __init__(self):
            super().__init__()
            self.seeds = keras.random.SeedGenerator(1)

        def call(self, x):
            self.add_loss(1e-3 * ops.mean(ops.square(x)))
            return x + 0.1 * keras.random.normal(ops.shape(x), seed=self.seeds)

    return compiled(keras.Sequential([keras.Input((4,)), layers.Dense(3), Sampling(), layers.Dense(1)]))


ODD = {
    one.__name__: one
    for one in (
        scalar_per_row, unknown_loss, without_training_argument, with_lambdas, embedded, unbuilt, two_heads_one_loss,
        augmenting, variational,
    )
}  # fmt: skip
QUICK_MODELS = ("scalar_per_row", "unbuilt")


@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name in QUICK_MODELS else slow) for name in ODD])
def test_odd_model_is_watched_in_full(name):
    x = np.abs(X * 3).astype("int32") % 10 if name == "embedded" else X
    y = {"kept": Y, "free": X} if name == "two_heads_one_loss" else Y.astype("float32")

    def trained(*callbacks):
        keras.utils.set_random_seed(0)
        return fit(*callbacks, model=ODD[name](), x=x, y=y)

    doctor = Diagnose(verbose=0)
    assert weights(trained(doctor)) == weights(trained())
    assert skipped(doctor) == {}
    assert len(doctor.report.run.observations) == 1 + EPOCHS
    assert all(np.isfinite(seen.loss) and seen.gradient_norm for seen in doctor.report.run.observations)


@slow
def test_model_with_a_loss_of_its_own_needs_no_labels():
    class Penalised(keras.Model):
        def __init__(self):
            super().__init__()
            self.head = layers.Dense(4)

        def call(self, x):
            y = self.head(x)
            self.add_loss(ops.mean(ops.square(x - y)))
            return y

    model = Penalised()
    model.compile("sgd")
    doctor = watched_fit(model=model, y=None)
    assert skipped(doctor) == {}
    assert doctor.report.run.observations[-1].gradient_norm > 0
    assert doctor.report.run.facts.outputs[0].loss.kind == "none"


@slow
@pytest.mark.filterwarnings("ignore:The model does not have any trainable weights")
def test_model_without_weights_is_no_obstacle():
    model = compiled(keras.Sequential([keras.Input((4,)), layers.Rescaling(0.5)]))
    doctor = watched_fit(model=model, y=X)
    assert skipped(doctor) == {}
    assert doctor.report.run.observations[-1].loss == pytest.approx(np.mean((X / 2) ** 2), rel=1e-3)


@slow
@pytest.mark.skipif(BACKEND == "torch", reason="Keras cannot train stateful networks on torch")
def test_memory_of_a_stateful_network_is_left_alone():
    def trained(*callbacks):
        keras.utils.set_random_seed(0)
        stack = [keras.Input(batch_shape=(BATCH, 4, 1)), layers.LSTM(3, stateful=True), layers.Dense(1)]
        model = compiled(keras.Sequential(stack))
        return weights(fit(*callbacks, model=model, x=X[..., None], shuffle=False)), [
            np.asarray(ops.convert_to_numpy(state)).tobytes() for state in model.layers[0].states
        ]

    doctor = Diagnose(verbose=0)
    assert trained(doctor) == trained()
    assert skipped(doctor) == {}
    assert {seen.rows for seen in doctor.report.run.observations} == {BATCH}


def own_train_step():
    class Custom(keras.Model):
        def __init__(self):
            super().__init__()
            self.head = layers.Dense(1)

        def call(self, x, training=None):
            return self.head(x)

        def train_step(self, *arguments):
            return super().train_step(*arguments)

    return compiled(Custom())


@slow
def test_own_training_step_is_noted():
    doctor = watched_fit(model=own_train_step())
    assert doctor.report.run.facts.fit.custom_train_step
    assert skipped(doctor) == {}


@slow
@pytest.mark.skipif(BACKEND != "tensorflow", reason="Keras takes strings and ragged tensors on TensorFlow only")
def test_strings_are_no_obstacle():
    texts = np.array(["a good film", "a bad film"] * (ROWS // 2), dtype=object)
    words = layers.TextVectorization(max_tokens=10, output_sequence_length=3)
    words.adapt(texts)
    stack = [keras.Input((), dtype="string"), words, layers.Embedding(10, 2), layers.Flatten(), layers.Dense(1)]
    doctor = watched_fit(
        model=compiled(keras.Sequential(stack)), x=_strings(texts), y=None, batch_size=None, shuffle=False
    )
    assert skipped(doctor) == {}
    assert doctor.report.run.facts.data.inputs[0].numeric is False
    assert doctor.report.run.observations[-1].gradient_norm > 0


def _strings(texts):
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices((texts.astype(str), Y.astype("float32"))).batch(BATCH)


@slow
@pytest.mark.skipif(BACKEND != "tensorflow", reason="Keras takes strings and ragged tensors on TensorFlow only")
def test_ragged_rows_are_no_obstacle():
    import tensorflow as tf

    ids = tf.ragged.constant([[1, 2, 3][: 1 + row % 3] for row in range(ROWS)])

    def trained(*callbacks):
        keras.utils.set_random_seed(0)
        words = keras.Input((None,), dtype="int32", ragged=True)
        stack = [words, layers.Embedding(5, 2), layers.GlobalAveragePooling1D(), layers.Dense(1)]
        data = tf.data.Dataset.from_tensor_slices((ids, Y.astype("float32"))).batch(BATCH)
        return fit(*callbacks, model=compiled(keras.Sequential(stack)), x=data, y=None, shuffle=False)

    doctor = Diagnose(verbose=0)
    assert weights(trained(doctor)) == weights(trained())
    assert len(doctor.report.run.observations) >= EPOCHS


@slow
def test_other_callbacks_that_change_the_model_are_no_obstacle(tmp_path):
    def others():
        return [
            keras.callbacks.ModelCheckpoint(tmp_path / "best.weights.h5", save_weights_only=True),
            keras.callbacks.ReduceLROnPlateau(monitor="loss", patience=1),
            keras.callbacks.EarlyStopping(monitor="loss", patience=1, restore_best_weights=True),
            keras.callbacks.BackupAndRestore(tmp_path / "backup"),
        ]

    doctor = Diagnose(verbose=0)
    assert weights(fit(doctor, *others(), epochs=4)) == weights(fit(*others(), epochs=4))
    assert skipped(doctor) == {}


@slow
@pytest.mark.skipif(BACKEND != "tensorflow", reason="only TensorFlow warns of retracing")
def test_many_trainings_bring_no_warning_of_retracing(caplog):
    import tensorflow as tf

    tf.get_logger().addHandler(caplog.handler)
    try:
        for _ in range(7):
            watched_fit(epochs=1)
    finally:
        tf.get_logger().removeHandler(caplog.handler)
    assert not [record for record in caplog.records if "Probe" in record.getMessage()]
