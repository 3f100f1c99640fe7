"""What deepdebug takes for granted about Keras's `fit`. A failure here says which part of deepdebug breaks."""

import inspect
import itertools

import keras
import numpy as np
import pytest

from deepdebug.callback import Diagnose
from deepdebug.model import private
from deepdebug.model.source import KINDS

BACKEND = keras.config.backend()
X = np.arange(40, dtype="float32").reshape(10, 4) / 40
Y = X.sum(axis=1)


class Spy(keras.callbacks.Callback):
    """Runs a function inside `fit` and keeps what it returns."""

    def __init__(self, look, hook="on_train_begin"):
        super().__init__()
        self.seen = []
        setattr(self, hook, lambda *_, **__: self.seen.append(look(self)))


def model_to_fit(**compiled):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", **compiled)
    return model


def fit_with(look, *args, hook="on_train_begin", model=None, **kwargs):
    spy = Spy(look, hook)
    (model or model_to_fit()).fit(*args, verbose=0, callbacks=[spy], **kwargs)
    return spy.seen


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return X[:5], Y[:5]


def pipeline():
    return pytest.importorskip("tensorflow").data.Dataset.from_tensor_slices((X, Y)).batch(5)


def loader():
    torch = pytest.importorskip("torch")
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y)), batch_size=5)


SOURCES = {
    "arrays": lambda: X,
    "tf.data": pipeline,
    "PyDataset": Batches,
    "generator": lambda: (batch for batch in itertools.repeat((X[:5], Y[:5]))),
    "DataLoader": loader,
}


def test_frame_of_fit_holds_the_arguments():
    (found,) = fit_with(lambda _: dict(private.fit_arguments()), X, Y, batch_size=5, shuffle=False)
    needed = ("x", "y", "validation_data", "validation_split", "shuffle", "class_weight", "sample_weight", "callbacks")
    assert set(needed) <= set(found), "`private.fit_arguments` finds no data without these local variables of `fit`"
    assert found["x"] is X, "rows to probe with are taken from `x` of the frame"
    assert found["y"] is Y, "labels to probe with are taken from `y` of the frame"
    assert private.iterator_batch_size(found) == 5, "`epoch_iterator.data_adapter.batch_size` gives the batch size"


def test_frame_of_fit_holds_the_parts_of_a_validation_split():
    (found,) = fit_with(lambda _: dict(private.fit_arguments()), X, Y, validation_split=0.2)
    assert len(found["x"]) == 8, "`x` must be the training part, or validation rows would be probed"
    assert len(found["val_x"]) == len(found["val_y"]) == 2, "validation labels are described from `val_y`"


def test_frame_of_fit_holds_the_callbacks():
    (names,) = fit_with(lambda _: private.callback_names(private.fit_arguments()), X, Y)
    assert "Spy" in names, "`FitFacts.callbacks` is read from `CallbackList.callbacks`"


def test_no_running_fit_gives_none():
    assert private.fit_arguments() is None


@pytest.mark.parametrize("kind", SOURCES)
def test_every_data_adapter_has_the_known_name(kind):
    data = SOURCES[kind]()
    labels = (Y,) if kind == "arrays" else ()
    (name,) = fit_with(
        lambda _: private.adapter_name(private.fit_arguments()), data, *labels, shuffle=False, steps_per_epoch=2
    )
    assert KINDS[name] == kind, "without the adapter's name the kind of data is unknown, and no rows are probed"


def test_train_function_is_looked_up_at_every_step():
    calls = []

    def wrap(spy):
        original = spy._model.train_function
        spy._model.train_function = lambda *args: (calls.append(args), original(*args))[1]

    fit_with(wrap, X, Y, batch_size=5)
    assert len(calls) == 2, "`Tap` sees batches only while `fit` calls the attribute `train_function`"


def test_test_function_is_made_before_validation_begins():
    made = fit_with(lambda spy: spy._model.test_function, X, Y, hook="on_test_begin", validation_split=0.2)
    assert made[0] is not None, "`Tap` wraps `test_function` in `on_test_begin`"


def test_train_function_gets_what_the_tap_unpacks():
    kinds = []

    def wrap(spy):
        original = spy._model.train_function
        spy._model.train_function = lambda *args: (kinds.append(args), original(*args))[1]

    fit_with(wrap, X, Y, batch_size=5)
    first = kinds[0]
    if BACKEND == "jax":
        state, iterator = first
        assert len(state) == 4, "`backend.jax.tapped` fills the variables from the four parts of the training state"
        assert hasattr(iterator, "__next__"), "`backend.jax.tapped` draws the batches from an iterator"
    elif BACKEND == "tensorflow":
        import tensorflow as tf

        assert isinstance(first[0], tf.data.Iterator), "`backend.tensorflow.tapped` draws from a `tf.data.Iterator`"
    else:
        assert isinstance(first[0], list), "`backend.torch.tapped` shows a list of batches"


@pytest.mark.skipif(BACKEND != "jax", reason="only JAX hands the state over")
def test_evaluation_state_has_no_optimizer_part():
    states = []

    def wrap(spy):
        original = spy._model.test_function
        spy._model.test_function = lambda *args: (states.append(args[0]), original(*args))[1]

    fit_with(wrap, X, Y, hook="on_test_begin", validation_split=0.2)
    assert len(states[0]) == 3, "`backend.jax.tapped` tells training from evaluation by the number of parts"


@pytest.mark.skipif(BACKEND != "tensorflow", reason="only on TensorFlow")
@pytest.mark.parametrize("steps", [1, 2])
def test_train_function_takes_a_list_of_batches(steps):
    import tensorflow as tf

    model, batches = model_to_fit(steps_per_execution=steps), [(tf.constant(X[:5]), tf.constant(Y[:5]))] * steps
    model.fit(X, Y, verbose=0)
    before = int(model.optimizer.iterations.numpy())
    model.train_function(batches)
    assert int(model.optimizer.iterations.numpy()) == before + steps, "`backend.tensorflow.tapped` passes a list"


def test_callback_that_defines_no_batch_hook_keeps_asynchronous_dispatch():
    from keras.src.utils import is_default

    assert is_default(Diagnose(verbose=0).on_train_batch_end), "`Diagnose` would slow every training on JAX and torch"
    assert not is_default(Diagnose(verbose=0, check_freq=3).on_train_batch_end), "`check_freq` would never be called"


def test_callback_list_decides_about_asynchronous_dispatch_per_hook():
    plain, busy = (keras.callbacks.CallbackList([Diagnose(verbose=0, check_freq=freq)]) for freq in ("epoch", 3))
    expected = BACKEND in ("jax", "torch")
    assert plain._async_train is expected, "`Diagnose` counts on `is_default` to stay out of the way"
    assert busy._async_train is False, "checks after batches must see the state of that very batch"


def test_callback_knows_its_model_without_syncing_state():
    seen = fit_with(lambda spy: spy._model is not None, X, Y)
    assert seen == [True], "`Diagnose` reads `Callback._model`, because `Callback.model` syncs all state on JAX"


@pytest.mark.skipif(BACKEND != "jax", reason="only JAX keeps the state outside the model")
def test_model_property_brings_the_variables_up_to_date():
    assert "jax_state_sync" in inspect.getsource(keras.callbacks.Callback.model.fget), (
        "`Diagnose` reads `Callback.model` before a check, so that variables hold the newest weights"
    )


def test_logs_added_by_a_callback_reach_the_history():
    class Adder(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["extra"] = 1.0

    history = model_to_fit().fit(X, Y, verbose=0, callbacks=[Adder()]).history
    assert history["extra"] == [1.0], "`deepdebug_findings` is put into the `logs` that the history keeps"


def test_params_hold_epochs_and_steps():
    (params,) = fit_with(lambda spy: spy.params, X, Y, batch_size=5, epochs=2)
    assert (params["epochs"], params["steps"]) == (2, 2), "`FitFacts` reads the planned epochs and steps from `params`"
