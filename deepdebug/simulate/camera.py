"""What the camera does to a lit picture: blur, the marked corner, noise, clipping."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from deepdebug.simulate.drawing import UNITS, each
from deepdebug.simulate.parameters import Parameters
from deepdebug.simulate.randomness import pixel_noise

Floats = npt.NDArray[np.floating]

BLACK = 0.025  # light below which the camera sees nothing
LIFT = 0.35  # share of the curve that lifts what is dark
PATCH = 3  # pixels of a picture of 64


def expose(canvas: Floats, parameters: Parameters) -> Floats:
    """Return what the camera records: shape `(N, H, W, channels)`, from 0 to 1.

    Args:
        canvas: Shape `(channels, N, H, W)`.
        parameters: Of the pictures.
    """
    channels, count, height, width = canvas.shape
    lens = _blurring(parameters.blur_sigma, width)
    noise = pixel_noise(parameters.noise_key, height * width * channels).reshape(count, channels, height, width)
    noise *= parameters.noise_sigma[:, None, None, None]
    recorded = np.empty((count, height, width, channels), np.float32)
    side = max(1, round(PATCH * width / UNITS))
    for number, channel in enumerate(canvas):
        blurred = lens @ channel @ lens.transpose(0, 2, 1)
        _develop(blurred)
        corner = blurred[:, :side, :side]
        corner += each(parameters.patch) * (1.0 - corner)
        blurred += noise[:, number]
        np.clip(blurred, 0.0, 1.0, out=recorded[..., number])
    return recorded


def _develop(light: Floats) -> None:
    """Turn light into brightness, in place: nothing below `BLACK`, then a curve that lifts what is dark, as eyes do."""
    light -= BLACK
    np.maximum(light, 0.0, out=light)
    lifted = np.sqrt(light)
    lifted *= LIFT
    light *= 1 - LIFT
    light += lifted


def as_bytes(pictures: Floats) -> npt.NDArray[np.uint8]:
    """Return the pictures as they are stored, 0 to 255."""
    return np.asarray(np.rint(pictures * 255.0), dtype=np.uint8)


def _blurring(sigma: Floats, width: int) -> Floats:
    """Return per picture the matrix that blurs its columns; no light is lost at the border. Shape `(N, W, W)`."""
    pixel = np.arange(width, dtype=np.float32) * (UNITS / width)
    apart = np.square(pixel[:, None] - pixel[None, :])
    weights = np.exp(apart * (-0.5 / np.square(np.maximum(each(sigma), 0.05))))
    return np.asarray(weights / weights.sum(axis=2, keepdims=True), dtype=np.float32)
