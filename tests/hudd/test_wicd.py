"""WICD of all numbers of clusters from one walk is what the formula says of each."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster
from scipy.spatial.distance import pdist, squareform

from deepdebug.hudd.condensed import condense
from deepdebug.hudd.linkage import build
from deepdebug.hudd.original import row_normalised
from deepdebug.hudd.wicd import icd, layer_icd, wicd, wicd_curve

# Three images on a line at 0, 1 and 3, and one far away.
FOUR = pdist(np.array([[0.0], [1.0], [3.0], [100.0]]))
PAIRS = np.array([0, 0, 0, 1])


def slow_wicd(matrix, labels):
    """The formula, pair by pair, over the upper triangle."""
    total, names = 0.0, sorted(set(labels.tolist()))
    for name in names:
        members = [i for i in range(len(labels)) if labels[i] == name]
        pairs = [matrix[i, j] for i in members for j in members if i < j]
        if pairs:
            total += sum(pairs) / len(pairs) * len(members) / len(labels)
    return total / len(names)


def test_icd_is_the_mean_of_the_pairs_and_zero_for_one_image():
    assert icd(FOUR, PAIRS).tolist() == [2.0, 0.0]
    assert layer_icd(FOUR, PAIRS) == 2.0


def test_icd_of_singletons_alone_is_not_a_number():
    assert np.isnan(layer_icd(FOUR, np.arange(4)))


def test_wicd_by_hand():
    assert wicd(FOUR, PAIRS) == pytest.approx(2.0 * 3 / 4 / 2)


@pytest.mark.parametrize("linkage", ["ward", "average", "single"])
def test_check_14_walk_is_the_formula_for_every_k(linkage):
    vectors = np.random.default_rng(0).normal(size=(60, 5))
    condensed = pdist(vectors)
    tree = build(condensed, linkage)
    curve = wicd_curve(tree, condensed)
    assert np.isnan(curve[0])
    assert len(curve) == 61
    for k in range(1, 61):
        labels = tree.partition(k)
        assert labels.max() == k - 1
        assert curve[k] == pytest.approx(slow_wicd(squareform(condensed), labels), rel=1e-9, abs=1e-12)
        assert curve[k] == pytest.approx(wicd(condensed, labels), rel=1e-9, abs=1e-12)


def test_check_14_walk_on_the_published_codes_own_matrix():
    """Its rows are divided by their largest value, so it is not symmetric; only what is above the diagonal counts."""
    raw = pdist(np.random.default_rng(1).normal(size=(60, 4)))
    matrix = row_normalised(raw)
    tree = build(pdist(matrix))
    curve = wicd_curve(tree, condense(matrix))
    for k in range(2, 61):
        labels = fcluster(tree.merges, k, "maxclust")
        assert curve[k] == pytest.approx(slow_wicd(matrix, labels), rel=1e-9, abs=1e-12)


@settings(max_examples=30)
@given(st.integers(1, 25), st.integers(0, 100))
def test_walk_with_ties_and_equal_images(n, seed):
    vectors = np.random.default_rng(seed).integers(0, 3, (n, 2)).astype(float)
    condensed = pdist(vectors) if n > 1 else np.zeros(0)
    tree = build(condensed)
    curve = wicd_curve(tree, condensed)
    for k in range(1, n + 1):
        assert curve[k] == pytest.approx(wicd(condensed, tree.partition(k)), abs=1e-12)
