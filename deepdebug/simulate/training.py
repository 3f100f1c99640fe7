"""The small convolutional network of a case."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from deepdebug.errors import UsageError
from deepdebug.simulate.cases import Array, Case

Pictures = npt.NDArray[np.uint8]

SCALE = np.float32(1 / 255)
BATCH = 32
RATE = 2e-3
WARMUP = 100  # steps over which the rate rises; without, some seeds end with dead units
MIDDLE = 32.0  # of a picture, in pixels: landmarks are learnt as positions from -1 to 1 about it


def build(case: Case, channels: int, size: int = 64) -> keras.Model:
    """Build the network: four convolutions and two dense layers, ending in one logit per class or in 54 positions."""
    layers = keras.layers
    return keras.Sequential(
        [  # all are named, for the names that Keras gives count the layers made before
            keras.Input((size, size, channels), name="pictures"),
            layers.Conv2D(16, 5, strides=2, padding="same", activation="relu", name="conv1"),
            layers.MaxPooling2D(name="pool1"),
            layers.Conv2D(32, 3, padding="same", activation="relu", name="conv2"),
            layers.MaxPooling2D(name="pool2"),
            layers.Conv2D(48, 3, padding="same", activation="relu", name="conv3"),
            layers.Conv2D(64, 3, padding="same", activation="relu", name="conv4"),
            layers.MaxPooling2D(name="pool4"),
            layers.Flatten(name="flatten"),
            layers.Dense(64, activation="relu", name="hidden"),
            layers.Dense(len(case.classes) or 54, name="scores" if case.classes else "landmarks"),
        ],
        name=case.name,
    )


def train(
    case: Case,
    pictures: Pictures,
    targets: Array,
    *,
    seed: int,
    epochs: int,
    on_epoch: Callable[[int], None] = lambda _: None,
) -> keras.Model:
    """Train the network of a case.

    Args:
        case: The case.
        pictures: As stored, shape `(N, 64, 64, channels)`.
        targets: What is right.
        seed: From 0 to 2**32 - 1; decides initial weights and order of the pictures.
        epochs: How often all pictures are shown.
        on_epoch: Is told the number of epochs done. Defaults to nothing.
    """
    keras.utils.set_random_seed(seed)
    model = build(case, pictures.shape[-1], pictures.shape[1])
    model.compile(keras.optimizers.Adam(_rate(epochs * len(pictures) // BATCH)), _loss(case))
    told = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: on_epoch(epoch + 1))
    wanted = targets if case.classes else (targets - MIDDLE) / MIDDLE
    model.fit(pictures * SCALE, wanted, batch_size=BATCH, epochs=epochs, verbose=0, callbacks=[told])
    if not case.classes:
        _in_pixels(model.layers[-1])
    model.compile(keras.optimizers.Adam(name="adam"), _loss(case), metrics=["accuracy"] if case.classes else ["mae"])
    model.optimizer.build(model.trainable_variables)  # else Keras warns when the file is read
    return model


def _rate(steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    warmup = min(WARMUP, steps)
    return keras.optimizers.schedules.CosineDecay(
        RATE / 20, max(1, steps - warmup), warmup_target=RATE, warmup_steps=warmup
    )


def _loss(case: Case) -> Any:
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True) if case.classes else "mse"


def load(path: Path) -> keras.Model:
    """Read a model back.

    Raises:
        UsageError: When the file holds none.
    """
    try:
        return keras.models.load_model(path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"The model {str(path)!r} cannot be read: {error}. Remove the file and run the same command again, which "
            "trains it anew."
        ) from error


def predictor(model: keras.Model) -> Callable[[Pictures], npt.NDArray[np.floating]]:
    """Return the model as a function of pictures as they are stored."""

    def predict(pictures: Pictures) -> npt.NDArray[np.floating]:
        return np.asarray(model.predict(pictures * SCALE, batch_size=256, verbose=0))

    return predict


def _in_pixels(last: keras.layers.Layer) -> None:
    """Let the last layer give pixels, without another layer after it."""
    kernel, bias = last.get_weights()
    last.set_weights([kernel * MIDDLE, bias * MIDDLE + MIDDLE])
