import keras
import numpy as np
import pytest

from deepdebug.model.feed import Feed
from deepdebug.model.sample import Sample
from deepdebug.model.tap import Tap
from tests.contract.test_fit import BACKEND, Batches, model_to_fit

X = np.arange(80, dtype="float32").reshape(20, 4)
Y = X.sum(axis=1)


class Numbered(keras.utils.PyDataset):
    """Four batches of five rows, the last of three."""

    def __len__(self):
        return 4

    def __getitem__(self, index):
        rows = slice(5 * index, 5 * index + (3 if index == 3 else 5))
        return X[rows], Y[rows]


class Tapping(keras.callbacks.Callback):
    def __init__(self, rows, first=None, name="train_function", hook="on_train_begin"):
        super().__init__()
        self.tap = None

        def open_tap(*_, **__):
            self.tap = self.tap or Tap(self._model, name, rows, first)

        setattr(self, hook, open_tap)


def tapped(rows, first=None, **kwargs):
    spy, model = Tapping(rows, first), model_to_fit(**kwargs)
    model.fit(Numbered(), shuffle=False, verbose=0, callbacks=[spy])
    return spy.tap, model


def test_rows_come_in_the_order_in_which_the_model_trains_on_them():
    tap, _ = tapped(100)
    np.testing.assert_array_equal(tap.sample.x, X[:18])
    np.testing.assert_array_equal(tap.sample.y, Y[:18])
    assert tap.reason is None


def test_tap_closes_when_it_has_seen_enough():
    tap, model = tapped(6)
    np.testing.assert_array_equal(tap.sample.x, X[:10])
    assert model.train_function is tap._original


def test_tap_stays_open_until_then():
    tap, model = tapped(100)
    assert model.train_function is not tap._original
    tap.close()
    assert model.train_function is tap._original


def test_first_batch_is_handed_over_before_the_model_trains_on_it():
    seen = []

    class First(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            start = np.asarray(keras.ops.convert_to_numpy(self.model.weights[0])).copy()

            def look(sample):
                seen.append((sample.x, np.asarray(keras.ops.convert_to_numpy(self._model.weights[0])), start))

            Tap(self._model, "train_function", 100, look)

    model_to_fit().fit(Numbered(), shuffle=False, verbose=0, callbacks=[First()])
    ((x, weight, start),) = seen
    np.testing.assert_array_equal(x, X[:5])
    np.testing.assert_array_equal(weight, start)


@pytest.mark.skipif(BACKEND == "torch", reason="Keras on torch takes one step per execution")
def test_several_steps_per_execution_are_all_seen():
    tap, model = tapped(100, steps_per_execution=3)
    np.testing.assert_array_equal(tap.sample.x, X[:18])
    assert int(keras.ops.convert_to_numpy(model.optimizer.iterations)) == 4


def test_failure_while_looking_stops_no_training():
    def fail(sample):
        raise ZeroDivisionError("oh")

    tap, model = tapped(100, fail)
    assert tap.reason == "the batches could not be read: ZeroDivisionError: oh"
    assert model.train_function is tap._original
    assert int(keras.ops.convert_to_numpy(model.optimizer.iterations)) == 4


def test_validation_batches_can_be_tapped_too():
    spy = Tapping(100, name="test_function", hook="on_test_begin")
    model_to_fit().fit(X, Y, validation_data=Numbered(), verbose=0, callbacks=[spy])
    np.testing.assert_array_equal(spy.tap.sample.x, X[:18])


def test_several_inputs_are_put_together():
    class Pairs(keras.utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            return {"a": X[:5], "b": X[5:10]}, Y[:5]

    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    model = keras.Model({"a": a, "b": b}, keras.layers.Dense(1)(keras.layers.Add()([a, b])))
    model.compile("sgd", "mse")
    spy = Tapping(100)
    model.fit(Pairs(), verbose=0, callbacks=[spy])
    assert {name: values.shape for name, values in spy.tap.sample.x.items()} == {"a": (10, 4), "b": (10, 4)}


class Feeding(keras.callbacks.Callback):
    """Opens a feed as the callback under test does, and notes what it has to offer at each moment."""

    def __init__(self, probe=None):
        super().__init__()
        self.probe, self.ready_at = probe, []

    def on_train_begin(self, logs=None):
        self.feed = Feed(self._model, self.params, self.probe)
        self.feed.open(lambda: self.ready_at.append(self.feed.screen.rows))

    def on_test_begin(self, logs=None):
        self.feed.open_validation()

    def on_epoch_end(self, epoch, logs=None):
        self.changed = self.feed.refresh()


def fed(*args, probe=None, **kwargs):
    spy = Feeding(probe)
    model_to_fit().fit(*args, verbose=0, callbacks=[spy], **kwargs)
    return spy


def test_arrays_are_ready_at_once():
    spy = fed(X, Y, batch_size=5)
    assert (spy.ready_at, spy.changed) == ([20], False)
    assert spy.feed.confirm is None, "20 rows are screened already"


def test_rows_of_the_user_are_preferred():
    assert fed(X, Y, probe=Sample(X[:3], Y[:3])).ready_at == [3]


def test_tapped_rows_are_ready_with_the_first_batch_and_grow_until_the_end_of_the_epoch():
    spy = fed(Numbered(), shuffle=False)
    assert (spy.ready_at, spy.changed) == ([5], True)
    assert spy.feed.screen.rows == 18
    assert spy.feed.fit.batch_size == 5


def test_many_rows_leave_some_to_confirm_with():
    x = np.ones((3000, 4), "float32")
    feed = fed(x, x[:, 0], batch_size=500).feed
    assert (feed.screen.rows, feed.confirm.rows) == (32, 1024)


def test_validation_batches_are_described_after_the_first_epoch():
    spy = fed(X, Y, validation_data=Batches())
    assert spy.changed
    labels = spy.feed.describe(["input"], ["output"]).validation_labels
    assert labels[0].rows == 10
