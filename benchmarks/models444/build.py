"""Turns a row of the manifest into a compiled Keras model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import layers

from benchmarks.models444.manifest import Row, architectures

LAYERS = {
    one.__name__: one
    for one in (
        layers.Activation,
        layers.BatchNormalization,
        layers.Conv2D,
        layers.Dense,
        layers.Dropout,
        layers.Flatten,
        layers.MaxPooling2D,
        layers.Rescaling,
        layers.Reshape,
    )
}
OPTIMIZERS = {
    one.__name__: one
    for one in (
        keras.optimizers.Adadelta,
        keras.optimizers.Adagrad,
        keras.optimizers.Adam,
        keras.optimizers.RMSprop,
        keras.optimizers.SGD,
    )
}


def build(row: Row) -> keras.Model:
    """Return the compiled model of a row; seed Keras before, for its weights are drawn.

    Args:
        row: The row.

    Raises:
        ValueError: When the row names an architecture, layer or optimizer that is not known.
    """
    model = stack(_known(architectures(), row.architecture, "architecture"))
    rate: Any = row.learning_rate
    if row.decay:
        rate = keras.optimizers.schedules.InverseTimeDecay(rate, decay_steps=1, decay_rate=row.decay)
    optimizer = _known(OPTIMIZERS, row.optimizer, "optimizer")(rate, **row.optimizer_options)
    model.compile(optimizer, row.loss, metrics=list(row.metrics))
    return model


def stack(architecture: Mapping[str, Any]) -> keras.Model:
    """Return a sequential model that is not compiled; names of layers end with their places.

    Args:
        architecture: The shape of a row under "input", and pairs of class and arguments under "layers".

    Raises:
        ValueError: When a layer is not known.
    """
    found = [
        _known(LAYERS, name, "layer")(**dict(*arguments), name=f"{name.lower()}_{place}")
        for place, (name, *arguments) in enumerate(architecture["layers"])
    ]
    return keras.Sequential([keras.Input(tuple(architecture["input"])), *found])


def _known(table: Mapping[str, Any], name: str, what: str) -> Any:
    if name not in table:
        raise ValueError(f"there is no {what} {name!r}; known: {', '.join(sorted(table))}")
    return table[name]
