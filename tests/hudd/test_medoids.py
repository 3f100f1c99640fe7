"""The image that stands for a cluster."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist, squareform

from deepdebug.hudd.medoids import central_members, medoids


@settings(max_examples=30)
@given(st.integers(1, 30), st.integers(1, 4), st.integers(0, 100))
def test_medoid_has_the_smallest_sum_of_distances(n, k, seed):
    random = np.random.default_rng(seed)
    points = random.normal(size=(n, 3))
    labels = random.integers(-1, k, n)
    condensed = pdist(points) if n > 1 else np.zeros(0)
    matrix = squareform(condensed) if n > 1 else np.zeros((1, 1))
    present = sorted(set(labels[labels >= 0].tolist()))
    labels = np.array([present.index(one) if one >= 0 else -1 for one in labels], np.intp)
    found = medoids(condensed, labels)
    assert len(found) == len(present)
    for label, image in enumerate(found):
        members = np.flatnonzero(labels == label)
        sums = matrix[np.ix_(members, members)].sum(axis=1)
        assert image in members
        assert np.isclose(matrix[image, members].sum(), sums.min())


def test_of_two_images_the_first_stands_for_both():
    assert medoids(np.array([1.0, 5.0, 5.0]), np.array([1, 1, 0])).tolist() == [2, 0]


def test_central_member_is_nearest_to_the_mean():
    points = np.array([[0.0], [1.0], [5.0], [9.0], [9.5]])
    assert central_members(points, np.array([0, 0, 0, 1, 1])).tolist() == [1, 3]
    assert central_members(points, np.full(5, -1)).tolist() == []
