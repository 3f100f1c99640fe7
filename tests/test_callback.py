import contextlib
import copy
import gc
import json
import os
import re
import subprocess
import sys
import weakref
from pathlib import Path

import keras
import numpy as np
import pytest

from deepdebug import Diagnose, DiagnosisError, UsageError
from deepdebug.cli.diagnose import rejudge
from deepdebug.config import load_settings
from deepdebug.recording_reader import read_recording
from tests.tiny import (
    BATCH,
    EPOCHS,
    ROWS,
    Batches,
    Interrupting,
    X,
    Y,
    endless_batches,
    fit,
    skipped,
    tiny_model,
    watched_fit,
    weights,
)

BACKEND = keras.config.backend()
FILES = {"observations.jsonl", "report.json", "report.html"}


@pytest.fixture(autouse=True)
def _no_settings_from_elsewhere(tmp_path, monkeypatch):
    """No `pyproject.toml` above the working folder and no variable of the environment may decide a test."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("DEEPDEBUG_")]:
        monkeypatch.delenv(name)


# --- arguments ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"select": ["DD999"]}, "`select` got 'DD999', which names no detector"),
        ({"ignore": ["nonsense"]}, "`ignore` got 'nonsense', which names no detector"),
        ({"preset": "best"}, "`preset` got 'best', which is not a preset"),
        ({"action": "explode"}, "`action` got 'explode'; expected one of 'report', 'stop', 'raise'"),
        ({"check_freq": 0}, "`check_freq` got 0; expected 'auto', 'epoch' or a number of batches, at least 1"),
        ({"check_freq": "batch"}, "`check_freq` got 'batch'"),
        ({"check_freq": True}, "`check_freq` got True"),
        ({"check_freq": 1.5}, "`check_freq` got 1.5"),
        ({"probe": X}, r"`probe` got a ndarray of length 32; expected a pair \(x, y\)"),
        ({"verbose": -1}, "`verbose` is -1; expected 0 or 1"),
        ({"log_dir": 3}, "`log_dir` is 3; expected a string"),
    ],
)
def test_wrong_argument_is_refused_with_the_value_and_what_was_expected(arguments, message):
    with pytest.raises(UsageError, match=message):
        Diagnose(**arguments)


def test_log_dir_that_is_a_file_is_refused(tmp_path):
    file = tmp_path / "log"
    file.write_text("")
    with pytest.raises(UsageError, match=r"`log_dir` got '.*log', which is a file; expected a folder"):
        Diagnose(log_dir=file)


@pytest.mark.parametrize("shape", [(8, 5), (8, 4, 4), (8,)])
def test_probe_that_does_not_fit_the_model_is_refused(shape):
    came = ", ".join(map(str, shape[1:]))
    with pytest.raises(UsageError, match=re.escape(f"`probe` got rows of shape ({came}); the model 'tiny' takes (4)")):
        fit(Diagnose(verbose=0, probe=(np.zeros(shape), np.zeros(8))))


@pytest.mark.skipif(BACKEND != "tensorflow", reason="Keras tries the loss there before it calls any callback")
def test_what_is_certainly_wrong_is_printed_before_a_training_that_fails(capsys):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "softmax")])
    model.compile("sgd", "categorical_crossentropy")  # of class numbers, which Keras refuses
    with pytest.raises(Exception):  # noqa: B017, PT011
        fit(Diagnose(), model=model)
    assert "deepdebug: error DD404 label-encoding" in capsys.readouterr().out


def test_arguments_other_than_select_go_by_name():
    with pytest.raises(TypeError):
        Diagnose(None, ())


def test_selected_checks_alone_are_made():
    doctor = watched_fit(Diagnose("DD4", ignore="DD421", verbose=0))
    checked = {*doctor.report.judged, *(one.check for one in doctor.report.skipped)}
    assert checked
    assert all(code.startswith("DD4") and code != "DD421" for code in checked)


@pytest.mark.slow
def test_callback_can_be_copied_before_training():
    doctor = copy.deepcopy(Diagnose(verbose=0, check_freq=2))
    triggers = [seen.trigger for seen in watched_fit(doctor).report.run.observations]
    assert triggers == ["begin", *["batch", "batch", "epoch"] * EPOCHS]


# --- report ---------------------------------------------------------------------------------------------------------


def test_report_before_any_training_says_what_to_do():
    with pytest.raises(UsageError, match=r"`report` was read before any training. Pass the callback to `model.fit"):
        _ = Diagnose().report


def test_model_that_is_not_compiled_is_refused():
    doctor = Diagnose()
    doctor.set_model(keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)], name="raw"))
    with pytest.raises(UsageError, match=r"the model 'raw', which is not compiled. Call `model.compile\("):
        doctor.on_train_begin()


def test_finished_training_is_observed_before_the_first_update_and_after_every_epoch():
    report = watched_fit(validation_split=0.25).report
    assert report.finished
    assert [(seen.epoch, seen.trigger, seen.step) for seen in report.run.observations] == [
        (-1, "begin", 0), (0, "epoch", 3), (1, "epoch", 6),
    ]  # fmt: skip
    assert set(report.run.observations[-1].metrics) == {"loss", "val_loss"}
    assert report.run.facts.fit.epochs == EPOCHS
    assert 0 < report.seconds < 60


def test_report_can_be_read_during_training():
    doctor, seen = Diagnose(verbose=0), []
    fit(doctor, keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: seen.append(doctor.report)))
    assert [len(report.run.observations) for report in seen] == [2, 3]
    assert not seen[0].finished


def test_number_of_findings_is_in_the_history():
    doctor = Diagnose(verbose=0, ignore=["DD308"])  # which is found at the end only
    history = tiny_model("linear").fit(X, Y, verbose=0, callbacks=[doctor]).history
    severe = [finding for finding in doctor.report.findings if finding.severity != "info"]
    assert history["deepdebug_findings"] == [float(len(severe))]
    assert severe


def test_second_fit_starts_a_new_report():
    doctor = Diagnose(verbose=0)
    model = fit(doctor)
    first = doctor.report
    fit(doctor, model=model, epochs=1)
    assert [seen.epoch for seen in doctor.report.run.observations] == [-1, 0]
    assert [seen.step for seen in doctor.report.run.observations] == [0, 4]
    assert len(first.run.observations) == 1 + EPOCHS


@pytest.mark.slow
def test_same_callback_watches_another_model():
    doctor = watched_fit()
    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, "sigmoid")], name="other")
    other.compile("sgd", "binary_crossentropy")
    assert watched_fit(doctor, model=other).report.run.facts.model == "other"


def test_earlier_training_is_let_go_when_the_next_begins():
    doctor = watched_fit()
    earlier = weakref.ref(doctor._watch)
    watched_fit(doctor, epochs=1)
    keras.backend.clear_session()
    gc.collect()
    assert earlier() is None


@pytest.mark.slow
def test_epochs_count_from_the_initial_one():
    report = watched_fit(initial_epoch=5, epochs=7).report
    assert [seen.epoch for seen in report.run.observations] == [-1, 5, 6]


def test_nothing_is_printed_when_told_so(capsys):
    watched_fit(Diagnose(verbose=0))
    assert capsys.readouterr() == ("", "")


def test_report_is_printed_at_the_end(capsys):
    watched_fit(Diagnose(verbose=1), model=tiny_model("linear"))
    assert "DD403" in capsys.readouterr().out


def test_files_are_written(tmp_path):
    doctor = watched_fit(Diagnose(verbose=0, log_dir=tmp_path / "new" / "folder"))
    folder = tmp_path / "new" / "folder"
    assert {file.name for file in folder.iterdir()} == FILES
    run = read_recording(folder)
    assert run.finished
    assert len(run.observations) == len(doctor.report.run.observations)
    assert json.loads((folder / "report.json").read_text())


@pytest.mark.slow
def test_two_callbacks_watch_the_same_training():
    first, second = Diagnose(verbose=0), Diagnose("DD4", verbose=0)
    plain = fit(x=Batches(), y=None, batch_size=None)
    both = fit(first, second, x=Batches(), y=None, batch_size=None)
    assert weights(both) == weights(plain)
    assert [len(one.report.run.observations) for one in (first, second)] == [1 + EPOCHS] * 2
    assert skipped(first) == skipped(second) == {}


@pytest.mark.slow
def test_evaluation_outside_of_fit_is_no_training():
    doctor = Diagnose(verbose=0)
    model = tiny_model()
    model.evaluate(X, Y, verbose=0, callbacks=[doctor])
    model.fit(X, Y, verbose=0, callbacks=[doctor])
    before = doctor.report
    model.evaluate(Batches(), verbose=0, callbacks=[doctor])
    assert doctor.report.run.observations == before.run.observations


# --- data -----------------------------------------------------------------------------------------------------------


def pipeline(*arrays):
    return pytest.importorskip("tensorflow").data.Dataset.from_tensor_slices(arrays).batch(BATCH)


def loader():
    torch = pytest.importorskip("torch")
    data = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y))
    return torch.utils.data.DataLoader(data, batch_size=BATCH)


def slow(*values):
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("arrays", {}),
        ("PyDataset", lambda: {"x": Batches()}),
        slow("generator", lambda: {"x": endless_batches(), "steps_per_epoch": ROWS // BATCH, "shuffle": False}),
        slow("tf.data", lambda: {"x": pipeline(X, Y), "shuffle": False}),
        slow("DataLoader", lambda: {"x": loader(), "shuffle": False}),
    ],
)
def test_rows_are_found_in_every_kind_of_data(kind, arguments):
    given = {**arguments(), "y": None, "batch_size": None} if callable(arguments) else arguments
    doctor = watched_fit(**given)
    run = doctor.report.run
    assert run.facts.fit.source == kind
    assert run.facts.data.rows == ROWS
    assert run.facts.data.labels[0].class_counts == tuple(np.bincount(Y))
    assert [seen.trigger for seen in run.observations] == ["begin", *["epoch"] * EPOCHS]
    assert all(seen.rows and seen.loss is not None for seen in run.observations)
    assert skipped(doctor) == {}


def test_inputs_in_a_dictionary_lead_to_their_first_layers():
    inputs = {name: keras.Input((2,), name=name) for name in ("right", "left")}
    hidden = [keras.layers.Dense(2, name=f"from_{name}")(one) for name, one in inputs.items()]
    model = keras.Model(inputs, keras.layers.Dense(1, "sigmoid")(keras.layers.Add()(hidden)))
    model.compile("sgd", "binary_crossentropy")
    data = watched_fit(model=model, x={"left": X[:, :2], "right": X[:, 2:]}).report.run.facts.data
    assert {one.name: one.first_learning_layer for one in data.inputs} == {"left": "from_left", "right": "from_right"}


@pytest.mark.slow
def test_batches_of_different_lengths_are_no_obstacle():
    class Ragged(keras.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            return np.ones((BATCH, 2 + index, 4), "float32"), np.zeros(BATCH, "float32")

    model = keras.Sequential([keras.Input((None, 4)), keras.layers.LSTM(2), keras.layers.Dense(1, "sigmoid")])
    model.compile("sgd", "binary_crossentropy")
    doctor = watched_fit(model=model, x=Ragged(), y=None, batch_size=None)
    assert skipped(doctor) == {}
    assert all(seen.rows == BATCH for seen in doctor.report.run.observations)


def test_rows_of_the_user_are_looked_at_instead():
    doctor = watched_fit(Diagnose(verbose=0, probe=(X[:5], Y[:5])))
    assert {seen.rows for seen in doctor.report.run.observations} == {5}


@pytest.mark.slow
def test_validation_batches_are_described():
    data = watched_fit(validation_data=Batches()).report.run.facts.data
    assert data.validation_labels[0].rows == ROWS


def test_loop_of_the_users_own_is_left_alone():
    model, doctor = tiny_model(), Diagnose(verbose=0)
    plain = tiny_model()
    doctor.set_model(model)
    doctor.on_train_begin()
    for epoch in range(2):
        doctor.on_epoch_begin(epoch)
        loss = model.train_on_batch(X, Y)
        plain.train_on_batch(X, Y)
        doctor.on_epoch_end(epoch, {"loss": float(loss)})
    doctor.on_train_end()
    assert weights(model) == weights(plain)
    assert "pass `probe=(x, y)`" in skipped(doctor)["probe"]
    assert [seen.metrics.keys() for seen in doctor.report.run.observations][-1] == {"loss"}


# --- action ---------------------------------------------------------------------------------------------------------


class PoisonAtEnd(keras.callbacks.Callback):
    """Writes NaN into the weights at the end of an epoch."""

    def on_epoch_end(self, epoch, logs=None):
        self.model.set_weights([np.full_like(weight, np.nan) for weight in self.model.get_weights()])


def test_weights_are_seen_to_be_nan_where_the_loss_refuses_to_say():
    doctor = Diagnose(verbose=0)
    fit(PoisonAtEnd(), doctor, epochs=1)
    assert "DD201" in {finding.code for finding in doctor.report.findings}
    assert doctor.report.run.observations[-1].layers[-1].non_finite == 1.0


class Poison(keras.callbacks.Callback):
    """Writes NaN into the weights after the first epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            self.model.set_weights([np.full_like(weight, np.nan) for weight in self.model.get_weights()])


def test_fatal_finding_stops_the_training_when_told_so():
    doctor = Diagnose(verbose=0, action="stop")
    history = tiny_model(loss="mse").fit(X, Y, epochs=6, verbose=0, callbacks=[Poison(), doctor]).history
    assert len(history["loss"]) == 2
    assert any(finding.severity == "fatal" for finding in doctor.report.findings)


@pytest.mark.slow
def test_finding_only_tells_when_not_told_otherwise():
    history = tiny_model(loss="mse").fit(X, Y, epochs=4, verbose=0, callbacks=[Poison(), Diagnose(verbose=0)]).history
    assert len(history["loss"]) == 4


def test_finding_raises_when_told_so_and_the_reports_lie_there(tmp_path):
    with pytest.raises(DiagnosisError, match=r"^DD403: ") as caught:
        watched_fit(Diagnose(verbose=0, action="raise", log_dir=tmp_path), model=tiny_model("linear"))
    assert caught.value.report.findings[0].code == "DD403"
    assert "DD403 loss-activation-mismatch" in str(caught.value)
    assert {file.name for file in tmp_path.iterdir()} == FILES


@pytest.mark.slow
def test_model_trains_on_after_a_raised_finding():
    model = tiny_model("linear")
    with pytest.raises(DiagnosisError):
        fit(Diagnose(verbose=0, action="raise"), model=model, x=Batches(), y=None, batch_size=None)
    fit(model=model)


def test_checks_after_batches_come_as_often_as_told():
    triggers = [seen.trigger for seen in watched_fit(Diagnose(verbose=0, check_freq=3)).report.run.observations]
    assert triggers == ["begin", "batch", "epoch", "batch", "epoch"]


# --- short epochs ----------------------------------------------------------------------------------------------------

ONE_UPDATE = {"batch_size": len(X), "epochs": 40}  # per epoch


def epochs_looked_at(doctor):
    return [one.epoch for one in doctor.report.run.observations]


def test_after_short_epochs_the_model_is_not_always_looked_at_but_all_metrics_are_kept():
    doctor = Diagnose(verbose=0)
    history = tiny_model().fit(X, Y, callbacks=[doctor], verbose=0, **ONE_UPDATE).history
    seen = epochs_looked_at(doctor)
    assert seen[:6] == [-1, 0, 1, 2, 3, 4]
    assert len(seen) < 20
    assert seen[-1] == 39
    assert doctor.report.run.series("loss") == pytest.approx(history["loss"])
    assert [one["epoch"] for one in json.loads(doctor.report.to_json())["epochs"]] == list(range(40))


@pytest.mark.parametrize("arguments", [{"check_freq": "epoch"}, {"check_freq": 1000}, {"preset": "deepdiagnosis"}])
def test_every_epoch_end_is_looked_at_when_told_so(arguments):
    doctor = watched_fit(Diagnose(verbose=0, **arguments), **ONE_UPDATE)
    assert epochs_looked_at(doctor) == list(range(-1, 40))


@pytest.mark.parametrize("before", [True, False])
def test_training_that_stops_early_is_looked_at_where_it_stops(before):
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 30

    doctor = Diagnose(verbose=0)
    callbacks = [Stop(), doctor] if before else [doctor, Stop()]
    tiny_model().fit(X, Y, callbacks=callbacks, verbose=0, **ONE_UPDATE)
    assert epochs_looked_at(doctor)[-1] == 30
    assert len(doctor.report.run.epochs) == 31
    without = watched_fit(Diagnose(verbose=0), **{**ONE_UPDATE, "epochs": 31})
    assert [one.code for one in doctor.report.findings] == [one.code for one in without.report.findings]


class Spoil(keras.callbacks.Callback):
    """Makes a logged number infinite in some epochs; stands before `Diagnose`."""

    def __init__(self, name, epochs):
        super().__init__()
        self._name, self._epochs = name, epochs

    def on_epoch_end(self, epoch, logs=None):
        if epoch in self._epochs:
            logs[self._name] = np.inf


@pytest.mark.parametrize("name", ["loss", "val_loss"])
def test_number_that_stops_being_finite_is_looked_at_at_once_and_once(name):
    doctor = Diagnose(verbose=0)
    fit(Spoil(name, range(25, 29)), doctor, validation_split=0.25, **ONE_UPDATE)
    assert set(epochs_looked_at(doctor)) & set(range(24, 29)) == {25}
    assert "DD301" in {one.code for one in doctor.report.findings}


def test_recording_of_short_epochs_gives_the_report_that_was_given_live(tmp_path):
    live = watched_fit(Diagnose(verbose=0, log_dir=tmp_path), **ONE_UPDATE).report
    read = read_recording(tmp_path)
    assert [one.epoch for one in read.run.epochs] == list(range(40))
    assert read.run.series("loss") == live.run.series("loss")
    again = rejudge(read, load_settings())
    assert (again.findings, again.diagnoses, again.judged) == (live.findings, live.diagnoses, live.judged)


# --- interruption ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(BACKEND == "torch", reason="Keras on torch takes one step per execution")
def test_checks_after_batches_count_steps_where_several_make_one_call():
    model = tiny_model()
    model.compile("sgd", "binary_crossentropy", steps_per_execution=2)
    doctor = watched_fit(Diagnose(verbose=0, check_freq=2), model=model)
    assert [one.trigger for one in doctor.report.run.observations] == ["begin", *["batch", "batch", "epoch"] * 2]


@pytest.mark.slow
@pytest.mark.skipif(BACKEND == "jax", reason="a training step on JAX hands over its state too")
def test_loss_that_is_no_number_is_no_obstacle():
    class PerRow(keras.Model):
        def __init__(self):
            super().__init__()
            self.head = keras.layers.Dense(1)

        def call(self, x):
            return self.head(x)

        def train_step(self, *_):
            return {"loss": keras.ops.zeros((3,))}

    model = PerRow()
    model.compile("sgd", "mse", run_eagerly=True)
    doctor = watched_fit(Diagnose(verbose=0, check_freq=2), model=model)
    assert len(doctor.report.run.observations) > 1


@pytest.mark.slow
def test_interrupted_training_writes_its_reports_before_the_next_one_in_the_same_folder(tmp_path):
    interrupted = Diagnose(verbose=0, log_dir=tmp_path)
    with contextlib.suppress(KeyboardInterrupt):
        fit(interrupted, Interrupting())
    finished = watched_fit(Diagnose(verbose=0, log_dir=tmp_path))
    del interrupted
    gc.collect()
    written, expected = json.loads((tmp_path / "report.json").read_text()), json.loads(finished.report.to_json())
    assert written | {"seconds": 0} == expected | {"seconds": 0}


def test_reports_lie_beside_the_recording_when_the_working_folder_changes(tmp_path, monkeypatch):
    class Leaving(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            monkeypatch.chdir(tmp_path / "elsewhere")

    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    fit(Diagnose(verbose=0, log_dir="run"), Leaving())
    assert {one.name for one in (tmp_path / "run").iterdir()} == {"observations.jsonl", "report.json", "report.html"}


@pytest.mark.slow
def test_rows_of_the_user_are_not_taken_for_training_data():
    few = (X[:16], Y[:16])
    doctor = Diagnose(verbose=0, probe=few)
    watched_fit(doctor, x=Batches(), y=None, batch_size=None, validation_data=few)
    assert doctor.report.run.facts.data.rows == ROWS
    assert doctor.report.run.latest.rows == 16


@pytest.mark.slow
def test_outputs_in_a_dictionary_go_by_its_keys():
    inputs = keras.Input((4,))
    outputs = {"sort": keras.layers.Dense(3, "softmax")(inputs), "ink": keras.layers.Dense(1)(inputs)}
    model = keras.Model(inputs, outputs)
    model.compile("sgd", {"sort": "sparse_categorical_crossentropy", "ink": "mse"})
    doctor = watched_fit(model=model, y={"sort": Y, "ink": X[:, 0]})
    kinds = {one.name: (one.units, one.loss.kind) for one in doctor.report.run.facts.outputs}
    assert kinds == {"sort": (3, "sparse_categorical_crossentropy"), "ink": (1, "mean_squared_error")}
    assert {one.name for one in doctor.report.run.latest.outputs} == {"sort", "ink"}


def test_interrupted_training_leaves_a_report():
    doctor = Diagnose(verbose=0)
    model = tiny_model()
    with pytest.raises(KeyboardInterrupt):
        fit(doctor, Interrupting(1), model=model, epochs=5)
    assert not doctor.report.finished
    assert [seen.epoch for seen in doctor.report.run.observations] == [-1, 0, 1]
    assert "2 of 5 epochs" in str(doctor.report)
    assert watched_fit(doctor, model=model).report.finished


def run_script(body, folder):
    root = Path(__file__).parents[1]
    script = "\n".join(
        [
            "import os, signal, keras",
            "from deepdebug import Diagnose",
            "from tests.tiny import Interrupting, fit, tiny_model",
            f"doctor = Diagnose(verbose=0, log_dir={str(folder)!r})",
            body,
        ]
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])}
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False)


@pytest.mark.slow
def test_interrupted_program_writes_its_reports_at_exit(tmp_path):
    done = run_script("fit(doctor, Interrupting(1), epochs=5)", tmp_path)
    assert "KeyboardInterrupt" in done.stderr
    assert {file.name for file in tmp_path.iterdir()} == FILES
    run = read_recording(tmp_path)
    assert not run.finished
    assert [seen.epoch for seen in run.observations] == [-1, 0, 1]


@pytest.mark.slow
def test_killed_program_leaves_a_readable_recording(tmp_path):
    kill = "keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, _: epoch == 2 and os.kill(os.getpid(), 9))"
    done = run_script(f"fit(doctor, {kill}, epochs=5)", tmp_path)
    assert done.returncode == -9
    assert {file.name for file in tmp_path.iterdir()} == {"observations.jsonl"}
    run = read_recording(tmp_path)
    assert [seen.epoch for seen in run.observations] == [-1, 0, 1]
