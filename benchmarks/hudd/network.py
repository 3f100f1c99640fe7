"""The small networks of the families with real pictures, and their training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

from benchmarks.hudd.task import Pictures, Values
from deepdebug.simulate.training import SCALE

FILTERS = (16, 32, 48, 64)
BATCH, RATE, WARMUP = 64, 2e-3, 100


def plain(x: Any, filters: int, number: int) -> Any:
    """Add a convolution and a pooling."""
    x = keras.layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"conv{number}")(x)
    return keras.layers.MaxPooling2D(name=f"pool{number}")(x)


def normalised(x: Any, filters: int, number: int) -> Any:
    """Add a convolution with batch normalisation, and a pooling."""
    x = keras.layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"conv{number}")(x)
    x = keras.layers.BatchNormalization(name=f"norm{number}")(x)
    x = keras.layers.ReLU(name=f"relu{number}")(x)
    return keras.layers.MaxPooling2D(name=f"pool{number}")(x)


def residual(x: Any, filters: int, number: int) -> Any:
    """Add a block of two normalised convolutions around which the input is led, and a pooling."""
    layers = keras.layers
    around = layers.Conv2D(filters, 1, use_bias=False, name=f"around{number}")(x)
    around = layers.BatchNormalization(name=f"around_norm{number}")(around)
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"conv{number}a")(x)
    x = layers.ReLU(name=f"relu{number}a")(layers.BatchNormalization(name=f"norm{number}a")(x))
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"conv{number}b")(x)
    x = layers.Add(name=f"add{number}")([layers.BatchNormalization(name=f"norm{number}b")(x), around])
    return layers.MaxPooling2D(name=f"pool{number}")(layers.ReLU(name=f"relu{number}")(x))


BLOCKS: Mapping[str, Callable[[Any, int, int], Any]] = {"plain": plain, "norm": normalised, "residual": residual}


def build(shape: tuple[int, ...], outputs: int, kind: str = "plain") -> keras.Model:
    """Build a network of four convolutions or blocks and two dense layers.

    Args:
        shape: Of one picture.
        outputs: Number of scores.
        kind: "plain", "norm" or "residual". Defaults to "plain".
    """
    given = x = keras.Input(shape, name="pictures")
    for number, filters in enumerate(FILTERS, start=1):
        x = BLOCKS[kind](x, filters, number)
    x = keras.layers.Dense(64, activation="relu", name="hidden")(keras.layers.Flatten(name="flatten")(x))
    return keras.Model(given, keras.layers.Dense(outputs, name="scores")(x), name=kind)


def trained(pictures: Pictures, classes: Values, epochs: int, seed: int, kind: str = "plain") -> keras.Model:
    """Train a network; the same seed gives the same one.

    Args:
        pictures: Shape (N, height, width, channels), as stored.
        classes: The right ones, shape (N,).
        epochs: How often all pictures are shown.
        seed: Of weights and order.
        kind: See `build`. Defaults to "plain".
    """
    keras.utils.set_random_seed(seed)
    model = build(pictures.shape[1:], int(classes.max()) + 1, kind)
    steps = max(2, epochs * -(-len(pictures) // BATCH))
    warmup = min(WARMUP, steps // 2)
    rate = keras.optimizers.schedules.CosineDecay(RATE / 20, steps - warmup, warmup_target=RATE, warmup_steps=warmup)
    model.compile(keras.optimizers.Adam(rate), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(pictures * np.float32(SCALE), classes, batch_size=BATCH, epochs=epochs, verbose=0)
    return model
