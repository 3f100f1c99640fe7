"""Whole published architectures, recurrent and attention models: finite relevance in every layer, and a record."""

import keras
import numpy as np
import pytest
from keras import applications, layers

from deepdebug.lrp import relevance

pytestmark = pytest.mark.slow
IMAGES = np.random.RandomState(0).rand(2, 64, 64, 3).astype("float32")
NETWORKS = {
    "ResNet50": applications.ResNet50, "MobileNetV2": applications.MobileNetV2, "DenseNet121": applications.DenseNet121,
    "EfficientNetB0": applications.EfficientNetB0, "VGG16": applications.VGG16,
}  # fmt: skip


def with_real_statistics(model):
    """Return the model with the batch norm statistics of the images; with those of the start its outputs vanish."""
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = 0.0
    model(IMAGES, training=True)
    return model


def lstm():
    return keras.Sequential(
        [keras.Input((6, 4)), layers.LSTM(5, return_sequences=True), layers.LSTM(3), layers.Dense(2)]
    )


def encoder():
    inputs = keras.Input((6, 8))
    x = layers.LayerNormalization()(inputs)
    x = layers.Add()([inputs, layers.MultiHeadAttention(2, 4)(x, x)])
    y = layers.Dense(8)(layers.Dense(16, "gelu")(layers.LayerNormalization()(x)))
    return keras.Model(inputs, layers.Dense(3)(layers.GlobalAveragePooling1D()(layers.Add()([x, y]))))


def assert_followed(model, found):
    assert all(np.isfinite(array).all() for array in found.values())
    assert all(np.isfinite([one.inputs, one.outputs]).all() for one in found.conservation)
    inside = {layer.name for layer in model.layers if not isinstance(layer, layers.InputLayer | layers.Softmax)}
    assert inside <= {one.layer for one in found.conservation}
    assert any(np.abs(array).max() > 0 for array in list(found.values())[:1])


@pytest.mark.parametrize("name", NETWORKS)
def test_published_network_is_followed_to_its_pixels(name):
    keras.utils.set_random_seed(0)
    model = with_real_statistics(NETWORKS[name](weights=None, input_shape=(64, 64, 3), classes=10))
    assert_followed(model, relevance(model, IMAGES, composite="z-plus"))


@pytest.mark.parametrize("build", [lstm, encoder])
def test_sequence_model_is_followed_to_its_input(build):
    keras.utils.set_random_seed(0)
    model = build()
    x = np.random.RandomState(0).normal(size=(3, *model.input_shape[1:])).astype("float32")
    found = relevance(model, x)
    assert_followed(model, found)
    assert next(iter(found.values())).shape == x.shape
