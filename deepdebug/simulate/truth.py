"""Why a picture fails, found out by drawing it again without one of its planted causes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from deepdebug.simulate.camera import as_bytes
from deepdebug.simulate.cases import Case, failures
from deepdebug.simulate.causes import CAUSES
from deepdebug.simulate.parameters import Parameters
from deepdebug.simulate.rendering import render

Flags = npt.NDArray[np.bool_]
Pictures = npt.NDArray[np.uint8]
Model = Callable[[Pictures], npt.NDArray[np.floating]]  # pictures as stored -> one row of outputs each


@dataclass(frozen=True, slots=True)
class Truth:
    """What is known about failing pictures; every array has the shape `(N, causes)`.

    Args:
        codes: Of the causes, in the order of the columns.
        planted: The picture lies in the region of the cause.
        repaired: The model is right once the cause's parameters are reset.
    """

    codes: tuple[str, ...]
    planted: Flags
    repaired: Flags

    @property
    def causes(self) -> Flags:
        """The picture lies in the region and is repaired; several may hold, none means a natural error."""
        return self.planted & self.repaired


def causes_of_failures(model: Model, case: Case, parameters: Parameters, colour: str = "gray") -> Truth:
    """Find out why pictures fail.

    Each picture is drawn again from the same parameters and noise, with the parameters of one cause reset to their
    nominal value; the cause counts when the model is then right about the new picture.

    Args:
        model: Maps pictures as they are stored, whole numbers of shape `(N, 64, 64, channels)`, to outputs.
        case: The case.
        parameters: Of the failing pictures.
        colour: "gray" or "rgb". Defaults to `"gray"`.

    Returns:
        One row per picture, one column per cause of the case.
    """
    targets = case.targets(parameters)
    planted = np.zeros((len(parameters), len(case.causes)), np.bool_)
    repaired = np.zeros_like(planted)
    for column, code in enumerate(case.causes):
        cause = CAUSES[code]
        planted[:, column] = cause.region(parameters)
        reset = parameters.changed(**cause.reset(parameters, targets.astype(np.int64)))
        if len(parameters):
            outputs = model(as_bytes(render(case.scene, reset, colour=colour)))
            repaired[:, column] = ~failures(case, outputs, case.targets(reset))
    return Truth(case.causes, planted, repaired)
