"""The families of `deepdebug.simulate`: GD, OC, HPD, OD and FLD."""

from __future__ import annotations

from functools import partial

import keras
import numpy as np

from benchmarks.hudd.sizes import Size
from benchmarks.hudd.task import Flags, Model, Rows, Task, Train
from deepdebug.simulate import CASES, Parameters, causes_of_failures, sample
from deepdebug.simulate.cases import Case, failures
from deepdebug.simulate.order import Order
from deepdebug.simulate.order import Size as Drawn
from deepdebug.simulate.parameters import RANGES
from deepdebug.simulate.pictures import draw_whole
from deepdebug.simulate.sampling import TEST, TRAINING
from deepdebug.simulate.training import train

SHORTCUT = "C8"


def simulated(name: str, seed: int, size: Size, *, prevalence: float | None = None, by: Train | None = None) -> Task:
    """Return a simulated family.

    Args:
        name: "GD", "OC", "HPD", "OD" or "FLD".
        seed: Of pictures and model.
        size: How much is made.
        prevalence: Share of each planted cause in the test pictures. Defaults to `None`: that of the case.
        by: Trains the model. Defaults to `None`: as `deepdebug simulate` does.
    """
    case, (training, test, epochs) = CASES[name], size.simulated
    order = Order(case, Drawn("benchmark", {TRAINING: training, TEST: test}, epochs, False), seed, "gray", prevalence)
    parameters = sample(case, seed, TEST, np.arange(test), prevalence).parameters
    pictures, targets = draw_whole(order, TEST)
    natural = [code for code in case.causes if code not in {cause.code for cause in case.planted}]
    return Task(
        name,
        (*(cause.code for cause in case.planted), *natural),
        len(case.planted),
        lambda: _trained(order, by),
        pictures,
        targets,
        partial(failures, case),
        partial(_truth, case, parameters),
        SHORTCUT if SHORTCUT in case.causes else None,
        {column: getattr(parameters, column) for column in RANGES},
        ("gaze_angle",),
    )


def _trained(order: Order, by: Train | None) -> keras.Model:
    pictures, targets = draw_whole(order, TRAINING)
    if by is not None:
        return by(pictures, targets, order.size.epochs, order.seed)
    return train(order.case, pictures, targets, seed=order.seed, epochs=order.size.epochs)


def _truth(case: Case, parameters: Parameters, model: Model, rows: Rows) -> Flags:
    found = causes_of_failures(model, case, parameters.take(rows))
    planted = [cause.code for cause in case.planted]
    order = sorted(range(len(found.codes)), key=lambda column: found.codes[column] not in planted)
    return found.causes[:, order]
