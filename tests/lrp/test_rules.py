"""Every rule on every kind of layer against its formula on a plain matrix, read off the layer's Jacobian."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from deepdebug.lrp.affine import affine_parts
from deepdebug.lrp.rules import AlphaBeta, Epsilon, Flat, Gamma, WSquare, ZBox, ZPlus

ROWS = 3
DRAW = np.random.RandomState(0)
LAYERS = {
    "dense": (lambda: layers.Dense(4, "relu"), (5,)),
    "dense_over_time": (lambda: layers.Dense(3), (2, 4)),
    "einsum": (lambda: layers.EinsumDense("abc,cd->abd", (2, 3), bias_axes="d"), (2, 4)),
    "conv1d_dilated": (lambda: layers.Conv1D(3, 2, dilation_rate=2, padding="causal"), (6, 2)),
    "conv2d_valid": (lambda: layers.Conv2D(3, 2, activation="tanh"), (4, 4, 2)),
    "conv2d_same_strided": (lambda: layers.Conv2D(2, 3, strides=2, padding="same"), (5, 5, 2)),
    "conv2d_grouped": (lambda: layers.Conv2D(4, 2, groups=2), (3, 3, 4)),
    "conv3d": (lambda: layers.Conv3D(2, 2), (3, 3, 3, 1)),
    "depthwise": (lambda: layers.DepthwiseConv2D(2, depth_multiplier=2), (3, 3, 2)),
    "transposed": (lambda: layers.Conv2DTranspose(2, 3, strides=2, padding="same"), (2, 2, 3)),
}
RULES = {
    "zero": Epsilon(0.0), "epsilon": Epsilon(0.3), "gamma": Gamma(0.25), "z-plus": ZPlus(), "alpha1beta0": AlphaBeta(),
    "alpha2beta1": AlphaBeta(2.0, 1.0), "w-square": WSquare(), "flat": Flat(), "z-box": ZBox(-3.0, 3.0),
}  # fmt: skip


def built(kind):
    make, shape = LAYERS[kind]
    keras.utils.set_random_seed(1)
    layer = make()
    layer.build((None, *shape))
    layer.set_weights([DRAW.normal(size=one.shape) for one in layer.get_weights()])
    return layer, DRAW.normal(size=(ROWS, *shape)).astype("float32")


def matrix_of(layer, shape):
    """Return (weights, bias) of the affine map, of shapes (inputs, outputs) and (outputs,)."""
    (part,) = affine_parts(layer)
    size = int(np.prod(shape))
    given = np.concatenate([np.eye(size), np.zeros((1, size))]).reshape(-1, *shape).astype("float32")
    found = ops.convert_to_numpy(part.apply(ops.convert_to_tensor(given), part.kernel, part.bias))
    flat = found.reshape(size + 1, -1).astype("float64")
    return flat[:-1] - flat[-1], flat[-1]


def ratio(above, below):
    return np.divide(above, below, out=np.zeros_like(above), where=below != 0)


def shared(products, bias, relevance, epsilon=0.0):
    """Return the relevance by products of shape (inputs, outputs), for one row."""
    z = products.sum(0) + bias
    z = z + epsilon * np.where(z >= 0, 1.0, -1.0)
    return (products * ratio(relevance, z)).sum(1)


def expected(rule, x, weights, bias, relevance):
    products, up, down = x[:, None] * weights, lambda one: np.maximum(one, 0), lambda one: np.minimum(one, 0)
    match rule:
        case Epsilon():
            return shared(products, bias, relevance, rule.epsilon)
        case ZPlus():
            return shared(up(products), 0 * bias, relevance)
        case AlphaBeta():
            one, other = shared(up(products), up(bias), relevance), shared(down(products), down(bias), relevance)
            return rule.alpha * one - rule.beta * other
        case Gamma():
            z = products.sum(0) + bias
            one = shared(products + rule.gamma * up(products), bias + rule.gamma * up(bias), relevance * (z >= 0))
            other = shared(products + rule.gamma * down(products), bias + rule.gamma * down(bias), relevance * (z < 0))
            return one + other
        case WSquare():
            return shared(weights**2, 0 * bias, relevance)
        case Flat():
            return shared((weights != 0) * 1.0, 0 * bias, relevance)
        case ZBox():
            return shared(products - rule.low * up(weights) - rule.high * down(weights), 0 * bias, relevance)


FAST_KINDS = ("dense", "conv2d_same_strided")


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=() if kind in FAST_KINDS else pytest.mark.slow) for kind in LAYERS]
)
def test_rule_is_its_formula_on_a_matrix(kind, rule):
    layer, x = built(kind)
    (part,) = affine_parts(layer)
    outputs = ops.convert_to_numpy(part.apply(ops.convert_to_tensor(x), part.kernel, part.bias)).shape
    relevance = DRAW.normal(size=outputs).astype("float32")
    found = ops.convert_to_numpy(rule.propagate(part, ops.convert_to_tensor(x), ops.convert_to_tensor(relevance)))
    weights, bias = matrix_of(layer, x.shape[1:])
    for row in range(ROWS):
        wanted = expected(rule, x[row].ravel().astype("float64"), weights, bias, relevance[row].ravel())
        np.testing.assert_allclose(found[row].ravel(), wanted, rtol=2e-3, atol=2e-3 * np.abs(wanted).max())


def test_separable_convolution_is_a_depthwise_and_a_pointwise_one():
    layer = layers.SeparableConv2D(3, 2, strides=2, activation="relu")
    layer.build((None, 5, 5, 2))
    x = ops.convert_to_tensor(DRAW.normal(size=(ROWS, 5, 5, 2)).astype("float32"))
    spatial, pointwise = affine_parts(layer)
    z = pointwise.apply(spatial.apply(x, spatial.kernel, spatial.bias), pointwise.kernel, pointwise.bias)
    np.testing.assert_allclose(ops.convert_to_numpy(ops.relu(z)), ops.convert_to_numpy(layer(x)), rtol=1e-4, atol=1e-5)


def test_layer_keeps_its_activation():
    layer, x = built("conv2d_valid")
    before = ops.convert_to_numpy(layer(x))
    (part,) = affine_parts(layer)
    Epsilon().propagate(part, ops.convert_to_tensor(x), ops.ones((ROWS, 3, 3, 3)))
    assert layer.activation is keras.activations.tanh
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(x)), before)
