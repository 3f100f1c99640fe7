import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from deepdebug.errors import UsageError
from deepdebug.retraining.bags import balanced_bag


@given(st.lists(st.integers(0, 5), min_size=1, max_size=60), st.integers(0, 1000))
def test_check_23_every_cluster_has_exactly_as_many(clusters, seed):
    clusters = np.array(clusters)
    size = int(np.bincount(clusters).max())
    whole = size * len(np.unique(clusters))
    bag = balanced_bag(clusters, np.ones(len(clusters)), np.random.default_rng(seed), size=whole)
    assert np.unique(clusters[bag], return_counts=True)[1].tolist() == [size] * len(np.unique(clusters))
    assert set(bag) == set(range(len(clusters)))  # nothing that was labelled is wasted


def draws(weights, distances, rounds=400):
    clusters = np.repeat([0, 1], [len(distances), 50])
    apart = np.concatenate([distances, np.ones(50)])
    random = np.random.default_rng(0)
    bags = [balanced_bag(clusters, apart, random, size=100, weights=weights) for _ in range(rounds)]
    more = np.concatenate([bag[len(distances) : 50] for bag in bags])
    return np.bincount(more, minlength=len(distances))


def test_check_23_uniform_draws_are_uniform():
    assert stats.chisquare(draws("uniform", np.arange(1.0, 6.0))).pvalue > 0.01


def test_check_23_weighted_draws_follow_the_distances():
    distances = np.array([1.0, 2.0, 3.0, 4.0])
    counts = draws("distance", distances)
    expected = 1 - distances / distances.sum()
    assert stats.chisquare(counts, counts.sum() * expected / expected.sum()).pvalue > 0.01
    assert stats.chisquare(counts).pvalue < 1e-6


@pytest.mark.parametrize("distances", [[5.0], [0.0, 0.0]])
def test_a_cluster_of_one_and_one_without_distances_are_drawn_as_well(distances):
    clusters = np.zeros(len(distances), int)
    bag = balanced_bag(clusters, np.array(distances), np.random.default_rng(0), size=7, weights="distance")
    assert len(bag) == 7


def test_places_that_cannot_be_divided_equally_differ_by_one():
    clusters = np.repeat([0, 1, 2], [1, 2, 3])
    bag = balanced_bag(clusters, np.ones(6), np.random.default_rng(0), size=11)
    assert np.bincount(clusters[bag]).tolist() == [4, 4, 3]


def test_check_25_an_empty_bag_stays_empty():
    assert balanced_bag(np.zeros(0, int), np.zeros(0), np.random.default_rng(0), size=3).shape == (0,)


@given(st.integers(1, 40), st.integers(0, 60))
def test_bag_of_one_cluster_holds_every_image_before_any_twice(images, size):
    bag = balanced_bag(np.zeros(images, int), np.zeros(images), np.random.default_rng(0), size=size)
    assert len(bag) == size
    assert len(set(bag)) == min(images, size)


def test_unknown_weights_are_refused():
    with pytest.raises(UsageError, match="'square'; expected one of 'uniform', 'distance'"):
        balanced_bag(np.zeros(1, int), np.zeros(1), np.random.default_rng(0), size=1, weights="square")
