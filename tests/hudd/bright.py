"""A case that can be read by eye: a network that says how bright the left half is, and images with two planted causes.

Class "dark" is right for images whose left half is below 0.5. A bright stripe at the top or at the bottom, which says
nothing about the class, misleads the network; it fails on these images, and on no others.
"""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
from keras import layers
from PIL import Image

SIZE = 12
CAUSES = ("none", "top", "bottom")


def model() -> keras.Model:
    """Return the network, whose weights are set by hand: it compares the mean brightness of all pixels with 0.3."""
    keras.utils.set_random_seed(0)
    net = keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 1)),
            layers.Conv2D(2, 3, padding="same", activation="relu", name="conv1"),
            layers.Conv2D(2, 3, padding="same", activation="relu", name="conv2"),
            layers.GlobalAveragePooling2D(name="pool"),
            layers.Dense(2, name="dense"),
        ],
        name="bright",
    )
    for name in ("conv1", "conv2"):
        kernel, bias = net.get_layer(name).get_weights()
        kernel[:] = 0.0
        kernel[1, 1] = np.eye(kernel.shape[2], 2)  # each pixel as it is
        net.get_layer(name).set_weights([kernel, bias])
    net.get_layer("dense").set_weights([np.array([[-10.0, 10.0], [0, 0]]), np.array([3.0, -3.0])])
    return net


def images(count: int = 60, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return images of shape (count, 12, 12, 1) from 0 to 1, their classes, and the number of the cause of each."""
    random = np.random.default_rng(seed)
    cause = np.arange(count) % 3
    label = np.where(cause == 0, np.arange(count) // 3 % 2, 0)
    x = 0.05 + 0.1 * random.random((count, SIZE, SIZE, 1))
    x[label == 1] += 0.6
    x[cause == 1, :5] = 0.9
    x[cause == 2, -5:] = 0.9
    return np.rint(x * 255).astype("float32") / np.float32(255), label, cause


def write_case(folder: Path, count: int = 60, parts: tuple[str, ...] = ("TrainingSet", "TestSet")) -> Path:
    """Write the images and the network as a case."""
    for place, part in enumerate(parts):
        x, label, cause = images(count, place)
        rows = ["image,stripe,number"]
        for number, (pixels, right, why) in enumerate(zip(x, label, cause, strict=True)):
            name = f"{('dark', 'light')[right]}/{number:03d}.png"
            path = folder / "DataSets" / part / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.rint(pixels[..., 0] * 255).astype("uint8")).save(path)
            rows.append(f"{name},{why},{number}")
        (folder / "DataSets" / part / "parameters.csv").write_text("\n".join(rows) + "\n")
    (folder / "DNNModels").mkdir(parents=True)
    model().save(folder / "DNNModels" / "bright.keras")
    (folder / "case.toml").write_text('[case]\nname = "Stripes"\n')
    return folder
