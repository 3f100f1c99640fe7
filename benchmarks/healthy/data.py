"""Data sets that need no network: those of scikit-learn, and generated ones. All shuffled, split and scaled."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn import datasets
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

TEST_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Split:
    """Rows to train with and rows held back; both as float32 inputs and their labels."""

    x: Any
    y: Any
    x_test: Any
    y_test: Any


def split(x: Any, y: Any, seed: int, stratify: bool = True) -> Split:
    """Return shuffled rows with a fifth held back, where `stratify` with equal shares of the classes."""
    x, x_test, y, y_test = train_test_split(
        np.asarray(x, "float32"), y, test_size=TEST_SHARE, random_state=seed, stratify=y if stratify else None
    )
    return Split(x, y, x_test, y_test)


def standardized(rows: Split) -> Split:
    """Return the rows with inputs of mean 0 and deviation 1, by the statistics of the training rows."""
    scaler = StandardScaler().fit(rows.x)
    return Split(scaler.transform(rows.x), rows.y, scaler.transform(rows.x_test), rows.y_test)


def with_standardized_targets(rows: Split) -> Split:
    """Return the rows with targets of mean 0 and deviation 1, by the statistics of the training rows."""
    mean, deviation = rows.y.mean(), rows.y.std()
    scale = functools.partial(_scaled, mean=mean, deviation=deviation)
    return Split(rows.x, scale(rows.y), rows.x_test, scale(rows.y_test))


def _scaled(values: Any, mean: float, deviation: float) -> Any:
    return ((values - mean) / deviation).astype("float32")


def digits(seed: int) -> Split:
    """8 x 8 images of handwritten digits as 64 pixels from 0 to 1; 1797 rows, 10 classes."""
    x, y = datasets.load_digits(return_X_y=True)
    return split(x / 16, y, seed)


def digit_images(seed: int) -> Split:
    """Handwritten digits as images of shape (8, 8, 1)."""
    rows = digits(seed)
    return Split(rows.x.reshape(-1, 8, 8, 1), rows.y, rows.x_test.reshape(-1, 8, 8, 1), rows.y_test)


def digit_sequences(seed: int) -> Split:
    """Handwritten digits as sequences of 8 rows of 8 pixels."""
    rows = digits(seed)
    return Split(rows.x.reshape(-1, 8, 8), rows.y, rows.x_test.reshape(-1, 8, 8), rows.y_test)


def digit_properties(seed: int) -> Split:
    """Handwritten digits with four yes-or-no labels: even, at least 5, prime, drawn with a loop."""
    rows = digits(seed)
    table = np.array([[d % 2 == 0, d >= 5, d in (2, 3, 5, 7), d in (0, 6, 8, 9)] for d in range(10)], "float32")
    return Split(rows.x, table[rows.y], rows.x_test, table[rows.y_test])


def raw_breast_cancer(seed: int) -> Split:
    """Measured cell nuclei, benign or malignant; 569 rows, 30 features from thousandths to thousands."""
    x, y = datasets.load_breast_cancer(return_X_y=True)
    return split(x, y.astype("float32"), seed)


def breast_cancer(seed: int) -> Split:
    """Measured cell nuclei, standardised."""
    return standardized(raw_breast_cancer(seed))


def wine(seed: int) -> Split:
    """Chemical analyses of wines of three growers; 178 rows, 13 features."""
    x, y = datasets.load_wine(return_X_y=True)
    return standardized(split(x, y, seed))


def diabetes(seed: int) -> Split:
    """Progress of a disease within one year; 442 rows, 10 features, targets standardised."""
    x, y = datasets.load_diabetes(return_X_y=True)
    return with_standardized_targets(standardized(split(x, y, seed, stratify=False)))


def friedman(seed: int) -> Split:
    """Friedman's first function with noise; 2000 rows, 10 features of which 5 matter, targets standardised."""
    x, y = datasets.make_friedman1(2000, noise=1.0, random_state=seed)
    return with_standardized_targets(standardized(split(x, y, seed, stratify=False)))


def moons(seed: int) -> Split:
    """Two interleaved half circles with noise; 1500 rows, 2 features."""
    x, y = datasets.make_moons(1500, noise=0.2, random_state=seed)
    return standardized(split(x, y.astype("float32"), seed))


def circles(seed: int) -> Split:
    """A circle inside a circle; 1500 rows, 2 features."""
    x, y = datasets.make_circles(1500, noise=0.1, factor=0.4, random_state=seed)
    return standardized(split(x, y.astype("float32"), seed))


def blobs(seed: int) -> Split:
    """Four clouds of points that do not touch; 1000 rows, 8 features."""
    x, y = datasets.make_blobs(1000, n_features=8, centers=4, cluster_std=1.0, random_state=seed)
    return standardized(split(x, y, seed))


def rare_class(seed: int, times: int = 20, count: int = 4000) -> Split:
    """Two classes of which one has 20 times the rows of the other; 4000 rows, 20 features."""
    x, y = datasets.make_classification(
        count, n_features=20, n_informative=8, n_redundant=4, weights=[times / (times + 1)], flip_y=0.0, class_sep=1.5,
        random_state=seed,
    )  # fmt: skip
    return standardized(split(x, y.astype("float32"), seed))


def noisy_classes(seed: int) -> Split:
    """Two classes of which features tell little: three labels of ten are drawn by lot; 4000 rows, 12 features."""
    x, y = datasets.make_classification(
        4000, n_features=12, n_informative=6, n_redundant=0, flip_y=0.3, random_state=seed
    )
    return standardized(split(x, y.astype("float32"), seed))


def counts(seed: int) -> Split:
    """Numbers of events whose rate depends on the features; 2000 rows, 6 features."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(2000, 6))
    rate = np.exp(0.5 + 0.6 * x[:, 0] - 0.5 * x[:, 1] + 0.4 * np.sin(2 * x[:, 2]))
    return split(x, draw.poisson(rate).astype("float32"), seed, stratify=False)


def documents(seed: int, vocabulary: int = 500, length: int = 40) -> Split:
    """Texts of 15 to 40 words on one of four topics, as word numbers padded with 0; 1600 rows."""
    draw = np.random.default_rng(seed)
    topics = draw.dirichlet(np.full(vocabulary - 1, 0.1), size=4)
    common = draw.dirichlet(np.full(vocabulary - 1, 0.5))
    y = draw.integers(4, size=1600)
    x = np.zeros((len(y), length), "int32")
    for row, topic in enumerate(y):
        words = draw.integers(15, length + 1)
        x[row, :words] = 1 + draw.choice(vocabulary - 1, size=words, p=0.4 * topics[topic] + 0.6 * common)
    rows = split(x, y, seed)
    return Split(rows.x.astype("int32"), rows.y, rows.x_test.astype("int32"), rows.y_test)


def waves(seed: int, length: int = 24) -> Split:
    """Windows of noisy sine waves, each to be continued by one value; 1500 rows."""
    draw = np.random.default_rng(seed)
    start, pace = draw.uniform(0, 2 * np.pi, (1500, 1)), draw.uniform(0.2, 0.6, (1500, 1))
    wave = np.sin(start + pace * np.arange(length + 1)) + 0.1 * draw.normal(size=(1500, length + 1))
    return split(wave[:, :-1, np.newaxis], wave[:, -1:].astype("float32"), seed, stratify=False)


def digit_pairs(seed: int) -> Split:
    """Pairs of handwritten digits; label 1 where the first is the larger one; 4000 pairs to train with."""
    rows, draw = digits(seed), np.random.default_rng(seed)

    def pairs(x: Any, y: Any, count: int) -> tuple[list[Any], Any]:
        first, second = draw.integers(len(y), size=(2, count))
        keep = y[first] != y[second]
        first, second = first[keep], second[keep]
        return [x[first], x[second]], (y[first] > y[second]).astype("float32")

    x, y = pairs(rows.x, rows.y, 4400)
    x_test, y_test = pairs(rows.x_test, rows.y_test, 800)
    return Split(x, y, x_test, y_test)


def digit_strokes(seed: int) -> Split:
    """Noisy digit images of shape (8, 8, 1) and for each pixel whether it belongs to the stroke."""
    rows, draw = digit_images(seed), np.random.default_rng(seed)

    def noisy(images: Any) -> Any:
        return (images + 0.3 * draw.normal(size=images.shape)).astype("float32")

    strokes = [(images > 0.5).astype("float32") for images in (rows.x, rows.x_test)]
    return Split(noisy(rows.x), strokes[0], noisy(rows.x_test), strokes[1])
