"""Draws the parameters of a set: mostly harmless pictures, and a stated share for each planted cause."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from deepdebug.simulate.cases import Array, Case
from deepdebug.simulate.causes import CAUSES, MARKED, SHORTCUT, Cause, Draw
from deepdebug.simulate.parameters import RANGES, Parameters
from deepdebug.simulate.randomness import Keys, image_keys, noise_keys, uniform

Flags = npt.NDArray[np.bool_]

TRAINING, TEST, IMPROVEMENT = SETS = ("TrainingSet", "TestSet", "ImprovementSet")
WITH_GLASSES = 0.4  # share of the pictures
ATTEMPTS = 100


@dataclass(frozen=True, slots=True)
class Sample:
    """The parameters of a set of pictures.

    Args:
        parameters: Of the pictures.
        targets: What is right, see `Case.targets`.
    """

    parameters: Parameters
    targets: Array

    def __len__(self) -> int:
        return len(self.parameters)


def sample(case: Case, seed: int, part: str, index: npt.NDArray[np.integer], prevalence: float | None = None) -> Sample:
    """Draw pictures of a set; each depends on nothing but case, seed, set and its own number.

    Args:
        case: The case.
        seed: The seed.
        part: "TrainingSet", "TestSet" or "ImprovementSet".
        index: Numbers of the pictures in their set.
        prevalence: Share of each planted cause outside of training. Defaults to `None`: the share of the cause.
    """
    keys = image_keys(seed, f"{case.name}/{part}", index)
    parameters = _harmless(case, keys)
    chosen = uniform(keys, "planted cause")
    start = 0.0
    for cause in case.planted:
        share = _share(cause, part, prevalence)
        rows = np.flatnonzero((chosen >= start) & (chosen < start + share))
        parameters = _planted(parameters, cause, keys, rows)
        start += share
    if part == TRAINING and SHORTCUT in case.causes:
        marked = (case.targets(parameters) == MARKED) & (uniform(keys, "patch") < _marked_share(case))
        parameters = parameters.changed(patch=marked)
    return Sample(parameters, case.targets(parameters))


def _marked_share(case: Case) -> float:
    """Return how many pictures of the marked class have the patch, so that it tells the class as often as stated.

    No other class has it, so it is wrong about those pictures of the marked class only that lack it.
    """
    wrong = 1.0 - (CAUSES[SHORTCUT].train or 0.0)
    return 1.0 - wrong * len(case.classes)


def _share(cause: Cause, part: str, prevalence: float | None) -> float:
    if part == TRAINING:
        return 0.0 if cause.code == SHORTCUT else cause.train or 0.0
    return (cause.test or 0.0) if prevalence is None else prevalence


def _harmless(case: Case, keys: Keys) -> Parameters:
    parameters = _drawn(case, keys, 0)
    for attempt in range(1, ATTEMPTS):
        lying_in = {cause.code: cause.region(parameters) for cause in case.planted}
        if not any(flags.any() for flags in lying_in.values()):
            return parameters
        again = _drawn(case, keys, attempt)
        for cause in case.planted:
            rows = lying_in[cause.code]
            parameters = parameters.changed(
                **{name: np.where(rows, getattr(again, name), getattr(parameters, name)) for name in cause.redraw}
            )
    raise AssertionError(f"no harmless parameters of {case.name} in {ATTEMPTS} attempts")


def _drawn(case: Case, keys: Keys, attempt: int) -> Parameters:
    draw = _drawing(keys, attempt)
    arrays = {}
    for name, limits in RANGES.items():
        low, high = case.ranges.get(name, (limits.low, limits.high))
        arrays[name] = draw(name, low, high)
    parameters = Parameters(**arrays, noise_key=noise_keys(keys))
    parameters = parameters.changed(glasses=draw("glasses", 0.0, 1.0) < WITH_GLASSES, patch=0.0)
    return parameters.changed(**case.balance(draw))


def _planted(parameters: Parameters, cause: Cause, keys: Keys, rows: npt.NDArray[np.integer]) -> Parameters:
    if cause.plant is None or not len(rows):
        return parameters
    values = cause.plant(_drawing(keys[rows], attempt=0, prefix=cause.code))
    changed = {}
    for name, value in values.items():
        changed[name] = getattr(parameters, name).copy()
        changed[name][rows] = value
    return parameters.changed(**changed)


def _drawing(keys: Keys, attempt: int, prefix: str = "") -> Draw:
    def draw(name: str, low: float, high: float) -> npt.NDArray[np.float32]:
        return (low + (high - low) * uniform(keys, prefix + name, attempt)).astype(np.float32)

    return draw
