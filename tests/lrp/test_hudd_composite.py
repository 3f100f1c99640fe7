"""The composite "hudd" beside the formulas of HUDD's program, written out in plain loops.

Dense layers: z+ without bias. Convolutions: LRP-0 with the layer's own rectified output, bias included. Max pooling,
without overlap: all to the largest element. Epsilon 1e-9 everywhere. The start is the largest logit.
"""

import itertools

import keras
import numpy as np
from keras import layers

from deepdebug.lrp import relevance

EPSILON = 1e-9


def convolution(x, kernel, bias):
    height, width = (size - 2 for size in x.shape[:2])
    y = np.zeros((height, width, kernel.shape[-1]))
    for row, column in itertools.product(range(height), range(width)):
        y[row, column] = np.tensordot(x[row : row + 3, column : column + 3], kernel, 3) + bias
    return np.maximum(y, 0)


def back_through_convolution(x, y, kernel, relevance_out):
    share = relevance_out / (y + EPSILON)
    found = np.zeros_like(x)
    for row, column in itertools.product(range(y.shape[0]), range(y.shape[1])):
        found[row : row + 3, column : column + 3] += kernel @ share[row, column]
    return x * found


def windows(x):
    for row, column in itertools.product(range(x.shape[0] // 2), range(x.shape[1] // 2)):
        yield row, column, (slice(2 * row, 2 * row + 2), slice(2 * column, 2 * column + 2))


def pooling(x):
    y = np.zeros((x.shape[0] // 2, x.shape[1] // 2, x.shape[2]))
    for row, column, region in windows(x):
        y[row, column] = x[region].max(axis=(0, 1))
    return y


def back_through_pooling(x, y, relevance_out):
    found = np.zeros_like(x)
    for row, column, region in windows(x):
        share = relevance_out[row, column] / (y[row, column] + EPSILON)
        found[region] = x[region] * (x[region] == y[row, column]) * share
    return found


def back_through_dense(x, kernel, relevance_out):
    positive = np.maximum(kernel, 0)
    return x * (positive @ (relevance_out / (x @ positive + EPSILON)))


def test_check_06_composite_is_the_program_on_a_network_without_overlapping_pools():
    keras.utils.set_random_seed(7)
    model = keras.Sequential(
        [
            keras.Input((12, 12, 2)),
            layers.Conv2D(4, 3, activation="relu", bias_initializer=keras.initializers.Constant(0.05), name="conv1"),
            layers.MaxPooling2D(2, name="pool1"),
            layers.Conv2D(5, 3, activation="relu", bias_initializer=keras.initializers.Constant(0.05), name="conv2"),
            layers.Flatten(name="flat"),
            layers.Dense(6, activation="relu", use_bias=False, name="dense1"),
            layers.Dense(3, name="dense2"),
        ]
    )
    x = np.random.default_rng(2).random((12, 12, 2))
    (k1, b1), (k2, b2), (w1,), (w2, b3) = (
        [np.asarray(value, "float64") for value in model.get_layer(name).get_weights()]
        for name in ("conv1", "conv2", "dense1", "dense2")
    )
    y1 = convolution(x, k1, b1)
    p1 = pooling(y1)
    y2 = convolution(p1, k2, b2)
    hidden = np.maximum(y2.ravel() @ w1, 0)
    logits = hidden @ w2 + b3
    start = np.where(np.arange(3) == logits.argmax(), logits, 0)
    expected = {"dense2": back_through_dense(hidden, w2, start)}
    expected["dense1"] = back_through_dense(y2.ravel(), w1, expected["dense2"])
    expected["conv2"] = back_through_convolution(p1, y2, k2, expected["dense1"].reshape(y2.shape))
    expected["pool1"] = back_through_pooling(y1, p1, expected["conv2"])
    expected["conv1"] = back_through_convolution(x, y1, k1, expected["pool1"])
    found = relevance(model, x[None].astype("float32"), composite="hudd")
    for name, array in expected.items():
        worst = np.abs(found[name][0] - array).max()
        assert worst <= 1e-4 * np.abs(array).max(), f"{name}: {worst}"
