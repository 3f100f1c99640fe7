"""The pictures of a family: to train with, to test with, to choose from, and a second test that nothing else sees."""

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

TESTING, UNSEEN = 0, 999  # what pictures are drawn for, beside the number of a run
SHARE, TESTED = 0.4, 0.6  # of real pictures: most to train with, and as many to choose from; most to test with


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
        test: What it is tested with, and whose failures are grouped.
        unseen: A second test set, of which no step knows anything.
        improvement: Draws what may be labelled in a run, from its number.
        train: Trains the model.
        classes: Names of the classes; empty for a regression.
        outputs: Names of a regression's values.
        rule: When an answer is a failure.
    """

    name: str
    training: Pictured
    test: Pictured
    unseen: Pictured
    improvement: Callable[[int], Pictured]
    train: Callable[[], keras.Model]
    classes: tuple[str, ...]
    outputs: tuple[str, ...]
    rule: FailureRule


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
    """Return a family with real pictures.

    At most 40 % of its training pictures are trained with, as many of the others are drawn to choose from in every run.
    At most 60 % of its test pictures are for the first test, as many of the others for the second one.
    """
    arrays, (training, test, epochs) = load(FILES[name], data), size.photographed[name]
    training, test = (min(most, round(share * len(arrays[part]))) for most, share, part in
                      ((training, SHARE, "y_train"), (test, TESTED, "y_test")))  # fmt: skip
    random = np.random.default_rng([seed, *name.encode()])
    rows, test_rows = random.permutation(len(arrays["y_train"])), random.permutation(len(arrays["y_test"]))
    classes = tuple(str(one) for one in range(int(arrays["y_train"].max()) + 1))

    def drawn(part: str, rows: Rows, key: int) -> Pictured:
        targets, draw = arrays[f"y_{part}"][rows].astype(np.int64), np.random.default_rng([seed, key, *name.encode()])
        known = marks(targets, draw) if key == seed else planted(FACTORS[name], len(rows), PREVALENCE, draw)
        pictures = with_channels(corrupted(arrays[f"x_{part}"][rows], known, key, rows))
        planted_in = {cause: np.array([one == cause for one in known]) for cause in FACTORS[name]}
        return Pictured(pictures, targets, planted_in)

    def to_choose_from(run: int) -> Pictured:
        others = np.random.default_rng([seed, run, *name.encode()]).permutation(rows[training:])
        return drawn("train", others[:training], _key(seed, run))

    known = drawn("train", rows[:training], seed)
    return Family(
        name,
        known,
        drawn("test", test_rows[:test], _key(seed, TESTING)),
        drawn("test", test_rows[test : 2 * test], _key(seed, UNSEEN)),
        to_choose_from,
        lambda: trained(known.pictures, known.targets, epochs, seed),
        classes,
        (),
        WRONG_LABEL,
    )


def _simulated(name: str, seed: int, size: Size) -> Family:
    """Return a simulated family; there are as many pictures to choose from as to train with."""
    case, (training, test, epochs) = CASES[name], size.retrained
    counts = {TRAINING: training, TEST: test, IMPROVEMENT: training}

    def drawn(part: str, key: int) -> Pictured:
        pictures, targets = draw_whole(Order(case, Drawn("benchmark", counts, epochs, False), key), part)
        parameters = sample(case, key, part, np.arange(counts[part]), None).parameters
        planted = {code: np.asarray(CAUSES[code].region(parameters)) for code in case.causes}
        return Pictured(pictures, targets, planted)

    known = drawn(TRAINING, seed)
    return Family(
        name,
        known,
        drawn(TEST, seed),
        drawn(TEST, _key(seed, UNSEEN)),
        lambda run: drawn(IMPROVEMENT, _key(seed, run)),
        lambda: train(case, known.pictures, known.targets, seed=seed, epochs=epochs),
        case.classes,
        () if case.classes else NAMES,
        WRONG_LABEL if case.classes else FailureRule("loss", TOLERANCE),
    )


def _key(seed: int, use: int) -> int:
    """Return a seed of pictures that differs from every seed of a family."""
    return 1000 * (seed + 1) + use
