"""The 27 landmarks of the face: points of the head, known in closed form wherever it turns."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from deepdebug.simulate.head import on_surface, project, rotations
from deepdebug.simulate.parameters import Parameters

# Positions on the head as its front is seen. "right" and "left" are sides of the picture.
EYE_RIGHT, EYE_DOWN = 7.2, -4.0  # the middle of an eye
EYE_HALF = 4.6  # half its width
EYE_UPPER, EYE_LOWER = 3.6, 2.2  # how far its lids open
BROW_DOWN = -10.2
BROW_BEND = 0.05
MOUTH_DOWN, MOUTH_HALF, LIP = 12.0, 5.6, 1.7
NOSE_TOP, NOSE_DOWN = -3.0, 5.0
NOSE_OUT = 5.0  # how far the tip stands out
NOSTRIL = 2.8

NAMES = (
    *(f"{side}_brow_{place}" for side in ("left", "right") for place in ("outer", "outer_mid", "inner_mid", "inner")),
    *(f"{side}_eye_{place}" for side in ("left", "right") for place in ("outer", "inner", "upper", "lower")),
    *(f"nose_ridge_{number}" for number in (1, 2, 3)),
    *("nose_tip", "nose_left", "nose_right", "nose_base"),
    *("mouth_left", "mouth_right", "mouth_upper", "mouth_lower"),
)


def brow_height(right: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return how far down a brow lies on the head, by the distance from the middle of its eye."""
    return np.asarray(BROW_DOWN + BROW_BEND * np.square(np.asarray(right, dtype=np.float64)))


def on_head(parameters: Parameters) -> npt.NDArray[np.float64]:
    """Return the landmarks in the axes of the head, shape `(N, 27, 3)`, in the order of `NAMES`."""
    fixed = np.broadcast_to(np.concatenate([_brows(), _nose(), _mouth()]), (len(parameters), 19, 3))
    return np.concatenate([fixed[:, :8], _eyes(parameters.openness.astype(np.float64)), fixed[:, 8:]], axis=1)


def landmarks(parameters: Parameters, size: int = 64) -> npt.NDArray[np.float32]:
    """Return where the landmarks lie in the pictures, x and y in pixels from the upper left corner.

    Args:
        parameters: Of the pictures.
        size: Width of the picture in pixels. Defaults to `64`.

    Returns:
        Shape `(N, 27, 2)`.
    """
    places = project(rotations(parameters), on_head(parameters))[..., :2] * (size / 64.0)
    return places.astype(np.float32)


def nose_ridge() -> npt.NDArray[np.float64]:
    """Return top and tip of the nose in the axes of the head, shape `(2, 3)`."""
    out = np.array([[0.0, 0.0, 0.3], [0.0, 0.0, NOSE_OUT]])
    return np.asarray(on_surface([0.0, 0.0], [NOSE_TOP, NOSE_DOWN]) + out)


def _brows() -> npt.NDArray[np.float64]:
    places = np.array([-4.8, -1.8, 1.6, 4.6])
    return np.concatenate(
        [on_surface(side * (EYE_RIGHT - places), brow_height(places)) for side in (-1, 1)]
    )  # from the temple to the nose


def _eyes(openness: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    count, closed = len(openness), 1 - openness
    across = np.array([EYE_HALF, -EYE_HALF, 0.0, 0.0])
    down = np.zeros((count, 4))
    down[:, 2] = -EYE_UPPER * openness + 0.7 * closed
    down[:, 3] = EYE_LOWER * openness + 1.0 * closed
    sides = [on_surface(np.broadcast_to(side * (EYE_RIGHT + across), (count, 4)), EYE_DOWN + down) for side in (-1, 1)]
    return np.concatenate(sides, axis=1)


def _nose() -> npt.NDArray[np.float64]:
    top, tip = nose_ridge()
    ridge = [top + share * (tip - top) for share in (0.0, 0.35, 0.7)]
    wings = [on_surface(side * NOSTRIL, NOSE_DOWN + 1.2) + np.array([0.0, 0.0, 1.5]) for side in (-1, 1)]
    base = on_surface(0.0, NOSE_DOWN + 2.2) + np.array([0.0, 0.0, 2.0])
    return np.stack([*ridge, tip, *wings, base])


def _mouth() -> npt.NDArray[np.float64]:
    across, down = np.array([-MOUTH_HALF, MOUTH_HALF, 0.0, 0.0]), np.array([0.0, 0.0, -LIP, LIP])
    return on_surface(across, MOUTH_DOWN + down)
