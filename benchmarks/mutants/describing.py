"""Faults of the loss, the last layer, the labels and the data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import keras
import numpy as np
from keras import layers
from sklearn import datasets

from benchmarks.healthy import data
from benchmarks.healthy.family import Training, sequential, training
from benchmarks.mutants.mutant import EPOCHS, cancer_mlp, digit_mlp, mutant, regression_mlp


def _one_hot(rows: data.Split) -> data.Split:
    y, y_test = (keras.utils.to_categorical(labels, 10) for labels in (rows.y, rows.y_test))
    return replace(rows, y=y, y_test=y_test)


@mutant("MSG2", "MSG1")
def logits_as_probabilities(seed: int) -> Training:
    """A linear last layer with a loss that takes probabilities."""
    return digit_mlp(seed, last=None)


@mutant("MSG2", "MSG1")
def probabilities_as_logits(seed: int) -> Training:
    """Softmax and `from_logits=True`."""
    return digit_mlp(seed, loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))


@mutant("MSG2")
def softmax_over_one_unit(seed: int) -> Training:
    """Softmax over one unit."""
    return cancer_mlp(seed, last=layers.Dense(1, "softmax"))


@mutant("MSG2", "MSG1")
def tanh_as_probability(seed: int) -> Training:
    """Tanh in the last layer with binary cross-entropy."""
    return cancer_mlp(seed, last=layers.Dense(1, "tanh"))


@mutant("MSG2", "MSG1")
def sigmoid_for_classes(seed: int) -> Training:
    """Ten sigmoids with categorical cross-entropy."""
    return digit_mlp(seed, loss="categorical_crossentropy", last="sigmoid", rows=_one_hot(data.digits(seed)))


@mutant("MSG1", "MSG2")
def binary_loss_for_classes(seed: int) -> Training:
    """Softmax over ten units with binary cross-entropy."""
    return digit_mlp(seed, loss="binary_crossentropy", rows=_one_hot(data.digits(seed)))


@mutant("MSG1", "MSG2", "LABELS")
def class_numbers_in_a_squared_error(seed: int) -> Training:
    """Class numbers, one unit and a squared error, with accuracy as the metric."""
    rows = data.digits(seed)
    model = sequential((64,), layers.Dense(64, "relu"), layers.Dense(1, "sigmoid"))
    model.compile("adam", "mse", metrics=["accuracy"])
    return training(model, rows, EPOCHS)


@mutant("LABELS", "MSG1")
def one_hot_in_a_sparse_loss(seed: int) -> Training:
    """One-hot labels with the sparse loss."""
    rows = _one_hot(data.digits(seed))
    return digit_mlp(seed, rows=rows)


@mutant("LABELS", "MSG1")
def labels_of_minus_one(seed: int) -> Training:
    """Labels -1 and 1 with binary cross-entropy."""
    rows = data.breast_cancer(seed)
    return cancer_mlp(seed, rows=replace(rows, y=2 * rows.y - 1, y_test=2 * rows.y_test - 1))


@mutant("LABELS", "STRUCTURE")
def labels_from_one(seed: int) -> Training:
    """Classes counted from 1, so that the largest has no unit."""
    rows = data.digits(seed)
    return digit_mlp(seed, rows=replace(rows, y=rows.y + 1, y_test=rows.y_test + 1))


@mutant("MSG2")
def relu_in_a_regression(seed: int) -> Training:
    """Relu in the last layer, targets of both signs."""
    return regression_mlp(seed, last="relu")


@mutant("MSG2", "MSG0")
def sigmoid_in_a_regression(seed: int) -> Training:
    """Sigmoid in the last layer, targets far beyond 1."""
    rows = data.friedman(seed)
    return regression_mlp(seed, last="sigmoid", rows=replace(rows, y=5 * rows.y, y_test=5 * rows.y_test))


@mutant("SHAPE")
def broadcast_targets(seed: int) -> Training:
    """Three units for one target."""
    rows = data.friedman(seed)
    return regression_mlp(seed, units=3, rows=replace(rows, y=rows.y[:, None], y_test=rows.y_test[:, None]))


@mutant("STRUCTURE", "SHAPE")
def all_time_steps(seed: int) -> Training:
    """An LSTM that returns its sequence, with one target per row."""
    model = sequential((24, 1), layers.LSTM(16, return_sequences=True), layers.Dense(1))
    model.compile("adam", "mse")
    return training(model, data.waves(seed), EPOCHS)


@mutant("MSG0")
def raw_features(seed: int) -> Training:
    """Features from thousandths to thousands, as they are."""
    return cancer_mlp(seed, rows=data.raw_breast_cancer(seed))


@mutant("MSG0")
def raw_pixels(seed: int) -> Training:
    """Pixels from 0 to 255, as they are."""
    rows = data.digits(seed)
    return digit_mlp(seed, rows=replace(rows, x=rows.x * 255, x_test=rows.x_test * 255))


@mutant("MSG0", "MSG4")
def raw_targets(seed: int) -> Training:
    """Targets around 25 000 in a regression."""
    rows = data.friedman(seed)
    y, y_test = (25_000 + 5000 * one for one in (rows.y, rows.y_test))
    return regression_mlp(seed, rows=replace(rows, y=y, y_test=y_test))


@mutant("MSG0")
def missing_values(seed: int) -> Training:
    """One missing value in a thousand."""
    rows = data.breast_cancer(seed)
    x = rows.x.copy()
    x[np.random.default_rng(seed).random(x.shape) < 0.001] = np.nan
    return cancer_mlp(seed, rows=replace(rows, x=x))


@mutant("MSG0", "LABELS")
def shuffled_labels(seed: int) -> Training:
    """Labels that stand at other rows."""
    rows = data.digits(seed)
    return digit_mlp(seed, rows=replace(rows, y=np.random.default_rng(seed).permutation(rows.y)))


@mutant("MSG0")
def empty_inputs(seed: int) -> Training:
    """Inputs that preprocessing has made all 0."""
    rows = data.digits(seed)
    return digit_mlp(seed, rows=replace(rows, x=0 * rows.x, x_test=0 * rows.x_test))


@mutant("MSG0", "LABELS")
def constant_labels(seed: int) -> Training:
    """Every row has the same label."""
    rows = data.breast_cancer(seed)
    return cancer_mlp(seed, rows=replace(rows, y=np.ones_like(rows.y)))


@mutant("MSG0")
def sorted_split(seed: int) -> Training:
    """Rows in the order of their class, and `validation_split`."""
    rows = data.digits(seed)
    order = np.argsort(rows.y, kind="stable")
    job = digit_mlp(seed, rows=replace(rows, x=rows.x[order], y=rows.y[order]))
    return replace(job, fit={"epochs": EPOCHS, "validation_split": 0.2})


@mutant("MSG0")
def known_validation_rows(seed: int) -> Training:
    """Validation rows that are training rows."""
    rows = data.digits(seed)
    job = digit_mlp(seed, rows=rows)
    return replace(job, fit={"epochs": EPOCHS, "validation_data": (rows.x[:300], rows.y[:300])})


@mutant("MSG0", "LABELS")
def overlooked_class(seed: int) -> Training:
    """A class of 4 % of the rows that the features hardly tell from the others, without weights."""
    x, y = datasets.make_classification(
        4000, n_features=20, n_informative=4, weights=[0.96], flip_y=0.0, class_sep=0.3, random_state=seed
    )
    rows = data.standardized(data.split(x, y.astype("float32"), seed))
    model = sequential((20,), layers.Dense(8, "relu"), layers.Dense(1, "sigmoid"))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return training(model, rows, epochs=6)


@mutant("REGULARISE")
def learned_by_heart(seed: int) -> Training:
    """80 rows with noisy labels, and many epochs."""
    draw = np.random.default_rng(seed)
    rows = data.breast_cancer(seed)
    y = np.where(draw.random(80) < 0.25, 1 - rows.y[:80], rows.y[:80])
    model = sequential((30,), layers.Dense(128, "relu"), layers.Dense(128, "relu"), layers.Dense(1, "sigmoid"))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return training(model, replace(rows, x=rows.x[:80], y=y), epochs=40, batch_size=16)


def _documents(seed: int, *body: layers.Layer, vocabulary: int = 500) -> Training:
    model = sequential(
        (40,), layers.Embedding(vocabulary, 16, mask_zero=True), *body, layers.LSTM(16), layers.Dense(4, "softmax")
    )
    model.compile(keras.optimizers.Adam(0.005), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return training(model, data.documents(seed), epochs=4)


class Scaled(layers.Layer):
    """A layer of the user's own that forgets the mask."""

    def call(self, inputs: Any) -> Any:
        """Return the inputs, doubled."""
        return 2 * inputs


@mutant("STRUCTURE")
def forgotten_mask(seed: int) -> Training:
    """A layer between embedding and LSTM that drops the mask."""
    return _documents(seed, Scaled())


@mutant("STRUCTURE", "MSG0", "SHAPE")
def small_vocabulary(seed: int) -> Training:
    """Word numbers beyond the table of the embedding."""
    return _documents(seed, vocabulary=300)
