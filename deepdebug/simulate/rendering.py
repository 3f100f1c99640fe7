"""From parameters to pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from deepdebug.simulate import scene_eye, scene_face
from deepdebug.simulate.camera import expose
from deepdebug.simulate.drawing import Grid, grid
from deepdebug.simulate.parameters import Parameters

Floats = npt.NDArray[np.floating]

SCENES: Mapping[str, Callable[[Parameters, Grid, int], Floats]] = {"eye": scene_eye.draw, "face": scene_face.draw}
CHANNELS = {"gray": 1, "rgb": 3}
SIZE = 64
CHUNK = 32  # pictures drawn together: their arrays stay in the processor's cache


def render(scene: str, parameters: Parameters, size: int = SIZE, colour: str = "gray") -> Floats:
    """Draw pictures.

    Args:
        scene: "eye" or "face".
        parameters: Of the pictures.
        size: Width and height in pixels. Defaults to `64`.
        colour: "gray" or "rgb". Defaults to `"gray"`.

    Returns:
        Shape `(N, size, size, 1 or 3)`, from 0 (black) to 1 (white). A picture is the same alone and among others.

    >>> from deepdebug.simulate.parameters import nominal
    >>> render("eye", nominal(3)).shape
    (3, 64, 64, 1)
    """
    _keep_freed_memory()
    channels, pixels = CHANNELS[colour], grid(size)
    pictures = np.empty((len(parameters), size, size, channels), np.float32)
    for start in range(0, len(parameters), CHUNK):
        rows = slice(start, start + CHUNK)
        some = parameters.take(rows)
        pictures[rows] = expose(SCENES[scene](some, pixels, channels), some)
    return pictures


def _keep_freed_memory() -> None:
    """Let the C library of Linux reuse the arrays of a chunk for the next one, which halves the time.

    It gives freed memory back to the system until one block of up to 32 MB was freed; from then on it keeps blocks up
    to that size (`man mallopt`, M_MMAP_THRESHOLD). The block here is never written to, so it takes no memory.
    """
    np.empty(1 << 24, np.uint8)
