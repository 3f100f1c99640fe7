"""What a picture shows, as the model is to say it: class numbers or landmark positions, from the parameters alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from deepdebug.simulate.parameters import Parameters

Labels = npt.NDArray[np.int64]

# Every tuple of classes is in the order of the alphabet, in which readers of folders number them.
GAZE = ("bottom", "bottom_left", "bottom_right", "left", "right", "top", "top_left", "top_right")
EYE = ("closed", "open")
POSE = tuple(f"{pitch}_{yaw}" for pitch in ("down", "level", "up") for yaw in ("front", "left", "right"))
GLASSES = ("with_glasses", "without_glasses")

SECTORS = ("right", "top_right", "top", "top_left", "left", "bottom_left", "bottom", "bottom_right")  # from angle 0
SECTOR = 45.0  # degrees; the middle of the first is at 0
CLOSED = 0.25  # openness below which an eye counts as closed
AHEAD = 10.0  # degrees of yaw or pitch up to which a head looks ahead


def gaze(parameters: Parameters) -> Labels:
    """Return the sector of the gaze, a number into `GAZE`."""
    number = np.floor(parameters.gaze_angle / SECTOR + 0.5).astype(np.int64) % len(SECTORS)
    return np.asarray(_numbers(SECTORS, GAZE)[number])


def from_border(parameters: Parameters) -> npt.NDArray[np.float32]:
    """Return how many degrees the gaze is away from the nearest border between two sectors."""
    return np.asarray(SECTOR / 2 - np.abs(parameters.gaze_angle - sector_middle(parameters)), dtype=np.float32)


def sector_middle(parameters: Parameters) -> npt.NDArray[np.float32]:
    """Return the angle in the middle of the gaze's sector, from 0 to 360."""
    return np.asarray(np.floor(parameters.gaze_angle / SECTOR + 0.5) * SECTOR, dtype=np.float32)


def eye(parameters: Parameters) -> Labels:
    """Return whether the eye is open, a number into `EYE`."""
    return _numbers(("open", "closed"), EYE)[(parameters.openness < CLOSED).astype(np.int64)]


def pose(parameters: Parameters) -> Labels:
    """Return where the head points, a number into `POSE`."""
    rows = np.digitize(parameters.head_pitch, (-AHEAD, AHEAD))
    columns = np.digitize(parameters.head_yaw, (-AHEAD, AHEAD))
    names = [f"{pitch}_{yaw}" for pitch in ("down", "level", "up") for yaw in ("left", "front", "right")]
    return np.asarray(_numbers(names, POSE)[rows * 3 + columns])


def glasses(parameters: Parameters) -> Labels:
    """Return whether glasses are worn, a number into `GLASSES`."""
    return _numbers(("without_glasses", "with_glasses"), GLASSES)[(parameters.glasses > 0).astype(np.int64)]


def _numbers(names: Sequence[str], classes: Sequence[str]) -> Labels:
    return np.array([classes.index(name) for name in names], dtype=np.int64)
