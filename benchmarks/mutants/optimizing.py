"""Faults of the optimizer, of the start and of the layers."""

from __future__ import annotations

import keras
from keras import layers
from keras.initializers import Constant, RandomNormal
from keras.optimizers import SGD, Adam

from benchmarks.healthy import data
from benchmarks.healthy.family import Training, sequential, training
from benchmarks.mutants.mutant import EPOCHS, cancer_mlp, digit_mlp, mutant, regression_mlp


@mutant("MSG3")
def rate_100_times(seed: int) -> Training:
    """Adam with a learning rate of 0.1."""
    return digit_mlp(seed, Adam(0.1))


@mutant("MSG3")
def rate_1000_times(seed: int) -> Training:
    """Adam with a learning rate of 1."""
    return digit_mlp(seed, Adam(1.0))


@mutant("MSG3")
def sgd_rate_too_high(seed: int) -> Training:
    """SGD with momentum and a learning rate of 2."""
    return digit_mlp(seed, SGD(2.0, momentum=0.9))


@mutant("MSG3")
def regression_rate_too_high(seed: int) -> Training:
    """SGD with a learning rate of 1 in a regression."""
    return regression_mlp(seed, SGD(1.0))


@mutant("MSG3")
def rate_divided_by_10000(seed: int) -> Training:
    """Adam with a learning rate of 1e-7."""
    return digit_mlp(seed, Adam(1e-7))


@mutant("MSG3")
def sgd_rate_too_low(seed: int) -> Training:
    """SGD with a learning rate of 1e-6."""
    return digit_mlp(seed, SGD(1e-6))


@mutant("MSG3")
def rate_of_zero(seed: int) -> Training:
    """A learning rate of 0."""
    return digit_mlp(seed, Adam(0.0))


@mutant("MSG3")
def lstm_rate_too_high(seed: int) -> Training:
    """An LSTM trained by Adam with a learning rate of 0.5."""
    model = sequential((8, 8), layers.LSTM(32), layers.Dense(10, "softmax"))
    model.compile(Adam(0.5), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return training(model, data.digit_sequences(seed), EPOCHS)


@mutant("MSG4")
def zero_start(seed: int) -> Training:
    """All kernels start at 0."""
    return digit_mlp(seed, hidden={"kernel_initializer": "zeros"})


@mutant("MSG4")
def constant_start(seed: int) -> Training:
    """All weights of a layer start equal."""
    return digit_mlp(seed, hidden={"kernel_initializer": Constant(0.05)})


@mutant("MSG4")
def huge_start(seed: int) -> Training:
    """Kernels that start 50 times too large."""
    return digit_mlp(seed, hidden={"kernel_initializer": RandomNormal(stddev=10.0)})


@mutant("MSG4")
def tiny_start(seed: int) -> Training:
    """Five layers whose kernels start 1000 times too small."""
    small = RandomNormal(stddev=1e-4)
    return digit_mlp(
        seed,
        SGD(0.01),
        hidden={"kernel_initializer": small},
        between=lambda: [layers.Dense(32, "relu", kernel_initializer=small) for _ in range(3)],
    )


@mutant("MSG4", "MSG2")
def dead_start(seed: int) -> Training:
    """Biases so low that no rectifier ever fires."""
    return digit_mlp(seed, hidden={"bias_initializer": Constant(-30.0)})


@mutant("MSG2", "MSG5")
def sigmoid_stack(seed: int) -> Training:
    """Ten layers of sigmoids."""
    between = [layers.Dense(32, "sigmoid") for _ in range(8)]
    return digit_mlp(seed, hidden={"activation": "sigmoid"}, between=lambda: between)


@mutant("MSG2", "MSG4", "MSG0")
def saturated_tanh(seed: int) -> Training:
    """Tanh on inputs that are 200 times too large."""
    rows = data.digits(seed)
    large = data.Split(200 * rows.x, rows.y, 200 * rows.x_test, rows.y_test)
    return digit_mlp(seed, hidden={"activation": "tanh"}, rows=large)


@mutant("MSG2")
def no_activation(seed: int) -> Training:
    """Hidden layers without activation."""
    return digit_mlp(seed, hidden={"activation": None})


@mutant("TRAIN", "CONNECT")
def all_frozen(seed: int) -> Training:
    """`trainable = False` on the whole model."""
    job = digit_mlp(seed)
    job.model.trainable = False
    job.model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return job


class Rounding(layers.Layer):
    """An operation without a gradient."""

    def call(self, inputs: object) -> object:
        """Return the inputs, rounded."""
        return keras.ops.round(inputs)


@mutant("CONNECT")
def rounded_values(seed: int) -> Training:
    """Values are rounded inside the model, which stops the gradient."""
    return digit_mlp(seed, between=lambda: [Rounding()])


@mutant("REGULARISE")
def dropout_too_strong(seed: int) -> Training:
    """Dropout of 97 %."""
    return digit_mlp(seed, between=lambda: [layers.Dropout(0.97)])


@mutant("REGULARISE")
def penalty_too_strong(seed: int) -> Training:
    """An L2 penalty of 1."""
    return digit_mlp(seed, hidden={"kernel_regularizer": keras.regularizers.L2(1.0)})


@mutant("STRUCTURE", "TRAIN")
def batch_norm_on_single_rows(seed: int) -> Training:
    """Batch normalisation with a batch size of 1."""
    return cancer_mlp(seed, between=lambda: [layers.BatchNormalization()], batch_size=1, epochs=3)


@mutant("REGULARISE", "STRUCTURE")
def dropout_on_the_output(seed: int) -> Training:
    """Dropout behind the last layer."""
    model = sequential((64,), layers.Dense(64, "relu"), layers.Dense(10, "softmax"), layers.Dropout(0.5))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return training(model, data.digits(seed), EPOCHS)


@mutant("MSG3", "TRAIN")
def gradient_clipped_away(seed: int) -> Training:
    """A clipping norm of 1e-6 with SGD."""
    return digit_mlp(seed, SGD(0.1, clipnorm=1e-6))


@mutant("MSG3")
def schedule_ends_early(seed: int) -> Training:
    """A learning rate that decays to nothing within the first epoch."""
    return digit_mlp(seed, Adam(keras.optimizers.schedules.ExponentialDecay(1e-3, 1, 0.9)))


@mutant("MSG5", "MSG2", "MSG0")
def too_small(seed: int) -> Training:
    """One hidden unit for ten classes."""
    model = sequential((64,), layers.Dense(1, "tanh"), layers.Dense(10, "softmax"))
    model.compile(Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return training(model, data.digits(seed), EPOCHS)
