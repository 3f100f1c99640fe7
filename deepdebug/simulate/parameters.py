"""The parameters of a picture: what is drawn, one number per image and parameter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Range:
    """What values a parameter may take.

    Args:
        low: Smallest value.
        high: Largest value.
        nominal: The harmless value.
        unit: Unit or meaning, for people.
    """

    low: float
    high: float
    nominal: float
    unit: str = ""


RANGES: Mapping[str, Range] = {
    "gaze_angle": Range(0.0, 360.0, 0.0, "degrees, 0 is the right of the picture, 90 up"),
    "gaze_mag": Range(0.0, 1.0, 0.8, "how far the eye looks to the side"),
    "openness": Range(0.0, 1.0, 0.75, "aperture of the lids"),
    "head_yaw": Range(-60.0, 60.0, 0.0, "degrees, positive turns the nose to the right of the picture"),
    "head_pitch": Range(-40.0, 40.0, 0.0, "degrees, positive turns the nose up"),
    "head_roll": Range(-25.0, 25.0, 0.0, "degrees, positive is clockwise"),
    "pupil_size": Range(0.2, 0.6, 0.35, "share of the iris"),
    "iris_size": Range(0.18, 0.30, 0.24, "radius as a share of the width of the eye"),
    "iris_tone": Range(0.1, 0.6, 0.3, "brightness"),
    "light_intensity": Range(0.2, 1.2, 0.9, "brightness of the light"),
    "light_dir": Range(-90.0, 90.0, 0.0, "degrees, negative comes from the left of the picture"),
    "ambient": Range(0.0, 0.4, 0.25, "share of the light that comes from everywhere"),
    "skin_tone": Range(0.15, 0.9, 0.65, "brightness"),
    "hair_occlusion": Range(0.0, 1.0, 0.0, "how far brow and hair hang over the eye"),
    "glasses": Range(0.0, 1.0, 0.0, "1 with, 0 without"),
    "glare": Range(0.0, 1.0, 0.0, "reflection on the glasses"),
    "frame_width": Range(1.0, 3.0, 1.8, "pixels of a picture of 64"),
    "background": Range(0.0, 1.0, 0.5, "brightness"),
    "blur_sigma": Range(0.0, 1.5, 0.4, "pixels of a picture of 64"),
    "noise_sigma": Range(0.0, 0.05, 0.01, "deviation, of a brightness from 0 to 1"),
    "patch": Range(0.0, 1.0, 0.0, "1 with a bright square in the corner, 0 without"),
}


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of a number of pictures, each an array of shape `(N,)`; `RANGES` says what they mean.

    Args:
        noise_key: What the pixel noise grows from.
    """

    gaze_angle: Floats
    gaze_mag: Floats
    openness: Floats
    head_yaw: Floats
    head_pitch: Floats
    head_roll: Floats
    pupil_size: Floats
    iris_size: Floats
    iris_tone: Floats
    light_intensity: Floats
    light_dir: Floats
    ambient: Floats
    skin_tone: Floats
    hair_occlusion: Floats
    glasses: Floats
    glare: Floats
    frame_width: Floats
    background: Floats
    blur_sigma: Floats
    noise_sigma: Floats
    patch: Floats
    noise_key: npt.NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.noise_key)

    def take(self, rows: npt.NDArray[np.integer] | npt.NDArray[np.bool_] | slice) -> Parameters:
        """Return the parameters of some of the pictures."""
        return Parameters(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def changed(self, **values: npt.ArrayLike) -> Parameters:
        """Return a copy in which some parameters have other values, a number each or one for all pictures."""
        arrays: dict[str, Any] = {
            name: np.ascontiguousarray(np.broadcast_to(np.asarray(value, dtype=np.float32), (len(self),)))
            for name, value in values.items()
        }
        return replace(self, **arrays)


def nominal(count: int = 1, **values: npt.ArrayLike) -> Parameters:
    """Return pictures in which everything is harmless, but for the values given.

    >>> nominal(2, openness=[0.1, 0.9]).openness
    array([0.1, 0.9], dtype=float32)
    """
    arrays = {name: np.full(count, one.nominal, np.float32) for name, one in RANGES.items()}
    return Parameters(**arrays, noise_key=np.arange(count, dtype=np.uint32)).changed(**values)
