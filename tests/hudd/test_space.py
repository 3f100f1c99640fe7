import numpy as np
import pytest
from scipy.spatial.distance import cdist, pdist

from deepdebug.hudd.linkage import build
from deepdebug.hudd.micro import micro_clusters
from deepdebug.hudd.space import ExactSpace, SketchSpace
from deepdebug.hudd.weighted_ward import ward_of_clusters

POINTS = np.random.default_rng(0).normal(size=(40, 5)) + np.repeat(np.eye(5)[:4] * 6, 10, axis=0)
LABELS = np.repeat([0, 1, 2, 3], 10)


@pytest.fixture(params=["exact", "sketch"])
def space(request):
    if request.param == "exact":
        return ExactSpace(pdist(POINTS), 40)
    return SketchSpace(POINTS, micro_clusters(POINTS, 40))


def test_distances_to_one_image(space):
    np.testing.assert_allclose(space.distances_to(7), cdist(POINTS, POINTS[7:8])[:, 0], atol=1e-12)


def test_mean_squares_of_clusters(space):
    squares = cdist(POINTS, POINTS) ** 2
    expected = [[squares[one == LABELS][:, other == LABELS].mean() for other in range(4)] for one in range(4)]
    np.testing.assert_allclose(space.mean_squares(LABELS), expected)


def test_images_in_no_cluster_count_for_none(space):
    labels = np.where(np.arange(40) < 10, -1, LABELS - 1)
    np.testing.assert_allclose(space.mean_squares(labels), space.mean_squares(LABELS)[1:, 1:])


@pytest.mark.parametrize("k", [2, 5, 9])
def test_dendrogram_of_clusters_is_the_top_of_wards(k):
    space = ExactSpace(pdist(POINTS), 40)
    tree = build(space.distances)
    labels = tree.partition(k)
    found = ward_of_clusters(space.mean_squares(labels), np.bincount(labels))
    np.testing.assert_allclose(found.heights, tree.heights[-(k - 1) :])
    assert found.merges[-1, 3] == 40
