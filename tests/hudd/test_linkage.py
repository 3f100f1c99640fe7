"""Partitions of the tree, and Ward for points that stand for several images."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, is_valid_linkage
from scipy.cluster.hierarchy import linkage as scipy_linkage
from scipy.spatial.distance import pdist
from sklearn.metrics import adjusted_rand_score

from deepdebug.errors import UsageError
from deepdebug.hudd.linkage import build, by_size
from deepdebug.hudd.weighted_ward import weighted_ward


@pytest.mark.parametrize("linkage", ["ward", "average", "complete", "single", "weighted"])
def test_partitions_are_those_of_scipy(linkage):
    condensed = pdist(np.random.default_rng(0).normal(size=(40, 3)))
    tree = build(condensed, linkage)
    for k in range(1, 41):
        theirs = fcluster(scipy_linkage(condensed, linkage), k, "maxclust")
        assert adjusted_rand_score(theirs, tree.partition(k)) == 1


@settings(max_examples=30)
@given(st.integers(2, 30), st.integers(0, 50))
def test_labels_go_by_size(n, seed):
    tree = build(pdist(np.random.default_rng(seed).integers(0, 4, (n, 2)).astype(float)))
    for k in range(1, n + 1):
        sizes = np.bincount(tree.partition(k))
        assert len(sizes) == k
        assert (np.diff(sizes) <= 0).all()
        assert sizes.sum() == n


def test_equal_sizes_go_by_the_first_member():
    assert by_size(np.array([4, 2, 4, 2, 9])).tolist() == [0, 1, 0, 1, 2]


def test_equal_images_bound_the_number_of_clusters():
    tree = build(pdist(np.array([[0.0], [0.0], [5.0], [5.0], [7.0]])))
    assert tree.max_clusters == 3
    assert tree.partition(3).tolist() == [0, 0, 1, 1, 2]


def test_one_image_is_a_tree_without_merges():
    tree = build(np.zeros(0))
    assert (tree.num_leaves, tree.max_clusters, tree.partition(1).tolist()) == (1, 1, [0])


@pytest.mark.parametrize("k", [0, 6, -1])
def test_impossible_number_of_clusters_is_an_error(k):
    with pytest.raises(UsageError, match="from 1 to the 5 images"):
        build(np.ones(10)).partition(k)


@pytest.mark.parametrize("linkage", ["centroid", "median", "Ward"])
def test_unknown_linkage_is_an_error(linkage):
    with pytest.raises(UsageError, match="`linkage` is"):
        build(np.ones(10), linkage)


@settings(max_examples=30)
@given(st.integers(2, 40), st.integers(1, 5), st.integers(0, 50))
def test_weighted_ward_of_single_images_is_ward(n, dims, seed):
    points = np.random.default_rng(seed).normal(size=(n, dims))
    ours, theirs = weighted_ward(points, np.ones(n)), build(pdist(points))
    np.testing.assert_allclose(ours.heights, theirs.heights, rtol=1e-6)
    for k in {2, n // 2, n} - {0, 1}:
        assert adjusted_rand_score(theirs.partition(k), ours.partition(k)) == 1


@settings(max_examples=30)
@given(st.integers(2, 15), st.integers(0, 50))
def test_weight_is_worth_as_many_images_in_one_place(n, seed):
    random = np.random.default_rng(seed)
    points, weights = random.normal(size=(n, 2)), random.integers(1, 6, n)
    ours = weighted_ward(points, weights)
    repeated = build(pdist(np.repeat(points, weights, axis=0)))
    np.testing.assert_allclose(ours.heights, repeated.heights[-(n - 1) :], rtol=1e-6)
    assert ours.merges[-1, 3] == weights.sum()
    for k in range(2, n + 1):
        assert adjusted_rand_score(repeated.partition(k), np.repeat(ours.partition(k), weights)) == 1


def test_weighted_tree_is_one_that_scipy_accepts():
    random = np.random.default_rng(0)
    tree = weighted_ward(np.repeat(random.normal(size=(10, 3)), 3, axis=0), np.ones(30))
    assert is_valid_linkage(tree.merges)
    assert weighted_ward(np.zeros((1, 2)), np.ones(1)).num_leaves == 1
