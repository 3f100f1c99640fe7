"""Ways to train: schedules, early stopping, transfer, number formats and data sources."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers

from benchmarks.healthy import data
from benchmarks.healthy.family import Training, accuracy, explained, family, first_accuracy, sequential, training


def _digit_mlp() -> keras.Model:
    return sequential((64,), layers.Dense(64, "relu"), layers.Dense(64, "relu"), layers.Dense(10, "softmax"))


@family(accuracy, usual=0.94)
def warmup_cosine(seed: int) -> Training:
    """A learning rate that is warmed up and then falls to 0 along a cosine."""
    schedule = keras.optimizers.schedules.CosineDecay(0.0, 45 * 13, warmup_target=0.003, warmup_steps=45 * 2)
    model = _digit_mlp()
    model.compile(keras.optimizers.Adam(schedule), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return training(model, data.digits(seed), epochs=15)


@family(accuracy, usual=0.94)
def reduced_on_plateau(seed: int) -> Training:
    """A learning rate that is divided whenever the validation loss stands still."""
    model = _digit_mlp()
    model.compile(keras.optimizers.RMSprop(0.003), "sparse_categorical_crossentropy", metrics=["accuracy"])
    lower = keras.callbacks.ReduceLROnPlateau(factor=0.3, patience=2)
    return training(model, data.digits(seed), epochs=20, callbacks=[lower])


@family(accuracy, usual=0.92)
def early_stopped(seed: int) -> Training:
    """Stopped when the validation loss has not fallen for 5 epochs."""
    model = sequential((30,), layers.Dense(32, "relu"), layers.Dense(16, "relu"), layers.Dense(1, "sigmoid"))
    model.compile(keras.optimizers.Adam(0.005), "binary_crossentropy", metrics=["accuracy"])
    stop = keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True)
    return training(model, data.breast_cancer(seed), epochs=60, batch_size=16, callbacks=[stop])


@family(accuracy, usual=0.99)
def converged(seed: int) -> Training:
    """Trained on long after every row is right."""
    model = sequential((8,), layers.Dense(32, "relu"), layers.Dense(32, "relu"), layers.Dense(4, "softmax"))
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return training(model, data.blobs(seed), epochs=40)


@family(accuracy, usual=0.94)
def sgd_momentum(seed: int) -> Training:
    """SGD with momentum."""
    model = _digit_mlp()
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return training(model, data.digits(seed), epochs=15)


@family(explained, usual=0.8)
def large_batches(seed: int) -> Training:
    """Batches of 256 rows and a learning rate to suit them."""
    model = sequential((10,), layers.Dense(64, "relu"), layers.Dense(64, "relu"), layers.Dense(1))
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"])
    return training(model, data.friedman(seed), epochs=40, batch_size=256)


@family(accuracy, usual=0.93)
def mixed_precision(seed: int) -> Training:
    """Computed in float16 with a scaled loss, the output in float32."""
    model = sequential(
        (64,),
        layers.Dense(64, "relu", dtype="mixed_float16"), layers.Dense(64, "relu", dtype="mixed_float16"),
        layers.Dense(10, "softmax", dtype="float32"),
    )  # fmt: skip
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.002))
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return training(model, data.digits(seed), epochs=12)


def _of_classes(rows: data.Split, classes: range) -> data.Split:
    keep, keep_test = np.isin(rows.y, classes), np.isin(rows.y_test, classes)
    return data.Split(
        rows.x[keep], rows.y[keep] - classes[0], rows.x_test[keep_test], rows.y_test[keep_test] - classes[0]
    )


def _pretrained_base(rows: data.Split) -> keras.Model:
    """Return the convolutions of a model that has learned to tell the digits 0 to 4 apart."""
    base = sequential(
        (8, 8, 1),
        layers.Conv2D(32, 3, padding="same", activation="relu"), layers.MaxPooling2D(),
        layers.Conv2D(64, 3, padding="same", activation="relu"), layers.Flatten(),
    )  # fmt: skip
    model = sequential((8, 8, 1), base, layers.Dense(5, "softmax"))
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy")
    model.fit(rows.x, rows.y, epochs=8, verbose=0)
    return base


@family(accuracy, usual=0.9)
def transfer(seed: int) -> Training:
    """A new head on a frozen base that was trained on other classes."""
    rows = data.digit_images(seed)
    base = _pretrained_base(_of_classes(rows, range(5)))
    base.trainable = False
    model = sequential((8, 8, 1), base, layers.Dense(5, "softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return training(model, _of_classes(rows, range(5, 10)), epochs=15)


@family(accuracy, usual=0.93)
def fine_tuning(seed: int) -> Training:
    """A trained model trained on with a small learning rate."""
    rows = data.digits(seed)
    model = _digit_mlp()
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(rows.x, rows.y, epochs=8, verbose=0)
    model.compile(keras.optimizers.Adam(1e-4), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return training(model, rows, epochs=10)


@family(accuracy, usual=0.93)
def tf_data(seed: int) -> Training:
    """A shuffling `tf.data` pipeline with a validation pipeline."""
    import tensorflow as tf

    rows = data.digits(seed)
    pipeline = tf.data.Dataset.from_tensor_slices((rows.x, rows.y)).shuffle(1500, seed=seed).batch(32).prefetch(2)
    validation = tf.data.Dataset.from_tensor_slices((rows.x_test, rows.y_test)).batch(64)
    model = _digit_mlp()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    fit = {"epochs": 15, "validation_data": validation, "shuffle": False}  # the pipeline shuffles
    return Training(model, pipeline, None, (rows.x_test, rows.y_test), fit)


class Batches(keras.utils.PyDataset):
    """Shuffled batches that add noise to every row, made anew in every epoch."""

    def __init__(self, rows: data.Split, seed: int) -> None:
        super().__init__()
        self.rows, self.draw = rows, np.random.default_rng(seed)
        self.order = self.draw.permutation(len(rows.y))

    def __len__(self) -> int:
        return len(self.order) // 32

    def __getitem__(self, index: int) -> Any:
        chosen = self.order[32 * index : 32 * (index + 1)]
        noise = self.draw.normal(0, 0.05, (len(chosen), 64))
        return (self.rows.x[chosen] + noise).astype("float32"), self.rows.y[chosen]

    def on_epoch_end(self) -> None:
        """Shuffle."""
        self.order = self.draw.permutation(len(self.rows.y))


@family(accuracy, usual=0.93)
def py_dataset(seed: int) -> Training:
    """Augmented batches from a `PyDataset`, no validation data."""
    rows = data.digits(seed)
    model = _digit_mlp()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return Training(model, Batches(rows, seed), None, (rows.x_test, rows.y_test), {"epochs": 15})


class Sampling(layers.Layer):
    """Draws codes around the encoder's mean and adds the divergence from a standard normal to the loss."""

    def __init__(self, seed: int, weight: float) -> None:
        super().__init__()
        self.weight, self.random = weight, keras.random.SeedGenerator(seed)

    def call(self, mean: Any, log_variance: Any) -> Any:
        """Return codes."""
        divergence = keras.ops.square(mean) + keras.ops.exp(log_variance) - log_variance - 1
        self.add_loss(self.weight * keras.ops.mean(divergence) / 2)
        noise = keras.random.normal(keras.ops.shape(mean), seed=self.random)
        return mean + keras.ops.exp(log_variance / 2) * noise


@family(explained, usual=0.3)
def variational_autoencoder(seed: int) -> Training:
    """An autoencoder whose code is drawn at random and held near a normal distribution by `add_loss`."""
    inputs = keras.Input((64,))
    hidden = layers.Dense(64, "relu")(inputs)
    code = Sampling(seed, weight=0.03)(layers.Dense(8, name="mean")(hidden), layers.Dense(8, name="spread")(hidden))
    model = keras.Model(inputs, layers.Dense(64, "sigmoid")(layers.Dense(64, "relu")(code)))
    model.compile(keras.optimizers.Adam(0.003), "binary_crossentropy")
    rows = data.digits(seed)
    return training(model, data.Split(rows.x, rows.x, rows.x_test, rows.x_test), epochs=15)


class Reversal(layers.Layer):
    """Hands values on as they are, and gradients with their sign turned (Ganin and Lempitsky, ICML 2015)."""

    def call(self, values: Any) -> Any:
        """Return the values."""
        return 2 * keras.ops.stop_gradient(values) - values


@family(first_accuracy, usual=0.9)
def adversarial(seed: int) -> Training:
    """Two losses against each other: a critic looks for the background in a code that learns to hide it."""
    rows, draw = data.digits(seed), np.random.default_rng(seed)
    x, y, x_test, y_test = rows.x, rows.y, rows.x_test, rows.y_test
    is_light, is_light_test = (draw.random(len(part)) < 0.5 for part in (x, x_test))
    inputs = keras.Input((64,))
    code = layers.Dense(32, "relu")(layers.Dense(64, "relu")(inputs))
    critic = layers.Dense(1, "sigmoid", name="critic")(layers.Dense(16, "relu")(Reversal()(code)))
    model = keras.Model(inputs, [layers.Dense(10, "softmax", name="digit")(code), critic])
    model.compile(
        keras.optimizers.Adam(0.003),
        loss=["sparse_categorical_crossentropy", "binary_crossentropy"],
        loss_weights=[1.0, 0.3],
        metrics=[["accuracy"], ["accuracy"]],
    )
    split = data.Split(
        x + 0.2 * is_light[:, None].astype("float32"), [y, is_light.astype("float32")],
        x_test + 0.2 * is_light_test[:, None].astype("float32"), [y_test, is_light_test.astype("float32")],
    )  # fmt: skip
    return training(model, split, epochs=12)
