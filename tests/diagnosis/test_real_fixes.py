"""Fixes for faults in real models: what the detectors find there, and the code run on the very model."""

from __future__ import annotations

import math

import keras
import numpy as np
import pytest
from keras import layers

from deepdebug.detectors.data_scale import DataScale
from deepdebug.detectors.dropout_rate import DropoutRate
from deepdebug.detectors.dropped_mask import DroppedMask
from deepdebug.detectors.embedding_range import EmbeddingRange
from deepdebug.detectors.label_encoding import LabelEncoding
from deepdebug.detectors.loss_activation_mismatch import LossActivationMismatch
from deepdebug.detectors.recurrent_config import RecurrentConfig
from tests.diagnosis.cases import finding
from tests.diagnosis.real import execute, fix_of, found_by, normal, read, seen_once, train, whole

SPARSE = "sparse_categorical_crossentropy"
BINARY = "binary_crossentropy"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras on torch
]


def compiled(*stack: layers.Layer, shape: tuple[int, ...] = (4,), loss: object = "mse") -> keras.Model:
    model = keras.Sequential([keras.Input(shape), *stack])
    model.compile("sgd", loss)
    return model


def functional(*stack: layers.Layer, shape: tuple[int, ...] = (4,), loss: object = "mse") -> keras.Model:
    inputs = x = keras.Input(shape)
    for layer in stack:
        x = layer(x)
    model = keras.Model(inputs, x)
    model.compile("sgd", loss)
    return model


def with_head(names: dict[str, object], head: str = "head") -> keras.Model:
    """The model with the last layer that the fix has built."""
    model = names["model"]
    built = keras.Sequential([keras.Input(model.input_shape[1:]), *model.layers[:-1], names[head]])
    built.compile("sgd", model.loss)
    return built


# ---- labels per position


@pytest.mark.parametrize("last", [(), (1,)])
def test_tags_per_position_call_for_a_softmax_over_the_tags(last):
    model = compiled(layers.Dense(5, name="head"), shape=(12, 3), loss=SPARSE)
    x, y = normal(12, 3), whole(0, 4, 12, *last)
    run = read(model, x, y)
    fix = fix_of("loss_activation", run, found_by(LossActivationMismatch(), run))
    assert fix.advice == f"Use 5 units with softmax and the loss {SPARSE}."
    names = execute(fix.snippet, model=model)
    assert math.isfinite(train({"model": with_head(names), "x_train": x, "y_train": y}))


def test_mask_without_a_channel_axis_keeps_the_one_unit():
    model = compiled(layers.Conv2D(1, 1, name="head"), shape=(6, 7, 1), loss=BINARY)
    run = read(model, normal(6, 7, 1), whole(0, 1, 6, 7))
    fix = fix_of("loss_activation", run, found_by(LossActivationMismatch(), run))
    assert fix.advice == f"Use 1 unit with sigmoid and the loss {BINARY}."


def test_tag_beyond_the_units_calls_for_more_units():
    model = compiled(layers.Dense(5, "softmax", name="head"), shape=(12, 3), loss=SPARSE)
    run = read(model, normal(12, 3), whole(0, 6, 12))
    assert "Use 7 units with softmax" in fix_of("labels", run, found_by(LabelEncoding(), run)).advice


@pytest.mark.parametrize("ignored", [-1, 255])
def test_label_that_may_stand_for_none_is_ignored_by_the_loss(ignored):
    model = compiled(layers.Dense(5, "softmax", name="head"), shape=(12, 3), loss=SPARSE)
    x, y = normal(12, 3), whole(0, 4, 12)
    y[:, 0] = ignored
    run = read(model, x, y)
    fix = fix_of("labels", run, found_by(LabelEncoding(), run))
    assert "ignore_class" in fix.advice
    names = execute(fix.snippet, model=model, x_train=x, y_train=y)
    assert model.loss.ignore_class == ignored
    assert math.isfinite(train(names))


def test_ignored_class_stays_ignored_after_a_fix_of_the_last_layer():
    loss = keras.losses.SparseCategoricalCrossentropy(ignore_class=255)
    model = compiled(layers.Dense(5, name="head"), shape=(12, 3), loss=loss)
    y = whole(0, 4, 12)
    y[:, 0] = 255
    run = read(model, normal(12, 3), y)
    fix = fix_of("loss_activation", run, found_by(LossActivationMismatch(), run))
    assert fix.advice.startswith("Use 5 units with softmax")
    execute(fix.snippet, model=model)
    assert (model.loss.ignore_class, model.loss.from_logits) == (255, False)


def test_units_are_changed_in_the_layer_below_an_activation_of_its_own():
    model = compiled(layers.Dense(3, name="head"), layers.Softmax(name="last"), loss=SPARSE)
    run = read(model, normal(4), whole(0, 5))
    names = execute(fix_of("labels", run, found_by(LabelEncoding(), run)).snippet, model=model)
    assert names["head"].units == 6


def test_first_predictions_are_tempered_in_the_layer_below_an_activation_of_its_own():
    start = keras.initializers.RandomNormal(stddev=9.0)
    model = compiled(layers.Dense(3, kernel_initializer=start, name="head"), layers.Softmax(name="last"), loss=SPARSE)
    run = read(model, normal(4), whole(0, 2))
    names = execute(fix_of("initial_loss", run, finding("DD309")).snippet, model=model)
    assert type(names["head"].kernel_initializer).__name__ == "GlorotUniform"


# ---- labels in another code


def test_ten_classes_in_one_sigmoid_call_for_ten_units():
    model = compiled(layers.Dense(1, "sigmoid", name="head"), loss=BINARY)
    x, y = normal(4), whole(0, 9)
    run = read(model, x, y)
    fix = fix_of("labels", run, found_by(LabelEncoding(), run))
    assert fix.advice == f"Use 10 units with softmax and the loss {SPARSE}."
    names = execute(fix.snippet, model=model)
    assert math.isfinite(train({"model": with_head(names), "x_train": x, "y_train": y}))


@pytest.mark.parametrize(("loss", "units"), [(SPARSE, 3), ("categorical_crossentropy", 3), (BINARY, 1)])
def test_texts_as_labels_are_numbered(loss, units):
    model = compiled(layers.Dense(units, "softmax" if units > 1 else "sigmoid", name="head"), loss=loss)
    y = np.array(["cat", "dog", "owl" if units > 1 else "cat"] * 4)
    run = read(model, normal(4), y)
    fix = fix_of("labels", run, found_by(LabelEncoding(), run))
    names = execute(fix.snippet, model=model, x_train=normal(4), y_train=y)
    assert list(names["classes"]) == sorted(set(y.tolist()))
    assert math.isfinite(train(names))


@pytest.mark.parametrize(("low", "high"), [(1001, 1002), (-1, 1), (1, 2), (3, 3)])
def test_two_values_are_recoded_to_zero_and_one_exactly(low, high):
    model = compiled(layers.Dense(1, "sigmoid", name="head"), loss=BINARY)
    y = np.where(np.arange(12) % 2, high, low)
    run = read(model, normal(4), y)
    names = execute(fix_of("labels", run, found_by(LabelEncoding(), run)).snippet, y_train=y)
    assert names["y_train"].tolist() == (y == high).tolist()


# ---- which input is badly scaled


def two_inputs(structure: type) -> tuple[keras.Model, object]:
    """A model in which input "b" alone is badly scaled, though "a", which an embedding takes, has larger values."""
    a, b = keras.Input((3,), name="a"), keras.Input((4,), name="b")
    first = layers.Flatten()(layers.Embedding(5000, 2)(a))
    merged = layers.Concatenate()([first, layers.Dense(2, name="takes_b")(b)])
    parts = {"a": a, "b": b}
    model = keras.Model(parts if structure is dict else list(parts.values()), layers.Dense(1)(merged))
    model.compile("sgd", "mse")
    x = {"a": whole(0, 4999, 3), "b": normal(4) * 100 + 300}
    x["a"][0] = 4999
    x["a"][1:] += 2000
    return model, x if structure is dict else list(x.values())


@pytest.mark.parametrize("structure", [list, dict])
def test_scaling_treats_the_input_that_the_finding_names(structure):
    model, x = two_inputs(structure)
    before = x["a"].copy() if structure is dict else x[0].copy()
    run = read(model, x, normal(1))
    found = found_by(DataScale(), run)
    names = execute(fix_of("data_scale", run, found).snippet, model=model, x_train=x, y_train=normal(1))
    first, second = keras.tree.flatten(names["x_train"])
    np.testing.assert_array_equal(first, before)
    assert abs(float(np.mean(keras.ops.convert_to_numpy(second)))) < 0.01
    assert math.isfinite(train(names))


@pytest.mark.parametrize("structure", [list, dict])
def test_rows_with_missing_values_are_dropped_from_every_input(structure):
    model, x = two_inputs(structure)
    (x["b"] if structure is dict else x[1])[3, 1] = np.nan
    run = read(model, x, normal(1))
    names = execute(fix_of("non_finite_data", run, finding("DD401")).snippet, x_train=x, y_train=normal(1))
    assert {len(one) for one in keras.tree.flatten((names["x_train"], names["y_train"]))} == {11}


@pytest.mark.parametrize("structure", [list, dict])
def test_constant_input_among_several_is_shown(structure, capsys):
    model, x = two_inputs(structure)
    (x["b"] if structure is dict else x[1])[:] = 7.0
    run = read(model, x, normal(1))
    execute(fix_of("constant_data", run, finding("DD412")).snippet, x_train=x)
    assert capsys.readouterr().out.count("7.") == 20


@pytest.mark.parametrize("structure", [list, dict])
def test_rows_of_several_inputs_and_their_labels_stay_together(structure):
    model, x = two_inputs(structure)
    x = keras.tree.map_structure(lambda part: part[[0, 1, 2, 3, 4, 5, 0, 7, 8, 9, 10, 11]], x)
    y = (x["b"] if structure is dict else x[1])[:, :1]
    run = read(model, x, y)
    for cause, code, rows in (("duplicates", "DD414", 11), ("split", "DD416", 12), ("labels_unrelated", "DD106", 12)):
        names = execute(fix_of(cause, run, finding(code)).snippet, x_train=x, y_train=y)
        np.testing.assert_array_equal(keras.tree.flatten(names["x_train"])[1][:, :1], names["y_train"])
        assert len(names["y_train"]) == rows
    known = keras.tree.map_structure(lambda part: part[:3], x)
    names = execute(fix_of("overlap", run, finding("DD415")).snippet, x_train=known, x_val=x, y_val=y)
    assert len(names["y_val"]) == len(keras.tree.flatten(names["x_val"])[0]) == 8


@pytest.mark.parametrize("from_logits", [False, True])
def test_rows_with_wrong_labels_are_shown_first(from_logits, capsys):
    head = layers.Dense(2, None if from_logits else "softmax")
    model = keras.Sequential([keras.Input((2,)), head])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits))
    x = np.repeat(np.eye(2, dtype="float32"), 60, axis=0)
    y = np.repeat([0, 1], 60)
    y[[7, 90]] = 1 - y[[7, 90]]
    head.set_weights([5 * np.eye(2), np.zeros(2)])
    names = execute(
        fix_of("noisy_labels", read(model, x, y), finding("DD312")).snippet, model=model, x_train=x, y_train=y
    )
    assert sorted(names["worst"][:2]) == [7, 90]
    assert len(names["worst"]) == 100
    assert capsys.readouterr().out.startswith("[")


@pytest.mark.parametrize("structure", [list, dict])
def test_labels_of_one_output_among_several_are_recoded(structure):
    inputs = keras.Input((4,))
    outputs = {"a": layers.Dense(1, name="a")(inputs), "b": layers.Dense(1, "sigmoid", name="b")(inputs)}
    model = keras.Model(inputs, outputs if structure is dict else list(outputs.values()))
    model.compile("sgd", {"a": "mse", "b": BINARY} if structure is dict else ["mse", BINARY])
    y = {"a": normal(1), "b": whole(1, 2, 1)}
    y = y if structure is dict else list(y.values())
    run = read(model, normal(4), y)
    names = execute(fix_of("labels", run, found_by(LabelEncoding(), run)).snippet, y_train=y)
    assert set(np.unique(keras.tree.flatten(names["y_train"])[1])) == {0, 1}


# ---- stacks built anew


@pytest.mark.parametrize("build", [compiled, functional])
def test_normalisation_is_put_between_the_layers_of_every_kind_of_stack(build):
    model = build(layers.Dense(8, "tanh", name="one"), layers.Dense(8, "tanh", name="two"), layers.Dense(1))
    run = read(model, normal(4), normal(1))
    names = execute(fix_of("depth", run, finding("DD205")).snippet, model=model, x_train=normal(4), y_train=normal(1))
    kinds = [type(layer).__name__ for layer in names["model"].layers]
    assert kinds == ["Dense", "BatchNormalization", "Dense", "BatchNormalization", "Dense"]
    assert math.isfinite(train(names))


@pytest.mark.parametrize("build", [compiled, functional])
def test_dropout_behind_the_output_is_taken_out_of_every_kind_of_stack(build):
    model = build(layers.Dense(8, name="one"), layers.Dense(1), layers.Dropout(0.5, name="late"))
    run = read(model, normal(4), normal(1))
    code = fix_of("dropout", run, found_by(DropoutRate(), run)).snippet
    names = execute(code, model=model, x_train=normal(4), y_train=normal(1))
    assert [type(layer).__name__ for layer in names["model"].layers] == ["Dense", "Dense"]
    assert math.isfinite(train(names))


def test_operation_between_the_layers_is_not_lost_on_the_way():
    inputs = keras.Input((4,))
    hidden = keras.ops.relu(layers.Dense(8)(inputs))
    model = keras.Model(inputs, layers.Dense(1)(hidden))
    model.compile("sgd", "mse")
    run = read(model, normal(4), normal(1))
    assert "Sequential" not in fix_of("depth", run, finding("DD205")).snippet


def test_shared_layer_keeps_its_second_place():
    inputs, shared = keras.Input((4,)), layers.Dense(4)
    model = keras.Model(inputs, layers.Dense(1)(shared(shared(inputs))))
    model.compile("sgd", "mse")
    run = read(model, normal(4), normal(1))
    assert "Sequential" not in fix_of("depth", run, finding("DD205")).snippet


# ---- arguments that the layer has


@pytest.mark.parametrize(
    "layer",
    [
        layers.LSTM(2, dropout=0.8, name="drops"), layers.GRU(2, dropout=0.2, recurrent_dropout=0.9, name="drops"),
        layers.SpatialDropout1D(0.7, name="drops"),
    ],
)  # fmt: skip
def test_rate_that_is_too_large_is_lowered_under_its_own_name(layer):
    rates = {key: layer.get_config().get(key) for key in ("rate", "dropout", "recurrent_dropout")}
    model = compiled(layer, layers.Flatten(), layers.Dense(1), shape=(5, 4))
    run = read(model, normal(5, 4), normal(1))
    built = execute(fix_of("dropout", run, found_by(DropoutRate(), run)).snippet, model=model)["drops"]
    expected = {key: 0.3 if rate and rate > 0.6 else rate for key, rate in rates.items()}
    assert {key: built.get_config().get(key) for key in rates} == expected


@pytest.mark.parametrize(
    "layer",
    [
        layers.GRU(2, return_sequences=True, name="steps"),
        layers.Bidirectional(layers.LSTM(2, return_sequences=True), name="steps"),
        layers.Bidirectional(
            layers.LSTM(2, return_sequences=True),
            backward_layer=layers.GRU(2, return_sequences=True, go_backwards=True), name="steps",
        ),
    ],
)  # fmt: skip
def test_last_recurrent_layer_returns_one_vector_afterwards(layer):
    model = compiled(layer, layers.Dense(1), shape=(5, 4))
    run = read(model, normal(5, 4), normal())
    found = found_by(RecurrentConfig(), run)
    built = execute(fix_of("recurrent", run, found, finding("DD304")).snippet, model=model)["steps"]
    assert type(built) is type(layer)
    assert len(built(normal(5, 4)).shape) == 2


def test_state_that_grows_is_bounded_afterwards():
    start = keras.initializers.Identity(2.0)
    steps = layers.SimpleRNN(3, activation="relu", recurrent_initializer=start, return_sequences=True, name="steps")
    model = compiled(steps, layers.SimpleRNN(2, name="sums"), layers.Dense(1), shape=(5, 4))
    run = seen_once(model, normal(5, 4), normal(1))
    names = execute(fix_of("recurrent", run, found_by(RecurrentConfig(), run)).snippet, model=model)
    assert "sums" not in names
    assert names["steps"].return_sequences
    model = compiled(names["steps"], layers.SimpleRNN(2), layers.Dense(1), shape=(5, 4))
    assert list(RecurrentConfig().detect(seen_once(model, normal(5, 4), normal(1)))) == []


def test_layers_of_one_cause_are_mended_together():
    returns = layers.LSTM(2, return_sequences=True, name="returns")
    grows = layers.SimpleRNN(
        2, "relu", recurrent_initializer=keras.initializers.Identity(2.0), return_sequences=True, name="grows"
    )
    model = compiled(grows, returns, layers.Dense(1), shape=(5, 4))
    run = seen_once(model, normal(5, 4), normal())
    growing, repeated = RecurrentConfig().detect(run)
    assert "returns" not in execute(fix_of("recurrent", run, growing, repeated).snippet, model=model)
    assert "grows" not in execute(fix_of("recurrent", run, repeated, growing).snippet, model=model)


def test_start_of_a_dead_activation_layer_is_mended_in_the_layer_that_feeds_it():
    start = keras.initializers.Constant(-9.0)
    model = compiled(layers.Dense(8, bias_initializer=start, name="hidden"), layers.ReLU(name="fires"), layers.Dense(1))
    run = read(model, normal(4), normal(1))
    names = execute(fix_of("initialization", run, finding("DD101", layer="fires")).snippet, model=model)
    assert "fires" not in names
    assert type(names["hidden"].kernel_initializer).__name__ == "HeNormal"
    assert type(names["hidden"].bias_initializer).__name__ == "Zeros"


@pytest.mark.parametrize(
    ("layer", "attribute"),
    [
        (layers.DepthwiseConv1D(3, name="hidden"), "depthwise_initializer"),
        (layers.TimeDistributed(layers.Dense(3), name="hidden"), "layer"),
        (layers.Bidirectional(layers.LSTM(3, return_sequences=True), name="hidden"), "forward_layer"),
        (layers.Conv1D(3, 2, use_bias=False, name="hidden"), "kernel_initializer"),
    ],
)
def test_start_is_mended_in_layers_of_every_kind(layer, attribute):
    model = compiled(layer, layers.ReLU(name="fires"), layers.Flatten(), layers.Dense(1), shape=(5, 4))
    run = read(model, normal(5, 4), normal(1))
    names = execute(fix_of("initialization", run, finding("DD101", layer="fires")).snippet, model=model)
    mended = getattr(names["hidden"], attribute)
    initializer = getattr(mended, "kernel_initializer", mended)
    assert type(initializer).__name__ in ("HeNormal", "GlorotUniform")


def test_activation_fix_leaves_layers_without_an_activation_alone():
    stack = (layers.Dense(8, "sigmoid", name="one"), layers.BatchNormalization(name="norm"), layers.Dense(1))
    model = compiled(*stack)
    run = read(model, normal(4), normal(1))
    code = fix_of("hidden_activation", run, finding("DD205", layer="norm"), finding("DD107", layer="one")).snippet
    names = execute(code, model=model)
    assert "norm" not in names
    assert names["one"].activation.__name__ == "relu"


# ---- fixes that change something


@pytest.mark.parametrize("last", [layers.Dense(1), layers.Activation("sigmoid")])
def test_frozen_model_learns_again(last):
    model = compiled(layers.Dense(1), last)
    model.trainable = False
    run = read(model, normal(4), normal(1))
    execute(fix_of("frozen", run, finding("DD203")).snippet, model=model)
    assert model.trainable_variables


def embedding_model(rows: int, dtype: str = "int32", **settings: object) -> keras.Model:
    a, b = keras.Input((4,), name="numbers"), keras.Input((3,), name="ids", dtype=dtype)
    vectors = layers.GlobalAveragePooling1D()(layers.Embedding(rows, 6, name="table", **settings)(b))
    model = keras.Model([a, b], layers.Dense(1)(layers.Concatenate()([a, vectors])))
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize(("low", "high", "size"), [(-1, 20, 22), (0, 30, 31), (-5, -1, 5)])
def test_every_id_has_a_row_afterwards(low, high, size):
    model = embedding_model(20, mask_zero=True)
    x = [np.full((12, 4), 777.0, "float32"), whole(low, high, 3).astype("int32")]
    run = read(model, x, normal(1))
    found = found_by(EmbeddingRange(), run)
    names = execute(fix_of("embedding_range", run, found).snippet, model=model, x_train=[*x])
    table, ids = names["table"], names["x_train"][1]
    assert (table.input_dim, table.output_dim, table.mask_zero) == (size, 6, True)
    assert (ids.min() >= 0, ids.max() < size) == (True, True)
    np.testing.assert_array_equal(names["x_train"][0], x[0])


@pytest.mark.parametrize(("mask_zero", "low", "rows"), [(False, 0, 3), (True, 0, 3), (False, 400, 2), (True, 400, 3)])
def test_ids_with_wide_gaps_are_numbered_anew(mask_zero, low, rows):
    model = embedding_model(1000, mask_zero=mask_zero)
    ids = np.tile(np.array([[low, 400, 990]], "int32"), (12, 1))
    run = read(model, [normal(4), ids], normal(1))
    fix = fix_of("embedding_range", run, found_by(EmbeddingRange(), run))
    names = execute(fix.snippet, model=model, x_train=[normal(4), ids])
    numbers = names["x_train"][1]
    assert (names["table"].input_dim, numbers.max() + 1, numbers.shape) == (rows, rows, ids.shape)
    np.testing.assert_array_equal(names["ids"][names["numbers"]].reshape(ids.shape), ids)
    assert (numbers == 0).any() == (not mask_zero or low == 0)
    assert fix.advice.startswith(f"Number the {len(names['ids'])} ids that occur anew")


def test_ids_without_gaps_call_for_a_smaller_table():
    model = embedding_model(1000)
    x = [normal(4), whole(0, 30, 3).astype("int32")]
    run = read(model, x, normal(1))
    fix = fix_of("embedding_range", run, found_by(EmbeddingRange(), run))
    assert fix.advice == "A smaller table is enough: the largest id plus one."
    assert execute(fix.snippet, model=model)["table"].input_dim == 31


@pytest.mark.parametrize("structure", [None, list, dict])
def test_rows_of_padding_only_are_dropped_with_their_labels(structure):
    words = keras.Input((3,), name="words", dtype="int32")
    state = layers.LSTM(2)(layers.Embedding(20, 4, mask_zero=True, name="table")(words))
    numbers = keras.Input((4,), name="a")
    parts = {"a": numbers, "words": words}
    inputs = {None: words, list: list(parts.values()), dict: parts}[structure]
    merged = state if structure is None else layers.Concatenate()([state, numbers])
    model = keras.Model(inputs, layers.Dense(1)(merged))
    model.compile("sgd", "mse")
    ids, y = whole(0, 19, 3).astype("int32"), normal(1)
    ids[[2, 7]] = 0
    arrays = {"a": normal(4), "words": ids}
    x = {None: ids, list: list(arrays.values()), dict: arrays}[structure]
    run = read(model, x, y)
    names = execute(
        fix_of("dropped_mask", run, found_by(DroppedMask(), run)).snippet, model=model, x_train=x, y_train=y
    )
    np.testing.assert_array_equal(names["y_train"], np.delete(y, [2, 7], axis=0))
    np.testing.assert_array_equal(keras.tree.flatten(names["x_train"])[-1], np.delete(ids, [2, 7], axis=0))
    assert math.isfinite(train(names))


def test_ids_with_a_fraction_are_made_whole_in_their_own_input():
    model = embedding_model(20, dtype="float32")
    x = [normal(4), (whole(0, 15, 3) + 0.25).astype("float32")]
    run = read(model, x, normal(1))
    names = execute(fix_of("embedding_range", run, found_by(EmbeddingRange(), run)).snippet, x_train=[*x])
    np.testing.assert_array_equal(names["x_train"][0], x[0])
    assert names["x_train"][1].dtype == "int32"


def test_every_regulariser_is_taken_out():
    plain = layers.Dense(4, name="plain")
    heavy = layers.Dense(4, kernel_regularizer="l2", activity_regularizer="l1", name="heavy")
    filters = layers.Conv1D(2, 2, bias_regularizer="l2", name="filters")
    model = compiled(filters, plain, heavy, layers.Flatten(), layers.Dense(1), shape=(5, 4))
    run = read(model, normal(5, 4), normal(1))
    fix = fix_of("penalty", run, finding("DD311"))
    names = execute(fix.snippet, model=model)
    assert "plain" not in names
    assert (names["heavy"].kernel_regularizer, names["heavy"].activity_regularizer) == (None, None)
    assert names["filters"].bias_regularizer is None
    assert fix.advice.startswith("Train without the regularisers first")


def test_penalty_added_by_hand_is_shown(capsys):
    class Penalised(layers.Layer):
        def call(self, x):
            self.add_loss(keras.ops.sum(x**2))
            return x

    model = compiled(Penalised(), layers.Dense(1, name="head"))
    run = read(model, normal(4), normal(1))
    fix = fix_of("penalty", run, finding("DD311"))
    execute(fix.snippet, model=model)
    assert "add_loss" in fix.advice
    assert capsys.readouterr().out.startswith("[")
