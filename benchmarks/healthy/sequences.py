"""Recurrent models, transformers and models of text."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from benchmarks.healthy import data
from benchmarks.healthy.family import Training, accuracy, explained, family, sequential, training

SEQUENCE = (8, 8)


@family(accuracy, usual=0.9)
def lstm(seed: int) -> Training:
    """An LSTM that reads a digit row by row."""
    model = sequential(SEQUENCE, layers.LSTM(48), layers.Dense(10, "softmax"))
    model.compile(keras.optimizers.Adam(0.005), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return training(model, data.digit_sequences(seed), epochs=12)


@family(accuracy, usual=0.9)
def stacked_gru(seed: int) -> Training:
    """Two GRU layers, the first of which returns its sequence, with a clipped gradient."""
    model = sequential(
        SEQUENCE,
        layers.GRU(32, return_sequences=True),
        layers.GRU(32),
        layers.Dropout(0.1),
        layers.Dense(10, "softmax"),
    )
    model.compile(keras.optimizers.Adam(0.005, clipnorm=1.0), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return training(model, data.digit_sequences(seed), epochs=12)


@family(explained, usual=0.85)
def forecasting_gru(seed: int) -> Training:
    """The next value of a noisy wave."""
    model = sequential((24, 1), layers.GRU(24), layers.Dense(1))
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    return training(model, data.waves(seed), epochs=10)


@family(accuracy, usual=0.85)
def bidirectional_rnn(seed: int) -> Training:
    """A simple recurrent layer run in both directions."""
    model = sequential(SEQUENCE, layers.Bidirectional(layers.SimpleRNN(32)), layers.Dense(10, "softmax"))
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return training(model, data.digit_sequences(seed), epochs=12)


@family(accuracy, usual=0.9)
def conv1d(seed: int) -> Training:
    """Convolutions over time, pooled."""
    model = sequential(
        SEQUENCE,
        layers.Conv1D(32, 3, padding="same", activation="relu"),
        layers.Conv1D(64, 3, padding="same", activation="relu"),
        layers.GlobalMaxPooling1D(),
        layers.Dense(10, "softmax"),
    )
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return training(model, data.digit_sequences(seed), epochs=12)


@family(explained, usual=0.8)
def dilated_conv1d(seed: int) -> Training:
    """Causal convolutions that look farther back layer by layer."""
    model = sequential(
        (24, 1),
        *(layers.Conv1D(16, 3, padding="causal", dilation_rate=rate, activation="relu") for rate in (1, 2, 4)),
        layers.Flatten(),
        layers.Dense(1),
    )
    model.compile(keras.optimizers.Adam(0.003), "mse", metrics=["mae"])
    return training(model, data.waves(seed), epochs=12)


@family(accuracy, usual=0.9)
def transformer(seed: int) -> Training:
    """A transformer encoder of two blocks over the rows of a digit."""
    inputs = keras.Input(SEQUENCE)
    positions = layers.Embedding(8, 32)(keras.ops.arange(8))
    x = layers.Dense(32)(inputs) + positions
    for _ in range(2):
        x = _encoder_block(x, 32)
    x = layers.GlobalAveragePooling1D()(layers.LayerNormalization()(x))
    model = keras.Model(inputs, layers.Dense(10, "softmax")(x))
    schedule = keras.optimizers.schedules.CosineDecay(0.004, 45 * 12)
    model.compile(keras.optimizers.Adam(schedule), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return training(model, data.digit_sequences(seed), epochs=12)


def _encoder_block(x: Any, width: int) -> Any:
    y = layers.LayerNormalization()(x)
    x = layers.Add()([x, layers.MultiHeadAttention(4, width // 4, dropout=0.1)(y, y)])
    y = layers.Dense(2 * width, "gelu")(layers.LayerNormalization()(x))
    return layers.Add()([x, layers.Dropout(0.1)(layers.Dense(width)(y))])


@family(accuracy, usual=0.9)
def pooled_embedding(seed: int) -> Training:
    """Texts as the mean of their word vectors, padding masked."""
    model = sequential(
        (40,), layers.Embedding(500, 16, mask_zero=True), layers.GlobalAveragePooling1D(), layers.Dense(4, "softmax")
    )
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return training(model, data.documents(seed), epochs=12)


@family(accuracy, usual=0.85)
def masked_lstm(seed: int) -> Training:
    """Texts of different lengths through an LSTM that skips the padding."""
    model = sequential((40,), layers.Embedding(500, 16, mask_zero=True), layers.LSTM(24), layers.Dense(4, "softmax"))
    model.compile(keras.optimizers.Adam(0.005), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return training(model, data.documents(seed), epochs=8)


class Attention(keras.layers.Layer):
    """The mean over time, weighted by a learned softmax: a layer of the user's own."""

    def build(self, shape: Any) -> None:
        """Make the weights."""
        self.weigh = self.add_weight(shape=(shape[-1], 1), initializer="glorot_uniform", name="weigh")

    def call(self, inputs: Any) -> Any:
        """Return the weighted mean."""
        return keras.ops.sum(inputs * keras.ops.softmax(keras.ops.matmul(inputs, self.weigh), axis=1), axis=1)


class Reader(keras.Model):
    """A subclassed model."""

    def __init__(self) -> None:
        super().__init__()
        self.read = layers.GRU(32, return_sequences=True)
        self.attend = Attention()
        self.decide = layers.Dense(10, "softmax")

    def call(self, inputs: Any) -> Any:
        """Return the class probabilities."""
        return self.decide(self.attend(self.read(inputs)))


@family(accuracy, usual=0.9)
def subclassed_attention(seed: int) -> Training:
    """A subclassed model with a custom layer."""
    model = Reader()
    model.compile(keras.optimizers.Adam(0.005), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return training(model, data.digit_sequences(seed), epochs=16)
