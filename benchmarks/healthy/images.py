"""Convolutional models on images."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from benchmarks.healthy import data
from benchmarks.healthy.family import Training, accuracy, explained, f1, family, first_accuracy, sequential, training

IMAGE = (8, 8, 1)


@family(accuracy, usual=0.94)
def cnn(seed: int) -> Training:
    """Two convolutions, pooling, one dense layer."""
    model = sequential(
        IMAGE,
        layers.Conv2D(16, 3, padding="same", activation="relu"), layers.MaxPooling2D(),
        layers.Conv2D(32, 3, padding="same", activation="relu"), layers.MaxPooling2D(),
        layers.Flatten(), layers.Dense(32, "relu"), layers.Dense(10, "softmax"),
    )  # fmt: skip
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return training(model, data.digit_images(seed), epochs=12)


@family(accuracy, usual=0.92)
def augmented_cnn(seed: int) -> Training:
    """Random shifts, batch normalisation, dropout and a learning rate that falls along a cosine."""
    model = sequential(
        IMAGE,
        layers.RandomTranslation(0.1, 0.1),
        layers.Conv2D(16, 3, padding="same", use_bias=False), layers.BatchNormalization(momentum=0.9), layers.ReLU(),
        layers.MaxPooling2D(),
        layers.Conv2D(32, 3, padding="same", use_bias=False), layers.BatchNormalization(momentum=0.9), layers.ReLU(),
        layers.GlobalAveragePooling2D(), layers.Dropout(0.2), layers.Dense(10, "softmax"),
    )  # fmt: skip
    schedule = keras.optimizers.schedules.CosineDecay(0.005, 45 * 15)
    model.compile(keras.optimizers.Adam(schedule), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return training(model, data.digit_images(seed), epochs=15)


@family(accuracy, usual=0.94)
def residual_cnn(seed: int) -> Training:
    """Two residual blocks with batch normalisation, and SGD with momentum and a rate that falls along a cosine."""
    inputs = keras.Input(IMAGE)
    x = layers.Conv2D(16, 3, padding="same")(inputs)
    for _ in range(2):
        x = _residual_block(x, 16)
    x = layers.GlobalAveragePooling2D()(layers.ReLU()(x))
    model = keras.Model(inputs, layers.Dense(10, "softmax")(x))
    schedule = keras.optimizers.schedules.CosineDecay(0.05, 45 * 10)
    optimizer = keras.optimizers.SGD(schedule, momentum=0.9, nesterov=True)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return training(model, data.digit_images(seed), epochs=10)


def _residual_block(x: Any, filters: int) -> Any:
    y = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    y = layers.Conv2D(filters, 3, padding="same")(y)
    y = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(y))
    return layers.Add()([x, layers.Conv2D(filters, 3, padding="same")(y)])


@family(accuracy, usual=0.94)
def branched_cnn(seed: int) -> Training:
    """Convolutions of several sizes side by side, as in an inception block."""
    inputs = keras.Input(IMAGE)
    branches = [layers.Conv2D(12, size, padding="same", activation="relu")(inputs) for size in (1, 3, 5)]
    x = layers.Conv2D(32, 3, activation="relu")(layers.MaxPooling2D()(layers.Concatenate()(branches)))
    model = keras.Model(inputs, layers.Dense(10, "softmax")(layers.Flatten()(x)))
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return training(model, data.digit_images(seed), epochs=12)


@family(accuracy, usual=0.92)
def group_norm_cnn(seed: int) -> Training:
    """Group normalisation, in small batches."""
    model = sequential(
        IMAGE,
        layers.Conv2D(16, 3, padding="same"), layers.GroupNormalization(4), layers.ReLU(), layers.MaxPooling2D(),
        layers.Conv2D(32, 3, padding="same"), layers.GroupNormalization(8), layers.ReLU(),
        layers.GlobalAveragePooling2D(), layers.Dense(10, "softmax"),
    )  # fmt: skip
    model.compile(keras.optimizers.Adam(0.005), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return training(model, data.digit_images(seed), epochs=10, batch_size=16)


@family(accuracy, usual=0.9)
def separable_cnn(seed: int) -> Training:
    """Depthwise separable convolutions with leaky relu."""
    model = sequential(
        IMAGE,
        layers.Conv2D(16, 3, padding="same"), layers.LeakyReLU(),
        layers.SeparableConv2D(32, 3, padding="same"), layers.LeakyReLU(), layers.MaxPooling2D(),
        layers.SeparableConv2D(64, 3, padding="same"), layers.LeakyReLU(), layers.GlobalMaxPooling2D(),
        layers.Dense(10, "softmax"),
    )  # fmt: skip
    model.compile(keras.optimizers.Adam(0.005), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return training(model, data.digit_images(seed), epochs=12)


@family(accuracy, usual=0.92)
def rescaled_bytes(seed: int) -> Training:
    """Pixels from 0 to 255 as bytes, scaled by a Rescaling layer inside the model."""
    model = sequential(
        IMAGE,
        layers.Rescaling(1 / 255), layers.Conv2D(16, 3, activation="relu"), layers.Flatten(),
        layers.Dense(32, "relu"), layers.Dense(10, "softmax"),
    )  # fmt: skip
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy", metrics=["accuracy"])
    rows = data.digit_images(seed)
    x, x_test = ((images * 255).astype("uint8") for images in (rows.x, rows.x_test))
    return training(model, data.Split(x, rows.y, x_test, rows.y_test), epochs=12)


@family(explained, usual=0.6)
def denoising_autoencoder(seed: int) -> Training:
    """Convolutions down and up again, without labels."""
    model = sequential(
        IMAGE,
        layers.Conv2D(16, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2D(8, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2DTranspose(16, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2DTranspose(1, 3, strides=2, padding="same", activation="sigmoid"),
    )  # fmt: skip
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
    noisy, clean = data.digit_strokes(seed), data.digit_images(seed)
    return training(model, data.Split(noisy.x, clean.x, noisy.x_test, clean.x_test), epochs=12)


@family(f1, usual=0.85)
def segmentation(seed: int) -> Training:
    """A small U-net that finds the pixels of a stroke."""
    inputs = keras.Input(IMAGE)
    top = layers.Conv2D(16, 3, padding="same", activation="relu")(inputs)
    low = layers.Conv2D(32, 3, padding="same", activation="relu")(layers.MaxPooling2D()(top))
    joined = layers.Concatenate()([top, layers.UpSampling2D()(low)])
    x = layers.Conv2D(16, 3, padding="same", activation="relu")(joined)
    model = keras.Model(inputs, layers.Conv2D(1, 1, activation="sigmoid")(x))
    model.compile(keras.optimizers.Adam(0.005), "binary_crossentropy", metrics=["accuracy"])
    return training(model, data.digit_strokes(seed), epochs=10)


@family(first_accuracy, usual=0.92)
def two_outputs(seed: int) -> Training:
    """A class and a number from one trunk, each with its own loss."""
    inputs = keras.Input(IMAGE)
    x = layers.Conv2D(16, 3, activation="relu")(inputs)
    x = layers.Dense(64, "relu")(layers.Flatten()(x))
    model = keras.Model(inputs, [layers.Dense(10, "softmax", name="digit")(x), layers.Dense(1, name="ink")(x)])
    model.compile(
        keras.optimizers.Adam(0.003),
        loss=["sparse_categorical_crossentropy", "mse"],
        loss_weights=[1.0, 0.5],
        metrics=[["accuracy"], ["mae"]],
    )
    rows = data.digit_images(seed)
    ink, ink_test = ((images.mean(axis=(1, 2, 3)) - 0.3) / 0.05 for images in (rows.x, rows.x_test))
    return training(model, data.Split(rows.x, [rows.y, ink], rows.x_test, [rows.y_test, ink_test]), epochs=12)
