"""Data that are made by the rule that their authors gave, or like theirs in shape and scale."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import ndimage
from sklearn import datasets

from benchmarks.models444.data import SUBSET, Data

Table = Callable[[np.random.Generator], tuple[Any, Any]]
TABLES: dict[str, Callable[[], Data]] = {}


def table(validation: float = 0.0) -> Callable[[Table], Table]:
    """Register rows that depend on nothing but the seed.

    Args:
        validation: Share of the rows, the last ones, that the program validates with. Defaults to 0: it does not.
    """

    def register(make: Table) -> Table:
        TABLES[make.__name__] = lambda: _split(*make(np.random.default_rng(SUBSET)), validation)
        return make

    return register


def _split(x: Any, y: Any, validation: float) -> Data:
    x, y = np.asarray(x, np.float32), np.asarray(y, np.float32)
    if not validation:
        return Data(x, y, None, None)
    first = len(x) - round(validation * len(x))
    return Data(x[:first], y[:first], x[first:], y[first:])


@table(validation=0.3)
def blob(_random: np.random.Generator) -> tuple[Any, Any]:
    """Three clouds that overlap, not scaled, with one-hot labels; the first 700 of 1,000 rows are trained with."""
    x, y = datasets.make_blobs(1000, n_features=2, centers=3, cluster_std=2, random_state=2)
    return x, np.eye(3)[y]


@table(validation=0.3)
def circle(_random: np.random.Generator) -> tuple[Any, Any]:
    """A circle within a circle, scaled to -1 to 1 over all rows, with labels 0 and 1; divided like `blob`."""
    x, y = datasets.make_circles(1000, noise=0.1, random_state=1)
    low, high = x.min(axis=0), x.max(axis=0)
    return 2 * (x - low) / (high - low) - 1, y


@table()
def four_points(_random: np.random.Generator) -> tuple[Any, Any]:
    """Two inputs, and whether the second one is 0 (SO31556268)."""
    return [[1, 1], [1, 0], [0, 0], [0, 1]], [[0], [1], [0], [1]]


@table()
def six_points(_random: np.random.Generator) -> tuple[Any, Any]:
    """Exclusive or, with two inputs twice (SO34311586)."""
    return [[1, 1], [0, 0], [1, 0], [0, 1], [1, 1], [0, 0]], [[0], [0], [1], [1], [0], [0]]


@table()
def two_squares(random: np.random.Generator) -> tuple[Any, Any]:
    """Two small squares in the plane, in turn (SO50306988)."""
    y = np.arange(200) % 2
    return random.uniform(0.2, 0.4, (200, 2)) + 0.3 * y[:, None], y


@table()
def bounded_points(random: np.random.Generator) -> tuple[Any, Any]:
    """Like the 17 rows of SO48251943: two features from -1 to 2, and a target of which one in 17 is negative."""
    x = random.uniform(-1, 2, (17, 2))
    y = 0.8 + 0.5 * np.abs(x[:, :1] - x[:, 1:]) - 0.2 * x[:, 1:] + random.normal(0, 0.4, (17, 1))
    y[np.argmin(y)] = -1.05
    return x, y


@table(validation=0.2)
def three_labels(_random: np.random.Generator) -> tuple[Any, Any]:
    """Counts with up to three labels each, not scaled (SO38648195), of which it had ten times as many."""
    return datasets.make_multilabel_classification(6_000, n_features=20, n_classes=3, random_state=SUBSET)


@table(validation=0.2)
def one_label(_random: np.random.Generator) -> tuple[Any, Any]:
    """The same with a single label, which nearly all rows have (SO50481178)."""
    return datasets.make_multilabel_classification(1_000, n_features=4, n_classes=1, random_state=SUBSET)


@table()
def weighted_sum(random: np.random.Generator) -> tuple[Any, Any]:
    """A weighted sum of large numbers (SO33969059), of which it had ten times as many."""
    x = random.uniform(0, 10_000, (10_000, 3))
    return x, x @ [[2.0], [1.0], [0.5]] + 2.2


@table()
def two_blocks(_random: np.random.Generator) -> tuple[Any, Any]:
    """A block of ones labelled 1, then one of zeros (SO31880720), of which it had ten times as many."""
    y = np.arange(2_000) < 1_000
    return np.repeat(y[:, None], 128, axis=1), y


@table(validation=0.33)
def letters(random: np.random.Generator) -> tuple[Any, Any]:
    """Codes of three letters in a row, "ABC" or "DEF", of which one label in twenty is wrong (SO39525358)."""
    y = random.random(20) < 0.4
    x = np.array([65, 66, 67]) + 3 * y[:, None]
    return x, y ^ (np.arange(20) == 7)


@table()
def bit_permutation(random: np.random.Generator) -> tuple[Any, Any]:
    """All vectors of eight bits, and the same in another order (SO39217567)."""
    x = (np.arange(256)[:, None] >> np.arange(8)) & 1
    return x, x[random.permutation(256)]


@table()
def noisy_parabola(random: np.random.Generator) -> tuple[Any, Any]:
    """A parabola with heavy noise (SO48934338)."""
    x = np.arange(50)[:, None] / 10
    return x, 5 * x**2 + random.normal(size=(50, 1)) ** 3


@table()
def census(random: np.random.Generator) -> tuple[Any, Any]:
    """Like UCI Adult (SO47724077): 14 columns from 0 or 1 to 1.5 million, one row in four labelled 1; a tenth of it."""
    return _columns(
        random, 3_256, 0.24, [50, 8, 600_000, 15, 15, 6, 14, 5, 4, 1, 30_000, 1_500, 60, 41], informative=(0, 4, 10, 12)
    )


@table(validation=0.2)
def iris(_random: np.random.Generator) -> tuple[Any, Any]:
    """Iris, not scaled (SO59278771, SO51930566); in turn, for in the order of the file validation has one class."""
    x, y = datasets.load_iris(return_X_y=True)
    order = np.arange(150).reshape(3, 50).T.ravel()
    return x[order], y[order]


@table()
def fourth_power(random: np.random.Generator) -> tuple[Any, Any]:
    """Fourth powers up to a hundred million (SO52800582)."""
    x = random.permutation(np.arange(-100, 100, 0.5))[:, None]
    return x, x**4


@table(validation=0.2)
def rising_sine(_random: np.random.Generator) -> tuple[Any, Any]:
    """A sine and its previous value, and whether it rises (SO41372874)."""
    now = np.sin(0.0628 * np.arange(300))
    return np.stack([now[1:], now[:-1]], axis=1), now[1:] > now[:-1]


@table()
def companies(random: np.random.Generator) -> tuple[Any, Any]:
    """Like the nine rows of SO34673164: 16 columns from tenths to hundreds of thousands."""
    scales = [130_000, 38, 38, 30, 14, 14, 50_000, 60_000, 2.5, 60, 18, 18, 95_000, 1, 1, 0.5]
    return random.lognormal(0, 0.4, (9, 16)) * scales, np.arange(9) > 3


@table(validation=0.25)
def parabola(random: np.random.Generator) -> tuple[Any, Any]:
    """The parabola x squared plus 3, whose targets go up to 103 (SO48221692)."""
    x = random.permutation(np.round(np.arange(-10, 10.05, 0.1), 1))[:, None]
    return x, x**2 + 3


@table()
def noise(random: np.random.Generator) -> tuple[Any, Any]:
    """Numbers from 0 to 1, and targets that have nothing to do with them (SO45337371)."""
    return random.random((1_000, 5, 1)), random.random((1_000, 5, 1))


@table()
def packets(random: np.random.Generator) -> tuple[Any, Any]:
    """Like the 21 network packets of SO44066044: addresses as numbers of ten digits beside small ones."""
    x = np.zeros((21, 11))
    x[:, :2] = 3_232_235_521 + random.integers(0, 260, (21, 2))
    x[:, 2:6] = [6, 128, 524_000, 502] + random.integers(0, 500, (21, 4)) * [0, 0, 1, 100]
    x[:, 6:] = (random.random((21, 1)) < 0.5) * [12, 61, 6, 0, 206]
    return x, np.arange(21) > 7


@table(validation=0.2)
def threshold(random: np.random.Generator) -> tuple[Any, Any]:
    """A whole number around 20,000, and whether it is smaller than that (SO45442843)."""
    x = random.integers(15_000, 25_000, (999, 1))
    return x, x < 20_000


@table(validation=0.2)
def passengers(random: np.random.Generator) -> tuple[Any, Any]:
    """Like the passengers of the Titanic (SO31627380): 891 rows with ten columns as whole numbers, not scaled."""
    scales = [2, 890, 1, 60, 2, 2, 928, 100, 186, 3]
    return _columns(random, 891, 0.38, scales, informative=(0, 2, 7))


@table(validation=0.2)
def leading_digits(random: np.random.Generator) -> tuple[Any, Any]:
    """Like SO58609115: one whole number up to a billion, and 69 classes that follow from its first digits."""
    x = np.floor(10 ** random.uniform(0, 9, 2_209))
    first = x // 10.0 ** np.maximum(np.floor(np.log10(np.maximum(x, 1))) - 1, 0)
    return x, np.minimum(first * 69 // 100, 68)


@table(validation=0.2)
def traffic(random: np.random.Generator) -> tuple[Any, Any]:
    """Like the network traffic of GH1: 27 raw columns over many magnitudes, five classes of very unequal size."""
    y = random.choice(5, 4_000, p=[0.9, 0.04, 0.03, 0.02, 0.01])
    return random.lognormal(4, 3, (4_000, 27)) * (1 + y[:, None] * (np.arange(27) % 5 == 0)), y


@table(validation=0.2)
def key_points(random: np.random.Generator) -> tuple[Any, Any]:
    """Like the faces of GH3: smooth pictures of 96 x 96 pixels from 0 to 1, and 30 targets from -1 to 1."""
    x = np.stack([ndimage.gaussian_filter(one, 6) for one in random.normal(size=(600, 96, 96))])
    x = (x - x.min()) / (x.max() - x.min())
    places = random.integers(0, 96, (30, 2))
    return x.reshape(600, -1), np.clip(8 * (x[:, places[:, 0], places[:, 1]] - x.mean()), -1, 1)


@table()
def diabetes(random: np.random.Generator) -> tuple[Any, Any]:
    """Like the 768 rows of Pima diabetes (GH6): eight raw columns, one row in three labelled 1."""
    return _columns(random, 768, 0.35, [8, 200, 110, 60, 300, 55, 1.5, 60], informative=(1, 5, 7))


@table(validation=0.2)
def houses(random: np.random.Generator) -> tuple[Any, Any]:
    """Like the 1,460 sales of houses of GH7: 36 raw columns from single digits to lot sizes, and prices."""
    scales = np.tile([190, 313, 20_000, 10, 9, 2010, 2010, 1600, 5644], 4)
    x = random.random((1_460, 36)) ** 2 * scales
    wanted = (x / scales)[:, [2, 3, 5, 8]] @ [60_000, 120_000, 80_000, 90_000]
    return x, 60_000 + wanted[:, None] + random.normal(0, 15_000, (1_460, 1))


@table(validation=0.2)
def life(random: np.random.Generator) -> tuple[Any, Any]:
    """Grids of the Game of Life with their edges repeated around them, and the next state (GH8)."""
    alive = random.integers(0, 2, (3_000, 10, 10))
    around = np.pad(alive, ((0, 0), (1, 1), (1, 1)), mode="wrap")
    neighbours = sum(
        np.roll(alive, (down, right), (1, 2)) for down in (-1, 0, 1) for right in (-1, 0, 1) if (down, right) != (0, 0)
    )
    following = (neighbours == 3) | ((neighbours == 2) & (alive == 1))
    return around[..., None], following[..., None]


@table(validation=0.2)
def reviews(random: np.random.Generator) -> tuple[Any, Any]:
    """Like the reviews of IMDB (GH9): which of 10,000 words occur, few of which tell good from bad."""
    y = random.random(3_000) < 0.5
    chances = 1 / np.arange(5, 10_005)
    tilt = 1 + 0.6 * random.choice([-1, 0, 1], 10_000, p=[0.02, 0.96, 0.02])
    return random.random((3_000, 10_000)) < 80 * chances / chances.sum() * np.where(y[:, None], tilt, 2 - tilt), y


@table()
def mean_of_two(random: np.random.Generator) -> tuple[Any, Any]:
    """Two numbers and their mean (GH11)."""
    x = random.integers(0, 101, (10_000, 2)) / 100
    return x, x.mean(axis=1, keepdims=True)


def _columns(
    random: np.random.Generator, count: int, share: float, scales: list[float], informative: tuple[int, ...]
) -> tuple[Any, Any]:
    """Return whole numbers from 0 to the scale of their column, of which some tell the label of a share of the rows."""
    x = np.floor(random.random((count, len(scales))) * (np.array(scales) + 1))
    told = (x / scales)[:, list(informative)].sum(axis=1) + random.normal(0, 0.35, count)
    return x, told > np.quantile(told, 1 - share)
