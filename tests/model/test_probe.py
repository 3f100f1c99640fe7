"""The probe against computations that share no code with it."""

import random

import keras
import numpy as np
import pytest
from keras import layers, ops

from deepdebug.facts import FitFacts
from deepdebug.model.probe import Probe, unnoticed
from deepdebug.model.sample import Sample
from tests.model.looking import CLASSES, SEED, X, Y, look, observer

BACKEND = keras.config.backend()


def compiled(*stack, loss="mse", optimizer="sgd", shape=(4,), **kwargs):
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input(shape), *stack])
    model.compile(optimizer, loss, **kwargs)
    return model


def smooth_model(**kwargs):
    return compiled(layers.Dense(3, "tanh", name="hidden"), layers.Dense(2, name="head"), **kwargs)


def loss_of(model, x=X, y=Y):
    """The mean squared error, in double precision from numpy's own product."""
    hidden_kernel, hidden_bias, kernel, bias = (np.asarray(one, "float64") for one in model.get_weights())
    return np.mean((np.tanh(x @ hidden_kernel + hidden_bias) @ kernel + bias - y) ** 2)


def finite_difference_gradients(model, step=1e-4):
    weights = [np.asarray(one, "float64") for one in model.get_weights()]

    def at(index, place, change):
        moved = [one.copy() for one in weights]
        moved[index][place] += change
        hidden = np.tanh(X @ moved[0] + moved[1])
        return np.mean((hidden @ moved[2] + moved[3] - Y) ** 2)

    gradients = [np.zeros_like(one) for one in weights]
    for index, weight in enumerate(weights):
        for place in np.ndindex(weight.shape):
            gradients[index][place] = (at(index, place, step) - at(index, place, -step)) / (2 * step)
    return gradients


def test_loss_is_that_of_the_whole_sample():
    model = smooth_model()
    seen = look(model)
    assert seen.loss == pytest.approx(loss_of(model), rel=1e-5)
    assert seen.permuted_loss == pytest.approx(loss_of(model, y=Y[::-1]), rel=1e-5)
    assert seen.rows == 16


def test_gradients_agree_with_finite_differences():
    model = smooth_model()
    seen, gradients = look(model), finite_difference_gradients(model)
    for found, gradient in zip(seen.variables, gradients, strict=True):
        assert found.gradient_rms == pytest.approx(np.sqrt(np.mean(gradient**2)), rel=1e-3)
        assert found.gradient_max == pytest.approx(np.abs(gradient).max(), rel=1e-3)
        assert (found.has_gradient, found.gradient_zero_fraction, found.gradient_non_finite) == (True, 0.0, 0.0)
    total = np.sqrt(sum(np.sum(gradient**2) for gradient in gradients))
    assert seen.gradient_norm == pytest.approx(total, rel=1e-3)


OPTIMIZERS = {
    "SGD": lambda: keras.optimizers.SGD(0.1),
    "momentum": lambda: keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "clipping": lambda: keras.optimizers.SGD(0.1, global_clipnorm=0.1),
    "schedule": lambda: keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)),
    **{
        name: getattr(keras.optimizers, name)
        for name in ("Adam", "RMSprop", "Adagrad", "Adadelta", "Adamax", "Nadam", "Ftrl", "Lion", "Lamb", "Adafactor")
    },
}


QUICK = [("Nadam", 0), ("Adam", 3)]  # (optimizer, steps done before)
SLOW = [("Adam", 0), *((name, 3) for name in OPTIMIZERS if name != "Adam")]


@pytest.mark.parametrize(("name", "steps"), [*QUICK, *(pytest.param(*case, marks=pytest.mark.slow) for case in SLOW)])
def test_update_is_the_one_that_the_next_step_makes(name, steps):
    model = smooth_model(optimizer=OPTIMIZERS[name]())
    for _ in range(steps):
        model.train_on_batch(X, Y)
    seen = look(model)
    before = [np.asarray(one) for one in model.get_weights()]
    model.train_on_batch(X, Y)
    for found, old, new in zip(seen.variables, before, model.get_weights(), strict=True):
        assert found.update_rms == pytest.approx(np.sqrt(np.mean((np.asarray(new) - old) ** 2)), rel=1e-3, abs=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["AdamW", "Muon", "ScheduleFreeAdamW"])
def test_update_of_optimizers_that_do_more_than_update_is_roughly_the_one_of_the_next_step(name):
    model = smooth_model(optimizer=getattr(keras.optimizers, name)())
    seen = look(model)
    before = [np.asarray(one) for one in model.get_weights()]
    model.train_on_batch(X, Y)
    for found, old, new in zip(seen.variables, before, model.get_weights(), strict=True):
        assert found.update_rms == pytest.approx(np.sqrt(np.mean((np.asarray(new) - old) ** 2)), rel=0.05)


@pytest.mark.slow
def test_weight_decay_is_no_part_of_the_update_by_the_gradient():
    plain, decayed = (smooth_model(optimizer=keras.optimizers.AdamW(weight_decay=decay)) for decay in (0.0, 0.5))
    assert [one.update_rms for one in look(decayed).variables] == [one.update_rms for one in look(plain).variables]


def test_looking_changes_neither_weights_nor_optimizer_nor_metrics():
    model = compiled(
        layers.Dense(3, "relu"), layers.BatchNormalization(), layers.Dropout(0.5), layers.Dense(2),
        optimizer="adam", metrics=["mae"],
    )  # fmt: skip
    model.train_on_batch(X, Y)
    watched = observer(model)

    def state():
        variables = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
        return [np.asarray(ops.convert_to_numpy(one)).tobytes() for one in variables]

    before = state()
    watched.observe(0, "epoch", {}, Sample(X, Y))
    assert state() == before


def test_layer_numbers_are_those_of_the_layer_outputs():
    model = smooth_model()
    hidden = np.tanh(X @ np.asarray(model.get_weights()[0]) + np.asarray(model.get_weights()[1]))
    seen = {one.name: one for one in look(model).layers}
    assert seen["hidden"].mean == pytest.approx(hidden.mean(), rel=1e-4, abs=1e-6)
    assert seen["hidden"].rms == pytest.approx(np.sqrt(np.mean(hidden**2)), rel=1e-4)
    assert seen["hidden"].saturated_fraction == pytest.approx(np.mean(np.abs(hidden) >= 0.99))
    assert seen["head"].saturated_fraction is None


def test_every_call_of_a_shared_layer_is_watched():
    inputs, shared = keras.Input((4,)), layers.Dense(4, "relu", name="shared")
    model = keras.Model(inputs, layers.Dense(2, name="head")(shared(shared(inputs))))
    model.compile("sgd", "mse")
    assert [one.name for one in look(model).layers] == ["shared", "shared#2", "head"]


def test_training_loss_is_taken_where_there_is_batch_normalization():
    stack = (layers.Dense(3, "tanh"), layers.BatchNormalization(), layers.Dense(2))
    model = compiled(*stack, optimizer=keras.optimizers.SGD(0.0))
    seen = look(model)
    expected = np.mean((np.asarray(ops.convert_to_numpy(ops.stop_gradient(model(X, training=True)))) - Y) ** 2)
    assert seen.training_loss == pytest.approx(expected, rel=1e-4)
    assert seen.training_loss != pytest.approx(seen.loss, rel=1e-2)
    assert look(smooth_model()).training_loss is None


def test_penalty_is_the_part_of_the_loss_that_the_data_do_not_make():
    model = compiled(layers.Dense(2, kernel_regularizer=keras.regularizers.L2(0.5), activity_regularizer="l1"))
    kernel, bias = (np.asarray(one) for one in model.get_weights())
    output = X @ kernel + bias
    penalty = 0.5 * np.sum(kernel**2) + 0.01 * np.sum(np.abs(output)) / len(X)
    seen = look(model)
    assert seen.penalty == pytest.approx(penalty, rel=1e-3)
    assert seen.loss == pytest.approx(np.mean((output - Y) ** 2) + penalty, rel=1e-3)


@pytest.mark.slow
def test_penalty_counts_once_in_the_training_loss_of_batch_normalization():
    def losses(strength):
        stack = (layers.Dense(2, activity_regularizer=keras.regularizers.L1(strength)), layers.BatchNormalization())
        return look(compiled(*stack))

    plain, penalised = losses(0.0), losses(0.5)
    assert penalised.penalty > 0
    assert penalised.loss - plain.loss == pytest.approx(penalised.penalty, rel=1e-3)
    assert penalised.training_loss - plain.training_loss == pytest.approx(penalised.penalty, rel=1e-3)


def test_variable_without_a_path_to_the_loss_has_no_gradient():
    inputs = keras.Input((4,))
    model = keras.Model(inputs, layers.Dense(2, name="head")(ops.stop_gradient(layers.Dense(3, name="cut")(inputs))))
    model.compile("sgd", "mse")
    cut, _, head, _ = look(model).variables
    if BACKEND == "jax":  # which does not tell "no path" from "zero"
        assert cut.gradient_zero_fraction == 1.0
    else:
        assert (cut.has_gradient, cut.gradient_rms, cut.update_rms) == (False, None, None)
    assert head.gradient_rms > 0


def test_frozen_variable_has_no_gradient_and_is_still_watched():
    model = smooth_model()
    model.layers[0].trainable = False
    model.compile("sgd", "mse")
    frozen = look(model).variables[0]
    assert (frozen.has_gradient, frozen.gradient_rms, frozen.update_rms) == (None, None, None)
    assert frozen.rms == pytest.approx(np.sqrt(np.mean(np.asarray(model.get_weights()[0]) ** 2)), rel=1e-5)


def test_moved_counts_from_the_first_look():
    model = smooth_model()
    watched = observer(model)
    kernel = model.layers[0].kernel
    start = np.asarray(ops.convert_to_numpy(kernel)).copy()
    kernel.assign(start + 0.25)
    seen = watched.observe(0, "epoch", {}, Sample(X, Y))
    assert seen.variables[0].moved == pytest.approx(0.25 / np.abs(start).max(), rel=1e-4)
    assert seen.variables[1].moved == 0.0


def test_nan_in_the_data_is_seen_and_breaks_nothing():
    rows = X.copy()
    rows[3, 1] = np.nan
    seen = look(smooth_model(), rows)
    assert np.isnan(seen.loss)
    assert seen.layers[0].non_finite == pytest.approx(1 / 16)
    assert seen.variables[0].gradient_non_finite > 0
    assert seen.gradient_norm is None or np.isfinite(seen.gradient_norm)


def test_accuracy_and_spread_come_from_the_predictions():
    model = compiled(layers.Dense(3, "softmax"), loss="sparse_categorical_crossentropy")
    predicted = np.asarray(model.predict(X, verbose=0))
    (output,) = look(model, X, CLASSES).outputs
    assert output.accuracy == pytest.approx(np.mean(predicted.argmax(axis=1) == CLASSES))
    assert output.mean_abs == pytest.approx(np.abs(predicted).mean(), rel=1e-4)
    assert output.loss == pytest.approx(-np.log(predicted[np.arange(16), CLASSES]).mean(), rel=1e-4)
    assert look(model, X, CLASSES).loss == pytest.approx(output.loss, rel=1e-4)


@pytest.mark.slow
def test_half_precision_gradients_stay_close_to_those_of_single_precision():
    single = smooth_model()
    keras.utils.set_random_seed(3)
    policy = "mixed_float16"
    half = keras.Sequential([keras.Input((4,)), layers.Dense(3, "tanh", dtype=policy), layers.Dense(2, dtype=policy)])
    half.dtype_policy = keras.DTypePolicy(policy)
    half.compile("sgd", "mse")
    half.set_weights([np.asarray(one) for one in single.get_weights()])
    for found, expected in zip(look(half).variables, look(single).variables, strict=True):
        assert found.gradient_rms == pytest.approx(expected.gradient_rms, rel=2e-2)
        assert found.update_rms == pytest.approx(expected.update_rms, rel=2e-2)


def test_user_defined_loss_and_compute_loss_are_obeyed():
    class Doubled(keras.Sequential):
        def compute_loss(self, *args, **kwargs):
            return 2.0 * super().compute_loss(*args, **kwargs)

    model = Doubled([keras.Input((4,)), layers.Dense(3, "tanh"), layers.Dense(2)])
    model.compile("sgd", lambda y, prediction: ops.mean(ops.square(y - prediction)))
    assert look(model).loss == pytest.approx(2 * loss_of(model), rel=1e-4)


def test_random_numbers_drawn_while_looking_are_given_back():
    model = layers.Dense(1)
    before = random.getstate(), np.random.get_state()[1].tobytes()
    with unnoticed(model, FitFacts("arrays")):
        random.random()  # noqa: S311
        np.random.rand()
    assert (random.getstate(), np.random.get_state()[1].tobytes()) == before


def test_random_numbers_drawn_meanwhile_by_the_thread_that_makes_batches_stay_drawn():
    np.random.seed(1)
    with unnoticed(layers.Dense(1), FitFacts(threaded=True)):
        drawn = np.random.rand()  # as user code does in a thread of the data pipeline
    assert np.random.rand() != drawn


def test_large_predictions_are_cut_to_whole_rows():
    model = compiled(layers.Dense(8192), loss="mse")
    x, y = SEED.normal(size=(64, 4)).astype("float32"), np.zeros((64, 8192), "float32")
    readings = observer(model, x, y)._probe.read(*Sample(x, y).native(), 64)
    assert readings.predictions[0].shape == (32, 8192)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="only TensorFlow traces for any number of rows")
def test_samples_of_any_size_are_traced_once(monkeypatch):
    traced, build = [], Probe._statistics

    def counted(self, *args):
        traced.append(args)
        return build(self, *args)

    monkeypatch.setattr(Probe, "_statistics", counted)
    model = smooth_model()
    watched = observer(model)
    for rows in (16, 7, 3):
        seen = watched.observe(-1, "begin", {}, Sample(X[:rows], Y[:rows]))
        assert seen.loss == pytest.approx(loss_of(model, X[:rows], Y[:rows]), rel=1e-5)
    assert len(traced) == 1


def test_layer_that_must_know_the_number_of_rows_is_watched_too():
    class Known(layers.Layer):
        def call(self, x):
            return ops.sum([x[row] for row in range(x.shape[0])], axis=0)[None] + x

    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input(batch_shape=(16, 4)), Known(), layers.Dense(2)])
    model.compile("sgd", "mse")
    kernel, bias = (np.asarray(one) for one in model.get_weights())
    watched = observer(model)
    seen = watched.observe(-1, "begin", {}, Sample(X, Y))
    assert watched.mode == "graded"
    assert seen.loss == pytest.approx(np.mean(((X.sum(axis=0) + X) @ kernel + bias - Y) ** 2), rel=1e-4)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="only TensorFlow has ragged tensors")
def test_model_with_a_ragged_output_inside_is_watched():
    import tensorflow as tf

    class Ragged(layers.Layer):
        def call(self, x):
            return tf.RaggedTensor.from_tensor(x)

    class Model(keras.Model):
        def __init__(self):
            super().__init__()
            self.ragged, self.head = Ragged(), layers.Dense(2)

        def call(self, x):
            return self.head(self.ragged(x).to_tensor(shape=[None, 4]))

    model = Model()
    model(X)
    model.compile("sgd", "mse")
    assert observer(model).mode == "graded"
