"""The pictures of a family: to train with, to test with, and to choose from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from benchmarks.hudd.corruptions import corrupted
from benchmarks.hudd.datasets import load
from benchmarks.hudd.network import trained
from benchmarks.hudd.photographed import FACTORS, FILES, PREVALENCE, marks, planted, with_channels
from benchmarks.hudd.sizes import Size
from benchmarks.hudd.task import Flags, Pictures, Rows, Values
from deepdebug.hudd.tested import WRONG_LABEL, FailureRule
from deepdebug.simulate import CASES, sample
from deepdebug.simulate.anatomy import NAMES
from deepdebug.simulate.cases import TOLERANCE
from deepdebug.simulate.causes import CAUSES
from deepdebug.simulate.order import Order
from deepdebug.simulate.order import Size as Drawn
from deepdebug.simulate.pictures import draw_whole
from deepdebug.simulate.sampling import IMPROVEMENT, TEST, TRAINING
from deepdebug.simulate.training import train

CONTROL = "C6"  # failures of it cannot be mended: the class is a matter of taste there
HOPELESS = "C7"  # nor those: no class is right


@dataclass(frozen=True, slots=True)
class Pictured:
    """Pictures, what is right about them, and which causes are planted in them.

    Args:
        pictures: As stored, shape (N, height, width, channels).
        targets: Classes of shape (N,), or values of shape (N, outputs).
        planted: Which lie in the region of each cause, shape (N,), by the name of the cause.
    """

    pictures: Pictures
    targets: Values
    planted: Mapping[str, Flags]


@dataclass(frozen=True, slots=True)
class Family:
    """One family with one seed.

    Args:
        name: Its name.
        training: What the model was trained with.
        test: What it is judged by.
        improvement: What may be labelled.
        train: Trains the model.
        classes: Names of the classes; empty for a regression.
        outputs: Names of a regression's values.
        rule: When an answer is a failure.
        mendable: Causes that more pictures can mend.
    """

    name: str
    training: Pictured
    test: Pictured
    improvement: Pictured
    train: Callable[[], keras.Model]
    classes: tuple[str, ...]
    outputs: tuple[str, ...]
    rule: FailureRule
    mendable: tuple[str, ...]


def family(name: str, seed: int, size: Size, data: Path) -> Family:
    """Return a family.

    Args:
        name: "GD", "OC", "HPD", "OD" or "FLD", which are simulated; or "MNIST", "Fashion" or "CIFAR".
        seed: Of pictures and model.
        size: How much is made.
        data: Folder of the data sets.
    """
    return _photographed(name, seed, size, data) if name in FILES else _simulated(name, seed, size)


def _photographed(name: str, seed: int, size: Size, data: Path) -> Family:
    """Return a family with real pictures; those to choose from are training pictures that were left out of training."""
    arrays, (training, test, epochs) = load(FILES[name], data), size.photographed[name]
    random = np.random.default_rng([seed, *name.encode()])
    rows = random.permutation(len(arrays["y_train"]))
    classes = tuple(str(one) for one in range(int(arrays["y_train"].max()) + 1))

    def drawn(part: str, rows: Rows, is_training: bool) -> Pictured:
        targets = arrays[f"y_{part}"][rows].astype(np.int64)
        known = marks(targets, random) if is_training else planted(FACTORS[name], len(rows), PREVALENCE, random)
        pictures = with_channels(corrupted(arrays[f"x_{part}"][rows], known, seed, rows))
        planted_in = {cause: np.array([one == cause for one in known]) for cause in FACTORS[name]}
        return Pictured(pictures, targets, planted_in)

    sets = (
        drawn("train", rows[:training], True),
        drawn("test", random.permutation(len(arrays["y_test"]))[:test], False),
        drawn("train", rows[training : 2 * training], False),
    )
    known = sets[0]
    return Family(
        name,
        *sets,
        lambda: trained(known.pictures, known.targets, epochs, seed),
        classes,
        (),
        WRONG_LABEL,
        FACTORS[name],
    )


def _simulated(name: str, seed: int, size: Size) -> Family:
    """Return a simulated family; there are as many pictures to choose from as to train with."""
    case, (training, test, epochs) = CASES[name], size.simulated
    counts = {TRAINING: training, TEST: test, IMPROVEMENT: training}
    order = Order(case, Drawn("benchmark", counts, epochs, False), seed)

    def drawn(part: str) -> Pictured:
        pictures, targets = draw_whole(order, part)
        parameters = sample(case, seed, part, np.arange(counts[part]), None).parameters
        planted = {code: np.asarray(CAUSES[code].region(parameters)) for code in case.causes}
        return Pictured(pictures, targets, planted)

    sets = {part: drawn(part) for part in (TRAINING, TEST, IMPROVEMENT)}
    known = sets[TRAINING]
    return Family(
        name,
        *sets.values(),
        lambda: train(case, known.pictures, known.targets, seed=seed, epochs=epochs),
        case.classes,
        () if case.classes else NAMES,
        WRONG_LABEL if case.classes else FailureRule("loss", TOLERANCE),
        tuple(code for code in case.causes if code not in (CONTROL, HOPELESS)),
    )
