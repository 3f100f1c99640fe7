import keras
import pytest
from keras import layers, ops

from deepdebug.model.activations import FUNCTIONS, recognise

BACKEND = keras.config.backend()
NAMES = sorted(FUNCTIONS)
NATIVE = {
    "tensorflow": ("tensorflow.nn", ("relu", "relu6", "elu", "selu", "gelu", "silu", "softplus", "softsign", "sigmoid",
                                     "tanh", "softmax", "log_softmax")),
    "jax": ("jax.nn", ("relu", "relu6", "elu", "selu", "gelu", "silu", "mish", "softplus", "sigmoid", "hard_sigmoid",
                       "hard_silu", "hard_tanh", "tanh", "softmax", "log_softmax", "log_sigmoid")),
    "torch": ("torch.nn.functional", ("relu", "relu6", "elu", "selu", "gelu", "silu", "mish", "softplus", "softsign",
                                      "sigmoid", "hard_sigmoid", "hard_silu", "hard_tanh", "tanh")),
}  # fmt: skip
TORCH_NAMES = {"hard_sigmoid": "hardsigmoid", "hard_silu": "hardswish", "hard_tanh": "hardtanh"}


@pytest.mark.parametrize("name", NAMES)
def test_name_given_to_a_layer_is_recognised(name):
    assert recognise(layers.Dense(2, activation=name).activation) == name


@pytest.mark.parametrize("name", NAMES)
def test_function_of_keras_is_recognised(name):
    assert recognise(getattr(keras.activations, name)) == name


@pytest.mark.parametrize("name", NAMES)
def test_lambda_is_recognised_by_what_it_computes(name):
    assert recognise(lambda x: 1.0 * getattr(keras.activations, name)(x)) == name


@pytest.mark.parametrize("name", NAMES)
def test_activation_layer_is_recognised(name):
    assert recognise(layers.Activation(name)) == name


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        (layers.ReLU(), "relu"), (layers.ReLU(max_value=6), "relu6"), (layers.ELU(), "elu"),
        (layers.Softmax(), "softmax"), (layers.LeakyReLU(negative_slope=0.1), "leaky_relu"),
        (layers.ReLU(negative_slope=0.3), "leaky_relu"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)  # fmt: skip
def test_layer_of_its_own_class_is_recognised(layer, name):
    assert recognise(layer) == name


@pytest.mark.parametrize("name", NATIVE[BACKEND][1])
def test_function_of_the_backend_is_recognised(name):
    module = pytest.importorskip(NATIVE[BACKEND][0])
    native = getattr(module, TORCH_NAMES.get(name, name) if BACKEND == "torch" else name)
    assert recognise(native) == name


def test_gelu_is_recognised_with_and_without_its_approximation():
    assert recognise(lambda x: keras.activations.gelu(x, approximate=True)) == "gelu"
    assert recognise(lambda x: keras.activations.gelu(x, approximate=False)) == "gelu"


def test_other_names_of_the_same_function_are_recognised():
    assert recognise(keras.activations.get("swish")) == "silu"
    assert recognise(lambda x: ops.maximum(x, 0.0)) == "relu"
    assert recognise(lambda x: 1 / (1 + ops.exp(-x))) == "sigmoid"


@pytest.mark.parametrize("slope", [0.01, 0.3, 0.9])
def test_any_slope_below_zero_is_leaky(slope):
    assert recognise(lambda x: ops.where(x > 0, x, slope * x)) == "leaky_relu"


def test_no_activation_is_linear():
    assert recognise(None) == "linear"


def _shape_changing(x):
    return ops.sum(x)


def _failing(x):
    raise RuntimeError


@pytest.mark.parametrize(
    "function", [ops.sin, lambda x: 2 * x, lambda x: -x, lambda x: x * x, _shape_changing, _failing, lambda a, b: a]
)
def test_anything_else_is_unknown(function):
    assert recognise(function) == "unknown"


@pytest.mark.parametrize("name", ["sparsemax", "threshold", "tanh_shrink", "squareplus", "glu"])
def test_rare_functions_of_keras_are_unknown_rather_than_mistaken(name):
    function = getattr(keras.activations, name)
    assert recognise((lambda x: function(x, 0.5, 0.1)) if name == "threshold" else function) == "unknown"
