"""The command on a model that has learnt to read digits: the pictures must show why."""

import json

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image
from sklearn.datasets import load_digits

from deepdebug.cli.main import app
from deepdebug.lrp import COMPOSITES

pytestmark = pytest.mark.slow
SIDE = 28
INSIDE = np.pad(np.ones((SIDE - 6, SIDE - 6), bool), 3)


def enlarged(digits):
    """Return digits of 8 x 8 as smooth white strokes on black, 28 x 28, with a black border."""
    found = np.zeros((len(digits), SIDE, SIDE), "uint8")
    for number, digit in enumerate(digits):
        image = Image.fromarray((digit / 16 * 255).astype("uint8")).resize((20, 20), Image.Resampling.BICUBIC)
        found[number, 4:-4, 4:-4] = np.asarray(image)
    return found


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with a trained model and the sevens that it was not trained on."""
    folder = tmp_path_factory.mktemp("digits")
    digits = load_digits()
    x = enlarged(digits.images)
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 1)),
            layers.Conv2D(8, 5, strides=2, activation="relu"),
            layers.Conv2D(16, 3, activation="relu", name="second"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy")
    model.fit(x[:1400, ..., None] / 255, digits.target[:1400], epochs=8, verbose=0)
    model.save(folder / "m.keras")
    np.save(folder / "sevens.npy", x[1400:][digits.target[1400:] == 7][:20])
    return folder


@pytest.mark.parametrize("composite", COMPOSITES)
def test_heatmap_of_a_seven_lights_its_strokes_and_not_the_border(trained, runner, composite):
    sevens = np.load(trained / "sevens.npy")
    out = trained / composite
    arguments = ["lrp", str(trained / "m.keras"), str(trained / "sevens.npy"), "--out", str(out), "--layer", "second"]
    result = runner.invoke(app, [*arguments, "--composite", composite])
    assert result.exit_code == 0, result.output
    rows = json.loads((out / "index.json").read_text(encoding="utf-8"))["images"]
    assert np.mean([row["predicted"] == 7 for row in rows]) >= 0.9
    size = np.abs(np.load(out / "relevance" / "input.npy")[..., 0])
    colour = np.array([coloured(out / row["pictures"]["input"]) for row in rows])
    for shown, least, most in ((size, 0.8, 0.05), (colour, 0.7, 0.1)):  # weak relevance is coloured more than its share
        total = shown.sum(axis=(1, 2))
        on_strokes = (shown * near(sevens > 64)).sum(axis=(1, 2)) / total
        at_border = (shown * ~INSIDE).sum(axis=(1, 2)) / total
        assert np.median(on_strokes) > least
        assert np.median(at_border) < most
        if composite != "preset-b":  # it counts the whole bias twice, so that it may divide by nearly nothing
            assert on_strokes.min() > least - 0.1
            assert at_border.max() < most + 0.1


def near(strokes):
    """Return the strokes of each image and the pixels beside them."""
    wide = np.pad(strokes, ((0, 0), (1, 1), (1, 1)))
    moved = [np.roll(wide, shift, axis) for shift in (-1, 0, 1) for axis in (1, 2)]
    return np.any(moved, axis=0)[:, 1:-1, 1:-1]


def coloured(path):
    """Return how much colour each pixel of the image has in its picture."""
    picture = np.asarray(Image.open(path)).astype(int)
    factor = picture.shape[0] // SIDE
    small = picture[::factor, ::factor]
    return small.max(axis=2) - small.min(axis=2)
