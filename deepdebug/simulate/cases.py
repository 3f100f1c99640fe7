"""The five cases: what is drawn, what the model is to say about it, and which causes are planted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from deepdebug.simulate import labels
from deepdebug.simulate.anatomy import landmarks
from deepdebug.simulate.causes import CAUSES, Cause, Draw, Values
from deepdebug.simulate.parameters import Parameters

Array = npt.NDArray[np.float32] | npt.NDArray[np.int64]

# Narrower than `RANGES`, so that a small network learns the task and fails where causes are planted.
EASY: Mapping[str, tuple[float, float]] = {
    "hair_occlusion": (0.0, 0.5),
    "blur_sigma": (0.0, 1.0),
    "light_intensity": (0.7, 1.2),
    "ambient": (0.1, 0.4),
    "skin_tone": (0.3, 0.9),
    "noise_sigma": (0.0, 0.03),
    "head_pitch": (-25.0, 25.0),
    "head_roll": (-15.0, 15.0),
}
FACE = {**EASY, "hair_occlusion": (0.0, 0.3)}
GAP = 3.0  # degrees on both sides of a border between poses that pictures keep away from: nobody could name the class
TOLERANCE = 2.0  # mean error of the landmarks in pixels of a picture of 64 above which a regression fails


@dataclass(frozen=True, slots=True)
class Case:
    """One task.

    Args:
        name: Short name, such as "GD".
        scene: "eye" or "face".
        task: What the model is to say.
        targets: Returns what is right: class numbers of shape `(N,)`, or landmarks of shape `(N, 54)`.
        causes: Codes of the causes that are planted or looked at.
        classes: Names of the classes; empty for a regression. Defaults to `()`.
        ranges: Parameters whose range is narrower than `RANGES` has it, where no cause is planted. Defaults to `{}`.
        balance: Draws parameters such that the classes are equally frequent. Defaults to leaving them alone.
    """

    name: str
    scene: str
    task: str
    targets: Callable[[Parameters], Array]
    causes: tuple[str, ...]
    classes: tuple[str, ...] = ()
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    balance: Callable[[Draw], Values] = lambda _: {}

    @property
    def kind(self) -> str:
        """Either "classification" or "regression"."""
        return "classification" if self.classes else "regression"

    @property
    def planted(self) -> tuple[Cause, ...]:
        """The causes, without those that nature brings."""
        return tuple(CAUSES[code] for code in self.causes if CAUSES[code].plant is not None)


def failures(case: Case, outputs: npt.NDArray[np.floating], targets: Array) -> npt.NDArray[np.bool_]:
    """Return which outputs of the model are wrong.

    Args:
        case: The case.
        outputs: One score per class, or the landmarks; shape `(N, K)`.
        targets: What is right, as from `case.targets`.
    """
    if case.classes:
        return np.asarray(outputs.argmax(axis=1) != targets)
    return landmark_errors(outputs, targets) > TOLERANCE


def landmark_errors(outputs: npt.NDArray[np.floating], targets: Array) -> npt.NDArray[np.floating]:
    """Return the mean distance between landmarks in pixels, shape `(N,)`."""
    apart = (outputs - targets).reshape(len(outputs), -1, 2)
    return np.asarray(np.linalg.norm(apart, axis=2).mean(axis=1))


def _either_eye(draw: Draw) -> Values:
    closed, amount = draw("class", 0.0, 1.0) < 0.5, draw("openness", 0.0, 1.0)
    return {"openness": np.where(closed, 0.2 * amount, 0.35 + 0.65 * amount)}


def _any_pose(draw: Draw) -> Values:
    return {"head_yaw": _third(draw, "head_yaw", 60.0), "head_pitch": _third(draw, "head_pitch", 40.0)}


def _third(draw: Draw, name: str, limit: float) -> npt.NDArray[np.float32]:
    """Return an angle that lies below, within and above the middle range with equal shares."""
    which, amount = np.floor(draw(f"class of {name}", 0.0, 3.0)), draw(name, 0.0, 1.0)
    outer, inner = labels.AHEAD + GAP, labels.AHEAD - GAP
    side = outer + (limit - outer) * amount
    return np.select([which == 0, which == 1], [-side, inner * (2 * amount - 1)], side).astype(np.float32)


def _half_with_glasses(draw: Draw) -> Values:
    return {"glasses": draw("class", 0.0, 1.0) < 0.5}


CASES: Mapping[str, Case] = {
    case.name: case
    for case in (
        Case(
            "GD",
            "eye",
            "gaze direction, 8 sectors",
            labels.gaze,
            ("C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8"),
            labels.GAZE,
            {
                **EASY,
                "gaze_mag": (0.6, 1.0),
                "openness": (0.4, 1.0),
                "head_yaw": (-55.0, 55.0),
            },
        ),
        Case(
            "OC",
            "eye",
            "open or closed eye",
            labels.eye,
            ("C4", "C5", "C8"),
            labels.EYE,
            EASY,
            balance=_either_eye,
        ),
        Case(
            "HPD",
            "face",
            "head pose, 9 directions",
            labels.pose,
            ("C3", "C5", "C8"),
            labels.POSE,
            FACE,
            balance=_any_pose,
        ),
        Case(
            "OD",
            "face",
            "glasses or none",
            labels.glasses,
            ("C4", "C5", "C8"),
            labels.GLASSES,
            {**FACE, "head_yaw": (-40.0, 40.0), "glare": (0.0, 0.2), "frame_width": (1.0, 1.8)},
            balance=_half_with_glasses,
        ),
        Case(
            "FLD",
            "face",
            "27 landmarks of the face",
            lambda parameters: landmarks(parameters).reshape(len(parameters), 54),
            ("C1", "C3", "C4", "C5"),
            ranges={**FACE, "head_yaw": (-40.0, 40.0), "head_pitch": (-20.0, 20.0)},
        ),
    )
}
DEFAULT = {"eye": "GD", "face": "HPD"}
