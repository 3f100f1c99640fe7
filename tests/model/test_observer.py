from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import layers, ops

from deepdebug.facts import DataFacts, Facts, FitFacts, InputFacts, LayerFacts
from deepdebug.model.observer import Observer
from deepdebug.model.sample import Sample
from deepdebug.observe.data_flow import with_data_flow
from tests.model.looking import X, Y, look, observer


def compiled(model, loss="mse", optimizer="sgd"):
    model.compile(optimizer, loss)
    return model


def small():
    return compiled(keras.Sequential([keras.Input((4,)), layers.Dense(2, name="head")]))


def test_model_that_can_be_called_is_watched_in_full():
    watched = observer(small())
    assert (watched.mode, watched.skipped) == ("graded", ())


def test_rows_that_the_loss_refuses_leave_the_outputs_to_look_at():
    watched = observer(small(), X, np.zeros((16, 2, 7, 3), "float32"))
    seen = watched.observe(-1, "begin", {}, Sample(X, np.zeros((16, 2, 7, 3), "float32")))
    (skipped,) = watched.skipped
    assert watched.mode == "forward"
    assert skipped.reason.startswith("loss and gradients could not be taken on the probe rows: ")
    assert (seen.loss, seen.gradient_norm, seen.rows) == (None, None, 16)
    assert seen.layers[0].rms > 0
    assert seen.variables[0].has_gradient is None


def test_rows_that_the_model_refuses_leave_the_weights_to_look_at():
    watched = observer(small(), np.zeros((16, 9), "float32"))
    seen = watched.observe(-1, "begin", {}, Sample(np.zeros((16, 9), "float32"), Y))
    assert watched.mode == "weights"
    assert watched.skipped[0].reason.startswith("the model could not be called on the probe rows")
    assert (seen.rows, seen.layers) == (0, ())
    assert seen.variables[0].rms > 0


def test_no_rows_leave_the_weights_to_look_at():
    watched = Observer(small(), FitFacts(), None)
    assert watched.mode == "weights"
    assert watched.observe(0, "epoch", {"loss": 1.0}, None).variables[0].rms > 0


def test_reason_is_the_telling_line_of_the_error():
    class Stubborn(keras.Model):
        def build(self, shape):
            self.built = True

        def call(self, x):
            raise ValueError("first line\nsecond line")

    (skipped,) = observer(compiled(Stubborn())).skipped
    assert skipped.reason.endswith("ValueError: first line")


def test_inner_layers_in_a_loop_are_left_closed():
    class Looping(layers.Layer):
        def __init__(self):
            super().__init__()
            self.step = layers.Dense(4, name="step")

        def build(self, shape):
            self.step.build(shape)

        def call(self, x):
            return ops.fori_loop(0, 3, lambda _, value: self.step(value), x)

    model = compiled(keras.Sequential([keras.Input((4,)), Looping(), layers.Dense(2)]))
    watched = observer(model)
    assert watched.observe(-1, "begin", {}, Sample(X, Y)).loss == pytest.approx(
        np.mean((np.asarray(model.predict(X, verbose=0)) - Y) ** 2), rel=1e-4
    )


def test_metrics_that_are_numbers_are_kept():
    seen = observer(small()).observe(
        0, "epoch", {"loss": np.float32(0.5), "n": 3, "text": "a", "list": [1]}, Sample(X, Y)
    )
    assert seen.metrics == {"loss": 0.5, "n": 3.0}


def test_steps_count_from_the_start_of_the_fit():
    model = small()
    model.train_on_batch(X, Y)
    watched = observer(model)
    model.train_on_batch(X, Y)
    assert watched.observe(0, "epoch", {}, Sample(X, Y)).step == 1


def test_equal_units_are_counted_before_the_first_update_only():
    model = compiled(keras.Sequential([keras.Input((4,)), layers.Dense(4, kernel_initializer="ones")]), "mae")
    y = np.zeros((16, 4), "float32")
    assert look(model, X, y).variables[0].distinct_units == 0.25
    assert observer(model, X, y).observe(0, "epoch", {}, Sample(X, y)).variables[0].distinct_units is None


STEPS = Sample(X[:, :, None], Y)


def recurrent_model(layer):
    return compiled(keras.Sequential([keras.Input((4, 1)), layer, layers.Dense(2)]))


def radius(model, kernel=None):
    """The spectral radius that is seen once the recurrent kernel has been set."""
    watched = observer(model, STEPS.x, STEPS.y)
    if kernel is not None:
        model.layers[0].set_weights([np.ones((1, 3)), kernel, np.zeros(3)])
    seen = watched.observe(3, "epoch", {}, STEPS)
    (found,) = (one for one in seen.variables if one.path.endswith("recurrent_kernel"))
    assert all(one.spectral_radius is None for one in seen.variables if one is not found)
    return found.spectral_radius


@pytest.mark.parametrize(
    ("kernel", "expected"),
    [
        (np.diag([1.0, -2.5, 0.5]), 2.5),
        (np.array([[0, -4.0, 0], [1.0, 0, 0], [0, 0, 0]]), 2.0),
        (np.full((3, 3), np.nan), None),
    ],
    ids=["real", "complex", "not finite"],
)
def test_spectral_radius_of_a_recurrent_kernel_with_relu_is_that_of_its_present_value(kernel, expected):
    seen = radius(recurrent_model(layers.SimpleRNN(3, activation="relu")), kernel)
    assert seen == (expected if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(("units", "is_read"), [(256, True), (257, False)])
def test_spectral_radius_is_taken_of_up_to_256_units(units, is_read):
    seen = radius(recurrent_model(layers.SimpleRNN(units, activation="relu")))
    assert seen == (pytest.approx(1.0, rel=1e-4) if is_read else None)  # the kernel starts orthogonal


@pytest.mark.parametrize("layer", [layers.SimpleRNN(3), layers.GRU(3, activation="relu")], ids=["tanh", "gated"])
def test_other_recurrent_kernels_have_no_spectral_radius(layer):
    assert radius(recurrent_model(layer)) is None


def test_learning_rate_is_the_one_in_force():
    model = small()
    model.optimizer.learning_rate = 0.125
    assert look(model).learning_rate == 0.125


INPUT = InputFacts("a", (4,), "float32")


def flow_facts(*flow, inputs=(INPUT,)):
    return with_data_flow(Facts("model", layers=flow, data=DataFacts(16, True, inputs=inputs)))


def test_first_learning_layer_is_found_behind_reshaping_layers():
    facts = flow_facts(
        LayerFacts("flat", "Flatten", "reshape", inputs=("input",)), LayerFacts("d", "Dense", "dense", inputs=("flat",))
    )
    assert facts.data.inputs[0].first_learning_layer == "d"
    assert facts.data.inputs[0].normalized_by is None


@pytest.mark.parametrize(
    ("kind", "family"),
    [("Normalization", "preprocessing"), ("Rescaling", "preprocessing"), ("BatchNormalization", "normalization")],
)
def test_normalising_layer_before_the_first_learning_one_is_noted(kind, family):
    facts = flow_facts(
        LayerFacts("n", kind, family, inputs=("input",)), LayerFacts("d", "Dense", "dense", inputs=("n",))
    )
    assert facts.data.inputs[0].normalized_by == "n"


def test_every_input_has_its_own_way():
    two = (replace(INPUT, name="a"), replace(INPUT, name="b"))
    facts = flow_facts(
        LayerFacts("first", "Dense", "dense", inputs=("input:a",)),
        LayerFacts("second", "Dense", "dense", inputs=("input:b",)),
        inputs=two,
    )
    assert [one.first_learning_layer for one in facts.data.inputs] == ["first", "second"]
