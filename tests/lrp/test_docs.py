"""The programs in the documentation run as they stand."""

import re
from pathlib import Path

import keras
import numpy as np

PAGE = Path(__file__).parents[2] / "docs" / "relevance.md"


class MyLayer(keras.layers.Layer):
    def call(self, x):
        return 2 * x


def test_every_program_on_the_page_runs():
    images = np.random.default_rng(0).random((2, 8, 8, 1), dtype="float32")
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(2, 3, activation="relu", name="stem"),
            keras.layers.DepthwiseConv2D(3, activation="relu"),
            keras.layers.Conv2D(2, 3, activation="relu", name="conv2d_1"),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    programs = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(programs) == 3
    names = {"model": model, "images": images, "batches": [images], "MyLayer": MyLayer}
    for program in programs:
        exec(compile(program, str(PAGE), "exec"), names)  # noqa: S102 - our own documentation
    assert names["found"].inputs[0].shape == images.shape
