"""Where curves bend, and what stands in where they do not."""

import numpy as np
import pytest
from kneed import KneeLocator

from deepdebug.hudd import View, cluster
from deepdebug.hudd.knee import deepest_knee, find_knee, first_knee
from tests.hudd.planted import blobs

X = np.arange(2, 30)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(("curve", "direction"), [("convex", "decreasing"), ("concave", "increasing")])
def test_check_16_knee_is_that_of_kneed(seed, curve, direction):
    random = np.random.default_rng(seed)
    y = np.exp(-X / random.uniform(2, 8)) + 0.01 * random.normal(size=len(X))
    y = y if direction == "decreasing" else -y
    knee = find_knee(X, y, curve, direction)
    theirs = KneeLocator(X, y, S=1.0, curve=curve, direction=direction).knee
    assert theirs is not None
    assert (knee.at, knee.how, knee.notes) == (theirs, "kneedle", [])


def test_check_16_missing_knee_falls_back_to_the_largest_silhouette():
    scores = np.where(X == 7, 0.5, 0.1)
    knee = find_knee(X, -X.astype(float), "convex", "decreasing", lambda: scores)
    assert (knee.at, knee.how) == (7, "silhouette")
    (note,) = knee.notes
    assert note.warning
    assert note.code == "knee-missing"
    assert "no knee; the number with the largest mean silhouette was taken, 7" in note.text


@pytest.mark.parametrize("scores", [None, lambda: np.full(len(X), np.nan), lambda: np.zeros(len(X))])
def test_check_16_without_silhouettes_it_falls_back_to_the_chord(scores):
    y = -(X.astype(float) ** 2)
    knee = find_knee(X, y, "convex", "decreasing", scores, kneedle=lambda *_: None)
    distance = np.abs(y - np.linspace(y[0], y[-1], len(y)))
    assert (knee.at, knee.how) == (X[np.argmax(distance)], "chord")
    assert "straight line" in knee.notes[0].text


def test_deepest_knee_is_not_a_small_step_on_a_plateau():
    y = np.where(X < 12, 10 - 0.01 * X, 2 - 0.02 * X)
    y[X == 4] += 0.15
    assert first_knee(X, y, "convex", "decreasing") < 8
    assert deepest_knee(X, y, "convex", "decreasing") == 12


@pytest.mark.parametrize("k", [3, 8, 16, 30])
@pytest.mark.parametrize("seed", range(100, 104))
def test_equally_large_and_distant_groups_are_counted(k, seed):
    vectors, _ = blobs(seed, 600, 64, k=k, apart=14)
    assert abs(cluster([View("conv", vectors, normalise="none")]).k - k) <= 1


@pytest.mark.parametrize("y", [np.zeros(28), np.full(28, np.nan), np.full(28, 3.5)])
def test_flat_and_undefined_curves_give_a_number_and_a_warning(y):
    knee = find_knee(X, y, "concave", "increasing")
    assert (knee.at, knee.how) == (2, "chord")


@pytest.mark.parametrize("length", [1, 2])
def test_short_curves_give_their_first_number(length):
    assert find_knee(X[:length], np.arange(length, dtype=float), "convex", "decreasing").at == 2
