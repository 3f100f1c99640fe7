"""The relevance that every backend must give, and how to write it down anew.

python -m tests.lrp.backends_agree      # on the backend of KERAS_BACKEND, after a change of meaning
"""

from pathlib import Path

import keras
import numpy as np
from keras import layers

from deepdebug.lrp import COMPOSITES, relevance

FILE = Path(__file__).parent / "golden" / "relevance.npz"
X = np.random.RandomState(5).normal(size=(3, 9, 9, 2)).astype("float32")


def model():
    """Return a model with branches, batch norm, overlapping and global pooling, and the same weights everywhere."""
    inputs = keras.Input((9, 9, 2))
    x = layers.Conv2D(4, 3, strides=2, padding="same", name="entry")(inputs)
    x = layers.ReLU(name="entry_relu")(layers.BatchNormalization(name="norm")(x))
    y = layers.DepthwiseConv2D(3, padding="same", activation="relu", name="depthwise")(x)
    x = layers.MaxPooling2D(3, 1, name="pool")(layers.Add(name="add")([x, y]))
    x = layers.Concatenate(name="both")(
        [layers.GlobalAveragePooling2D(name="mean")(x), layers.GlobalMaxPooling2D(name="max")(x)]
    )
    built = keras.Model(inputs, layers.Dense(3, activation="softmax", name="head")(x))
    random = np.random.RandomState(6)
    for variable in built.variables:
        value = 0.5 * random.normal(size=variable.shape)
        variable.assign(np.abs(value) + 0.5 if "variance" in variable.path or "gamma" in variable.path else value)
    return built


def arrays():
    """Return the relevance at every layer, for every composite, by "composite/layer"."""
    built = model()
    return {
        f"{composite}/{layer}": np.array(array)
        for composite in COMPOSITES
        for layer, array in relevance(built, X, composite=composite).items()
    }


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    np.savez_compressed(FILE, **arrays())
