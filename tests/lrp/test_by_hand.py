"""Examples small enough to compute by hand.

Tests named `test_check_NN_...`, here and beside it, are the acceptance checks of the engine: 01 conservation,
02 pooling, 03 bias, 04 by hand, 05 gradient times input, 06 parity, 07 batches and backends, 08 model untouched and no
leak, 09 explained output, 10 batch norm, dead channels, empty images and reduced precision.
"""

import keras
import numpy as np
import pytest
from keras import layers

from deepdebug.lrp import Composite, relevance
from deepdebug.lrp.rules import Epsilon, ZPlus

ZERO = Composite(Epsilon(0.0), Epsilon(0.0))


def test_check_02_overlapping_windows_lose_nothing_and_ties_have_one_winner_or_share():
    model = keras.Sequential(
        [keras.Input((3, 1)), layers.MaxPooling1D(2, 1, name="pool"), layers.Flatten(), dense([[1.0], [1.0]])]
    )
    found = relevance(model, np.array([[[1.0], [4.0], [2.0]]], "float32"), composite=ZERO, target=0)
    np.testing.assert_allclose(found["pool"][0, :, 0], [0.0, 8.0, 0.0])  # the middle wins both windows
    tied = relevance(model, np.full((1, 3, 1), 3.0, "float32"), composite=ZERO, target=0)
    assert tied["pool"].sum() == pytest.approx(6.0)


def dense(kernel, bias=None, activation=None):
    layer = layers.Dense(len(kernel[0]), activation, use_bias=bias is not None)
    layer.build((None, len(kernel)))
    layer.set_weights([np.array(kernel)] + ([] if bias is None else [np.array(bias)]))
    return layer


@pytest.mark.parametrize("rule", [Epsilon(0.0), ZPlus()], ids=repr)
def test_check_04_one_linear_layer_shares_by_the_products(rule):
    model = keras.Sequential([keras.Input((3,)), dense([[1.0, 2.0], [0.0, 1.0], [3.0, 0.5]])])
    found = relevance(model, np.array([[2.0, 1.0, 4.0]], "float32"), composite=Composite(rule, rule), target=1)
    np.testing.assert_allclose(found.inputs[0], [[4.0, 1.0, 2.0]], rtol=1e-6)  # x_i w_i1


def test_check_04_two_layers():
    """Hidden units 3 and 1; the output is 2 * 3 - 1 * 1 = 5."""
    model = keras.Sequential(
        [keras.Input((2,)), dense([[1.0, 1.0], [1.0, -1.0]], None, "relu"), dense([[2.0], [-1.0]])]
    )
    found = relevance(model, np.array([[2.0, 1.0]], "float32"), composite=ZERO, target=0)
    np.testing.assert_allclose(found[model.layers[1].name], [[6.0, -1.0]], rtol=1e-6)
    # 6 is shared as 2 : 1 of 3, and -1 as 2 : -1 of 1.
    np.testing.assert_allclose(found.inputs[0], [[4.0 - 2.0, 2.0 + 1.0]], rtol=1e-6)
