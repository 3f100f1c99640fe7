"""Other ways to cluster, behind the same call."""

import sys
import types

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score as ari

from deepdebug.errors import UsageError
from deepdebug.hudd import View, cluster, domino
from tests.hudd.planted import blobs

VECTORS, LABELS = blobs(0, 120, 40, k=4, apart=25)
VIEWS = [View("conv", VECTORS, normalise="none")]


def test_kmeans_finds_separated_blobs():
    assert ari(LABELS, cluster(VIEWS, slicer="kmeans").labels) == 1


def test_random_clusters_know_nothing():
    found = cluster(VIEWS, slicer="random", k=4, seed=5)
    assert abs(ari(LABELS, found.labels)) < 0.1
    assert found.labels.tolist() == cluster(VIEWS, slicer="random", k=4, seed=5).labels.tolist()
    assert not found.significance.significant_clusters


def test_domino_divides_by_classes_and_by_features():
    predicted = LABELS % 2
    features = np.where(LABELS[:, None] < 2, 0.0, 9.0) + np.random.default_rng(0).normal(size=(120, 40))
    views = [View("embedding", features, normalise="none")]
    found = cluster(views, slicer=domino(1 - predicted, predicted), k=4)
    assert ari(LABELS, found.labels) > 0.9
    with pytest.raises(UsageError, match="classes of 3 images for 120"):
        cluster(views, slicer=domino([1, 2, 3], [2, 2, 2]))


def test_number_of_clusters_comes_from_the_tree_where_none_is_given():
    assert cluster(VIEWS, slicer="kmeans").k == cluster(VIEWS).k == 4


def test_slicer_may_leave_images_in_no_cluster():
    def first_half(points, k, seed):
        from deepdebug.hudd.slicers import Sliced

        return Sliced(np.where(np.arange(len(points)) < 60, LABELS, -1))

    found = cluster(VIEWS, slicer=first_half)
    assert (found.labels[60:] == -1).all()
    assert found.sizes.sum() == 60
    assert ari(LABELS[:60], found.labels[:60]) == 1


def test_umap_that_is_not_installed_is_an_error_with_the_way_out(monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(UsageError, match=r"pip install deepdebug\[features\]"):
        cluster(VIEWS, slicer="umap-hdbscan")


def test_umap_and_hdbscan_find_blobs_and_say_how_many_images_they_left_out(monkeypatch):
    class Reducer:
        """Stands for UMAP, which is optional: keeps the first values."""

        def __init__(self, n_components, n_neighbors, min_dist, random_state, init):
            self.values = n_components

        def fit_transform(self, points):
            return points[:, : self.values]

    monkeypatch.setitem(sys.modules, "umap", types.SimpleNamespace(UMAP=Reducer))
    found = cluster(VIEWS, slicer="umap-hdbscan")
    inside = found.labels >= 0
    assert ari(LABELS[inside], found.labels[inside]) > 0.9
    assert inside.all() or any(note.code == "in-no-cluster" for note in found.notes)


@pytest.mark.slow
def test_real_umap_finds_blobs():
    pytest.importorskip("umap")
    assert ari(LABELS, cluster(VIEWS, slicer="umap-hdbscan").labels) > 0.9


def test_distances_alone_cannot_be_sliced():
    from scipy.spatial.distance import pdist

    with pytest.raises(UsageError, match="has distances but no vectors"):
        cluster([View("conv", distances=pdist(VECTORS))], slicer="kmeans")
