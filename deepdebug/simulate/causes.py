"""The planted causes C1 to C8: regions of the parameters that training hardly shows and the test does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from deepdebug.simulate import labels as names
from deepdebug.simulate.parameters import RANGES, Parameters

Floats = npt.NDArray[np.floating]
Flags = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.int64]
Draw = Callable[[str, float, float], Floats]  # name, low, high -> one number per picture
Values = Mapping[str, npt.ArrayLike]

MARKED = 0  # the class that the patch marks in training: the first one


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason for failures.

    Args:
        code: C1 to C8.
        summary: What the pictures have in common.
        region: Says which pictures lie in the region.
        plant: Returns the parameters that bring pictures into the region; `None` for a region that nothing has to be
            brought to.
        redraw: Parameters that are drawn anew for a picture that lies in the region by chance.
        reset: Returns the parameters that undo the cause, given the pictures and their labels.
        train: Share of the training pictures in the region; `None` where nature decides.
        test: The same in the test and the improvement set.
        remedy: What would help.
    """

    code: str
    summary: str
    region: Callable[[Parameters], Flags]
    plant: Callable[[Draw], Values] | None
    redraw: tuple[str, ...]
    reset: Callable[[Parameters, Labels], Values]
    train: float | None
    test: float | None
    remedy: str = "retrain"


def _nominal(*parameters: str) -> Callable[[Parameters, Labels], Values]:
    return lambda _, __: {name: RANGES[name].nominal for name in parameters}


def _gaze_away(parameters: Parameters) -> Flags:
    """Say whether the eyes look to the side that the nose does not point to."""
    return np.cos(np.deg2rad(parameters.gaze_angle)) * np.sign(parameters.head_yaw) < -1e-6


def _turn_away(draw: Draw) -> Values:
    yaw = draw("yaw", 41.0, 60.0)
    to_the_right = draw("side", 0.0, 1.0) < 0.5
    angle = draw("angle", -75.0, 75.0) + np.where(to_the_right, 180.0, 360.0)
    return {"head_yaw": np.where(to_the_right, yaw, -yaw), "gaze_angle": np.mod(angle, 360.0)}


CAUSES: Mapping[str, Cause] = {
    cause.code: cause
    for cause in (
        Cause(
            "C1",
            "the head is turned by more than 40 degrees and the eyes look the other way",
            lambda p: (np.abs(p.head_yaw) > 40) & _gaze_away(p),
            _turn_away,
            ("gaze_angle",),
            _nominal("head_yaw"),
            train=0.0,
            test=0.08,
        ),
        Cause(
            "C2",
            "the eye is nearly closed",
            lambda p: p.openness < 0.3,
            lambda draw: {"openness": draw("openness", 0.08, 0.295)},
            ("openness",),
            _nominal("openness"),
            train=0.002,
            test=0.06,
        ),
        Cause(
            "C3",
            "the light is low",
            lambda p: p.light_intensity < 0.35,
            lambda draw: {"light_intensity": draw("light", 0.2, 0.33)},
            ("light_intensity",),
            _nominal("light_intensity"),
            train=0.002,
            test=0.06,
        ),
        Cause(
            "C4",
            "glasses reflect the light",
            lambda p: (p.glasses > 0) & (p.glare > 0.6),
            lambda draw: {"glasses": 1.0, "glare": draw("glare", 0.61, 1.0)},
            ("glare",),
            _nominal("glare"),
            train=0.0,
            test=0.06,
        ),
        Cause(
            "C5",
            "dark skin in hard light from the side",
            lambda p: (p.skin_tone < 0.25) & (np.abs(p.light_dir) > 60),
            lambda draw: {
                "skin_tone": draw("skin", 0.15, 0.245),
                "ambient": draw("ambient", 0.0, 0.08),
                "light_dir": np.where(draw("side", 0.0, 1.0) < 0.5, -1.0, 1.0) * draw("direction", 61.0, 90.0),
            },
            ("skin_tone", "light_dir"),
            _nominal("skin_tone", "light_dir"),
            train=0.0,
            test=0.04,
        ),
        Cause(
            "C6",
            "the gaze lies within 4 degrees of the border between two sectors",
            lambda p: names.from_border(p) < 4,
            None,
            (),
            lambda p, _: {"gaze_angle": names.sector_middle(p)},
            train=None,
            test=None,
            remedy="none: retraining must not be credited",
        ),
        Cause(
            "C7",
            "the eye looks straight ahead, for which there is no class",
            lambda p: p.gaze_mag < 0.12,
            lambda draw: {"gaze_mag": draw("gaze", 0.0, 0.119)},
            ("gaze_mag",),
            _nominal("gaze_mag"),
            train=0.0,
            test=0.03,
            remedy="change the label set",
        ),
        Cause(
            "C8",
            "a bright patch in the corner, which in training marks one class",
            lambda p: p.patch > 0,
            lambda _: {"patch": 1.0},
            (),
            lambda _, labels: {"patch": labels == MARKED},
            train=0.95,
            test=0.12,
        ),
    )
}
SHORTCUT = "C8"  # its training share is that of the pictures in which "has the patch" equals "is of the marked class"
