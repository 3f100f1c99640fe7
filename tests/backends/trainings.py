"""Small trainings of every kind, run with or without the callback under test."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import pytest

BACKEND = keras.config.backend()
ROWS, BATCH, CLASSES = 320, 32, 3
X = np.random.RandomState(0).normal(size=(ROWS, 8)).astype("float32")
Y = np.random.RandomState(1).randint(0, CLASSES, ROWS)
STEPS = ROWS // BATCH


@dataclass(frozen=True)
class Outcome:
    """Everything that a training leaves behind."""

    weights: list[bytes]
    history: dict[str, list[float]]
    random_states: list[Any]


@dataclass(frozen=True)
class Data:
    """Arguments of `fit`."""

    arguments: tuple[Any, ...]
    named: dict[str, Any]


# --- data -----------------------------------------------------------------------------------------------------------


class AugmentedBatches(keras.utils.PyDataset):
    """Batches with noise from numpy's global generator, as users write them."""

    def __len__(self) -> int:
        return STEPS

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        rows = slice(index * BATCH, (index + 1) * BATCH)
        return X[rows] + np.random.normal(0, 0.1, (BATCH, 8)).astype("float32"), Y[rows]


def endless_batches() -> Iterator[tuple[Any, Any]]:
    while True:
        for start in range(0, ROWS, BATCH):
            noise = np.random.normal(0, 0.1, (BATCH, 8)).astype("float32")
            yield X[start : start + BATCH] + noise, Y[start : start + BATCH]


def shuffled_pipeline() -> Any:
    tf = pytest.importorskip("tensorflow")

    def jitter(x: Any, y: Any) -> tuple[Any, Any]:
        return x + tf.random.normal(tf.shape(x), stddev=0.1), y

    return tf.data.Dataset.from_tensor_slices((X, Y)).shuffle(ROWS, seed=3).map(jitter).batch(BATCH)


def shuffled_loader() -> Any:
    data = pytest.importorskip("torch.utils.data")
    import torch

    return data.DataLoader(data.TensorDataset(torch.tensor(X), torch.tensor(Y)), batch_size=BATCH, shuffle=True)


DATA: dict[str, Callable[[], Data]] = {
    "arrays": lambda: Data((X, Y), {"batch_size": BATCH}),
    "validation_split": lambda: Data((X, Y), {"batch_size": BATCH, "validation_split": 0.2}),
    "list": lambda: Data(([X[:, :4], X[:, 4:]], Y), {"batch_size": BATCH}),
    "dict": lambda: Data(({"left": X[:, :4], "right": X[:, 4:]}, Y), {"batch_size": BATCH}),
    "tf.data": lambda: Data((shuffled_pipeline(),), {"validation_data": shuffled_pipeline(), "shuffle": False}),
    "PyDataset": lambda: Data((AugmentedBatches(),), {"validation_data": (X[:64], Y[:64])}),
    "generator": lambda: Data((endless_batches(),), {"steps_per_epoch": STEPS, "shuffle": False}),
    "DataLoader": lambda: Data((shuffled_loader(),), {"shuffle": False}),
}

# --- models ---------------------------------------------------------------------------------------------------------


def mlp() -> keras.Model:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8,)), layers.Dense(16, "relu"), layers.BatchNormalization(), layers.Dropout(0.3),
            layers.Dense(CLASSES, "softmax"),
        ]
    )  # fmt: skip


def two_inputs() -> keras.Model:
    left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    hidden = keras.layers.Dense(16, "relu")(keras.layers.Concatenate()([left, right]))
    hidden = keras.layers.Dropout(0.3)(keras.layers.BatchNormalization()(hidden))
    return keras.Model([left, right], keras.layers.Dense(CLASSES, "softmax")(hidden))


def two_named_inputs() -> keras.Model:
    model = two_inputs()
    return keras.Model(dict(zip(("left", "right"), model.inputs, strict=True)), model.outputs[0])


class Block(keras.layers.Layer):
    """A layer with layers inside, one of them called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.wide = keras.layers.Dense(8, "relu")
        self.normalize = keras.layers.BatchNormalization()
        self.drop = keras.layers.Dropout(0.2)

    def build(self, shape: tuple[int, ...]) -> None:
        self.wide.build(shape)
        self.normalize.build(shape)

    def call(self, x: Any, training: bool | None = None) -> Any:
        x = self.drop(self.normalize(self.wide(x), training=training), training=training)
        return x + self.wide(x)


class Subclassed(keras.Model):
    """A model written with `call`, with a nested layer that is called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.block = Block()
        self.head = keras.layers.Dense(CLASSES, "softmax")

    def call(self, x: Any, training: bool | None = None) -> Any:
        return self.head(self.block(self.block(x, training=training), training=training))


def lstm() -> keras.Model:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8,)), layers.Reshape((4, 2)), layers.Bidirectional(layers.LSTM(4, return_sequences=True)),
            layers.LSTM(4, dropout=0.2), layers.Dense(CLASSES, "softmax"),
        ]
    )  # fmt: skip


def half_precision() -> keras.Model:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8,)), layers.Dense(16, "relu", dtype="mixed_float16"),
            layers.BatchNormalization(dtype="mixed_float16"), layers.Dropout(0.3, dtype="mixed_float16"),
            layers.Dense(CLASSES, "softmax", dtype="float32"),
        ]
    )  # fmt: skip


class Noise(keras.layers.Layer):
    """A layer that draws in inference too: from Keras, and from Python and numpy as user code may."""

    def __init__(self) -> None:
        super().__init__()
        self.seeds = keras.random.SeedGenerator(7)

    def call(self, x: Any) -> Any:
        drawn = random.random() + np.random.rand()  # noqa: S311
        return x + 0.01 * keras.random.normal(keras.ops.shape(x), seed=self.seeds) + 1e-3 * drawn


def noisy() -> keras.Model:
    return keras.Sequential([keras.Input((8,)), Noise(), keras.layers.Dense(CLASSES, "softmax")])


def convolutional() -> keras.Model:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8,)), layers.Reshape((4, 2, 1)), layers.Conv2D(4, 2, padding="same"),
            layers.BatchNormalization(), layers.ReLU(), layers.SpatialDropout2D(0.2), layers.GlobalAveragePooling2D(),
            layers.Dense(CLASSES, "softmax"),
        ]
    )  # fmt: skip


def torch_module(normalize: bool = False) -> keras.Model:
    """A model whose body is a torch module with state of its own, written as in Keras's documentation."""
    from torch import nn

    class Wrapped(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            body = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, CLASSES), nn.Softmax(1))
            self.body = keras.layers.TorchModuleWrapper(body)
            self.normalize = keras.layers.BatchNormalization() if normalize else None

        def call(self, x: Any) -> Any:
            return self.body(x if self.normalize is None else self.normalize(x))

    model = Wrapped()
    model(X[:BATCH])  # built by symbols, Keras would leave the buffers of the module uninitialised
    return model


def torch_module_behind_keras() -> keras.Model:
    return torch_module(normalize=True)


MODEL_FOR = {"list": two_inputs, "dict": two_named_inputs}

# --- training -------------------------------------------------------------------------------------------------------


def train(
    kind: str = "arrays",
    build: Callable[[], keras.Model] | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    *,
    fits: int = 1,
    scope: contextlib.AbstractContextManager[Any] | None = None,
    optimizer: str = "adam",
    **compiled: Any,
) -> Outcome:
    """Train a model from a fixed seed and return what the training left behind."""
    keras.utils.set_random_seed(0)  # Python, numpy and the backend, torch only where it is the backend
    if kind == "DataLoader":
        import torch

        torch.manual_seed(0)
    with scope or contextlib.nullcontext():
        model = (build or MODEL_FOR.get(kind, mlp))()
        model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"], **compiled)
    history: dict[str, list[float]] = {}
    for number in range(fits):
        data = DATA[kind]()
        recorded = model.fit(*data.arguments, epochs=2, verbose=0, callbacks=list(callbacks), **data.named).history
        history |= {f"{name} {number}": values for name, values in recorded.items() if name != "deepdebug_findings"}
    weights = [np.asarray(weight).tobytes() for weight in model.get_weights()]
    if BACKEND == "torch":  # what torch modules keep beside their parameters
        weights += [buffer.detach().cpu().numpy().tobytes() for buffer in model.buffers()]
    return Outcome(weights, history, _random_states(draws_ahead=kind == "generator" and BACKEND == "tensorflow"))


def _random_states(draws_ahead: bool) -> list[Any]:
    """Return what each generator draws next, but for those from which a thread draws ahead of time, as it happens."""
    drawn = [] if draws_ahead else [random.random(), np.random.rand()]  # noqa: S311
    drawn.append(float(keras.random.uniform(())))
    if BACKEND == "torch":
        import torch

        drawn.append(torch.rand(()).item())
    if BACKEND == "tensorflow":
        import tensorflow as tf

        drawn.append(float(tf.random.uniform(())))
    return drawn
