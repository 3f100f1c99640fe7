"""Dense models on tables."""

from __future__ import annotations

import keras
from keras import layers

from benchmarks.healthy import data
from benchmarks.healthy.family import (
    Training,
    accuracy,
    balanced_accuracy,
    explained,
    f1,
    family,
    sequential,
    training,
)


@family(explained, usual=0.15)
def linear_regression(seed: int) -> Training:
    """One unit without activation, plain gradient descent; ordinary least squares explains 0.33 to 0.44."""
    model = sequential((10,), layers.Dense(1))
    model.compile(keras.optimizers.SGD(0.01), "mse", metrics=["mae"])
    return training(model, data.diabetes(seed), epochs=40)


@family(accuracy, usual=0.92)
def logistic_regression(seed: int) -> Training:
    """One sigmoid unit."""
    model = sequential((30,), layers.Dense(1, "sigmoid"))
    model.compile(keras.optimizers.SGD(0.1), "binary_crossentropy", metrics=["accuracy"])
    return training(model, data.breast_cancer(seed), epochs=30, batch_size=16)


@family(accuracy, usual=0.9)
def softmax_regression(seed: int) -> Training:
    """One softmax layer on a small table."""
    model = sequential((13,), layers.Dense(3, "softmax"))
    model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return training(model, data.wine(seed), epochs=30, batch_size=16)


@family(accuracy, usual=0.94)
def mlp(seed: int) -> Training:
    """The usual two hidden layers with relu and Adam."""
    model = sequential((64,), layers.Dense(64, "relu"), layers.Dense(32, "relu"), layers.Dense(10, "softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return training(model, data.digits(seed), epochs=15)


@family(accuracy, usual=0.92)
def binary_mlp(seed: int) -> Training:
    """Two classes that no line separates, few features."""
    model = sequential((2,), layers.Dense(16, "relu"), layers.Dense(16, "relu"), layers.Dense(1, "sigmoid"))
    model.compile(keras.optimizers.Adam(0.005), "binary_crossentropy", metrics=["accuracy"])
    return training(model, data.moons(seed), epochs=20)


@family(accuracy, usual=0.94)
def logits_mlp(seed: int) -> Training:
    """No activation in the last layer and `from_logits=True`."""
    model = sequential((64,), layers.Dense(64, "relu"), layers.Dense(10))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.003), loss, metrics=["accuracy"])
    return training(model, data.digits(seed), epochs=12)


@family(explained, usual=0.85)
def regression_mlp(seed: int) -> Training:
    """A smooth function of ten features."""
    model = sequential((10,), layers.Dense(64, "relu"), layers.Dense(64, "relu"), layers.Dense(1))
    model.compile(keras.optimizers.Adam(0.002), "mse", metrics=["mae"])
    return training(model, data.friedman(seed), epochs=15)


@family(explained, usual=0.85)
def huber_regression(seed: int) -> Training:
    """A robust regression with elu."""
    model = sequential((10,), layers.Dense(64, "elu"), layers.Dense(32, "elu"), layers.Dense(1))
    model.compile(keras.optimizers.Adam(0.005), keras.losses.Huber(), metrics=["mae"])
    return training(model, data.friedman(seed), epochs=15)


@family(explained, usual=0.3)
def count_regression(seed: int) -> Training:
    """Poisson regression with an exponential output."""
    model = sequential((6,), layers.Dense(32, "relu"), layers.Dense(1, "exponential"))
    model.compile(keras.optimizers.Adam(0.005), "poisson", metrics=["mae"])
    return training(model, data.counts(seed), epochs=15)


@family(f1, usual=0.9)
def multi_label(seed: int) -> Training:
    """Four yes-or-no labels per row."""
    model = sequential((64,), layers.Dense(64, "relu"), layers.Dense(4, "sigmoid"))
    model.compile(keras.optimizers.Adam(0.003), "binary_crossentropy", metrics=["binary_accuracy"])
    return training(model, data.digit_properties(seed), epochs=15)


@family(accuracy, usual=0.68)
def noisy_logistic(seed: int) -> Training:
    """Logistic regression on a task of which little can be known, long after it has come to rest."""
    model = sequential((12,), layers.Dense(1, "sigmoid"))
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    return training(model, data.noisy_classes(seed), epochs=20, batch_size=64)


@family(accuracy, usual=0.74)
def noisy_mlp(seed: int) -> Training:
    """A network on the same task, with dropout, stopped early."""
    model = sequential(
        (12,), layers.Dense(32, "relu"), layers.Dropout(0.2), layers.Dense(16, "relu"), layers.Dense(1, "sigmoid")
    )
    model.compile(keras.optimizers.Adam(0.003), "binary_crossentropy", metrics=["accuracy"])
    stop = keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True)
    return training(model, data.noisy_classes(seed), epochs=30, batch_size=64, callbacks=[stop])


@family(balanced_accuracy, usual=0.8)
def imbalanced(seed: int) -> Training:
    """One row of 21 belongs to the rare class, which the model learns all the same."""
    model = sequential((20,), layers.Dense(64, "relu"), layers.Dense(32, "relu"), layers.Dense(1, "sigmoid"))
    model.compile(keras.optimizers.Adam(0.003), "binary_crossentropy", metrics=["accuracy", "auc"])
    return training(model, data.rare_class(seed), epochs=12)


@family(balanced_accuracy, usual=0.7)
def rare_one_in_fifty(seed: int) -> Training:
    """One row of 51 belongs to the rare class."""
    model = sequential((20,), layers.Dense(64, "relu"), layers.Dense(32, "relu"), layers.Dense(1, "sigmoid"))
    model.compile(keras.optimizers.Adam(0.003), "binary_crossentropy", metrics=["accuracy", "auc"])
    return training(model, data.rare_class(seed, times=50, count=8000), epochs=12)


@family(accuracy, usual=0.94)
def decayed_weights(seed: int) -> Training:
    """Gelu and AdamW, whose weights decay."""
    model = sequential((64,), layers.Dense(64, "gelu"), layers.Dense(64, "gelu"), layers.Dense(10, "softmax"))
    model.compile(
        keras.optimizers.AdamW(0.003, weight_decay=0.01), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return training(model, data.digits(seed), epochs=12)


@family(balanced_accuracy, usual=0.85)
def class_weighted(seed: int) -> Training:
    """The same with `class_weight`."""
    model = sequential((20,), layers.Dense(64, "relu"), layers.Dense(1, "sigmoid"))
    model.compile(keras.optimizers.Adam(0.003), "binary_crossentropy", metrics=["accuracy"])
    return training(model, data.rare_class(seed), epochs=12, class_weight={0: 1.0, 1: 20.0})


@family(accuracy, usual=0.94)
def batch_norm_mlp(seed: int) -> Training:
    """Dense, BatchNormalization, relu, with the momentum of short trainings."""
    model = sequential(
        (64,),
        layers.Dense(64, use_bias=False), layers.BatchNormalization(momentum=0.9), layers.ReLU(),
        layers.Dense(32, use_bias=False), layers.BatchNormalization(momentum=0.9), layers.ReLU(),
        layers.Dense(10, "softmax"),
    )  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return training(model, data.digits(seed), epochs=15)


@family(accuracy, usual=0.94)
def dropout_mlp(seed: int) -> Training:
    """Half of the units dropped in each hidden layer."""
    model = sequential(
        (64,),
        layers.Dense(128, "relu"), layers.Dropout(0.5),
        layers.Dense(128, "relu"), layers.Dropout(0.5),
        layers.Dense(10, "softmax"),
    )  # fmt: skip
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return training(model, data.digits(seed), epochs=20)


@family(accuracy, usual=0.94)
def layer_norm_mlp(seed: int) -> Training:
    """Gelu and LayerNormalization with AdamW."""
    model = sequential(
        (64,),
        layers.Dense(64, "gelu"), layers.LayerNormalization(),
        layers.Dense(64, "gelu"), layers.LayerNormalization(),
        layers.Dense(10, "softmax"),
    )  # fmt: skip
    model.compile(
        keras.optimizers.AdamW(0.002, weight_decay=0.01), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return training(model, data.digits(seed), epochs=12)


@family(accuracy, usual=0.94)
def selu_mlp(seed: int) -> Training:
    """A self-normalising network of four layers."""
    hidden = [layers.Dense(32, "selu", kernel_initializer="lecun_normal") for _ in range(4)]
    model = sequential((30,), *hidden, layers.Dense(1, "sigmoid"))
    model.compile(keras.optimizers.SGD(0.02), "binary_crossentropy", metrics=["accuracy"])
    return training(model, data.breast_cancer(seed), epochs=15, batch_size=16)


@family(accuracy, usual=0.95)
def tanh_mlp(seed: int) -> Training:
    """Tanh in both hidden layers, on two rings."""
    model = sequential((2,), layers.Dense(16, "tanh"), layers.Dense(16, "tanh"), layers.Dense(1, "sigmoid"))
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    return training(model, data.circles(seed), epochs=15)


@family(accuracy, usual=0.92)
def sigmoid_mlp(seed: int) -> Training:
    """The network of the textbooks: one hidden layer of sigmoids, trained with momentum and one-hot labels."""
    model = sequential((64,), layers.Dense(32, "sigmoid"), layers.Dense(10, "softmax"))
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "categorical_crossentropy", metrics=["accuracy"])
    rows = data.digits(seed)
    one_hot = [keras.utils.to_categorical(y, 10) for y in (rows.y, rows.y_test)]
    return training(model, data.Split(rows.x, one_hot[0], rows.x_test, one_hot[1]), epochs=18)


@family(accuracy, usual=0.94)
def l2_mlp(seed: int) -> Training:
    """Weight decay as a penalty in the loss."""
    decay = keras.regularizers.L2(1e-3)
    model = sequential(
        (64,), layers.Dense(64, "relu", kernel_regularizer=decay), layers.Dense(10, "softmax", kernel_regularizer=decay)
    )
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return training(model, data.digits(seed), epochs=15)


@family(accuracy, usual=0.9)
def deep_mlp(seed: int) -> Training:
    """Eight relu layers with He initialisation."""
    hidden = [layers.Dense(48, "relu", kernel_initializer="he_normal") for _ in range(8)]
    model = sequential((64,), *hidden, layers.Dense(10, "softmax"))
    model.compile(keras.optimizers.Adam(0.001), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return training(model, data.digits(seed), epochs=15)


@family(accuracy, usual=0.92)
def normalization_layer(seed: int) -> Training:
    """Raw features of very different size, scaled by an adapted Normalization layer inside the model."""
    rows = data.raw_breast_cancer(seed)
    scale = layers.Normalization()
    scale.adapt(rows.x)
    model = sequential((30,), scale, layers.Dense(32, "relu"), layers.Dense(1, "sigmoid"))
    model.compile(keras.optimizers.Adam(0.003), "binary_crossentropy", metrics=["accuracy"])
    return training(model, rows, epochs=15, batch_size=16)


@family(explained, usual=0.8)
def wide_and_deep(seed: int) -> Training:
    """A linear path beside a deep one, joined before the output."""
    inputs = keras.Input((10,))
    deep = layers.Dense(32, "relu")(layers.Dense(64, "relu")(inputs))
    model = keras.Model(inputs, layers.Dense(1)(layers.Concatenate()([inputs, deep])))
    model.compile(keras.optimizers.RMSprop(0.002), "mse", metrics=["mae"])
    return training(model, data.friedman(seed), epochs=12)


@family(explained, usual=0.6)
def autoencoder(seed: int) -> Training:
    """64 pixels through 16 numbers and back."""
    model = sequential(
        (64,),
        layers.Dense(48, "relu"), layers.Dense(16, "relu", name="code"),
        layers.Dense(48, "relu"), layers.Dense(64, "sigmoid"),
    )  # fmt: skip
    model.compile(keras.optimizers.Adam(0.003), "mse")
    rows = data.digits(seed)
    return training(model, data.Split(rows.x, rows.x, rows.x_test, rows.x_test), epochs=20)


@family(accuracy, usual=0.88)
def two_inputs(seed: int) -> Training:
    """Two digits through one shared tower; which is larger."""
    first, second = keras.Input((64,), name="first"), keras.Input((64,), name="second")
    tower = keras.Sequential([layers.Dense(64, "relu"), layers.Dense(32, "relu")], name="tower")
    joined = layers.Concatenate()([tower(first), tower(second)])
    model = keras.Model([first, second], layers.Dense(1, "sigmoid")(layers.Dense(32, "relu")(joined)))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    return training(model, data.digit_pairs(seed), epochs=12)
