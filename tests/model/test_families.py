import inspect

import keras
import pytest
from keras import layers, ops

from deepdebug.facts import FAMILIES
from deepdebug.model.families import CLASSES, family_of


@pytest.mark.parametrize(
    ("layer", "family"),
    [
        (layers.Dense(2), "dense"), (layers.EinsumDense("ab,bc->ac", 2), "dense"), (layers.Conv2D(2, 3), "convolution"),
        (layers.Conv1DTranspose(2, 3), "convolution"), (layers.DepthwiseConv2D(3), "convolution"),
        (layers.SeparableConv1D(2, 3), "convolution"), (layers.LSTM(2), "recurrent"), (layers.GRU(2), "recurrent"),
        (layers.SimpleRNN(2), "recurrent"), (layers.RNN(layers.LSTMCell(2)), "recurrent"),
        (layers.Bidirectional(layers.LSTM(2)), "recurrent"), (layers.ConvLSTM2D(2, 3), "recurrent"),
        (layers.MultiHeadAttention(2, 2), "attention"), (layers.GroupQueryAttention(2, 2, 1), "attention"),
        (layers.Embedding(2, 2), "embedding"), (layers.BatchNormalization(), "normalization"),
        (layers.LayerNormalization(), "normalization"), (layers.Normalization(), "preprocessing"),
        (layers.Rescaling(0.1), "preprocessing"), (layers.Dropout(0.1), "dropout"),
        (layers.SpatialDropout1D(0.1), "dropout"), (layers.GaussianNoise(0.1), "dropout"),
        (layers.ReLU(), "activation"), (layers.PReLU(), "activation"), (layers.Flatten(), "reshape"),
        (layers.Masking(), "reshape"), (layers.MaxPooling2D(), "pooling"),
        (layers.GlobalAveragePooling1D(), "pooling"), (layers.Add(), "merge"),
        (layers.Concatenate(), "merge"), (layers.TimeDistributed(layers.Dense(2)), "dense"),
        (layers.TimeDistributed(layers.Conv2D(2, 3)), "convolution"), (layers.Lambda(lambda x: x), "other"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)  # fmt: skip
def test_layer_belongs_to_its_family(layer, family):
    assert family_of(layer) == family


def test_own_subclass_belongs_to_the_family_of_its_base():
    class MyDense(layers.Dense):
        pass

    assert family_of(MyDense(2)) == "dense"


@pytest.mark.parametrize(
    ("function", "family"),
    [
        (lambda x: x + x, "merge"), (lambda x: ops.concatenate([x, x]), "merge"), (lambda x: ops.matmul(x, x), "merge"),
        (lambda x: ops.reshape(x, (-1, 4, 1)), "reshape"), (lambda x: x[:, :2], "reshape"), (ops.sin, "other"),
    ],
)  # fmt: skip
def test_operation_of_a_graph_belongs_to_its_family(function, family):
    outputs = function(keras.Input((4,), batch_size=4))
    assert family_of(outputs._keras_history.operation) == family


def test_every_family_in_the_table_is_a_known_one():
    assert {family for family, _ in CLASSES} <= set(FAMILIES)


def test_every_layer_with_kernels_has_a_learning_family():
    known = tuple(one for _, classes in CLASSES for one in classes)
    layer_classes = [one for _, one in inspect.getmembers(layers, inspect.isclass) if issubclass(one, layers.Layer)]
    left_out = {one.__name__ for one in layer_classes if not issubclass(one, known)}
    assert not {name for name in left_out if name.startswith(("Conv", "Dense", "LSTM", "GRU", "Depthwise"))} - {
        "ConvLSTM1DCell", "ConvLSTM2DCell", "LSTMCell", "GRUCell",
    }  # fmt: skip
