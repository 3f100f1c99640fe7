"""The whole way from views to clusters."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_mutual_info_score as ami
from sklearn.metrics import adjusted_rand_score as ari

from deepdebug.errors import UsageError
from deepdebug.hudd import View, cluster, heatmap_views
from tests.hudd.planted import blobs, heatmaps


def codes(found):
    return [note.code for note in found.notes]


def test_check_12_order_of_the_images_does_not_matter():
    maps, _ = heatmaps(0, 200, 128)
    order = np.random.default_rng(0).permutation(200)
    first, second = cluster([View("conv", maps)]), cluster([View("conv", maps[order])])
    assert ari(first.labels[order], second.labels) == 1
    assert first.sizes.tolist() == second.sizes.tolist()


@pytest.mark.parametrize("k", [None, 2, 30, 39])
def test_check_12_equal_images_land_together(k):
    maps, _ = heatmaps(1, 40, 64)
    found = cluster([View("conv", np.repeat(maps, 3, axis=0))], k=k)
    assert (found.labels.reshape(40, 3) == found.labels.reshape(40, 3)[:, :1]).all()


@pytest.mark.parametrize("how", ["l2", "sqrt", "sum", "max"])
def test_check_13_scaling_one_heatmap_changes_nothing(how):
    maps, _ = heatmaps(2, 80, 64)
    scaled = maps.copy()
    scaled[7] *= 1000
    first = cluster([View("conv", maps, normalise=how)])
    second = cluster([View("conv", scaled, normalise=how)])
    assert first.labels.tolist() == second.labels.tolist()
    np.testing.assert_allclose(first.heights, second.heights, rtol=1e-4)


@pytest.mark.parametrize("k", [3, 5, 8, 16])
@pytest.mark.parametrize("seed", range(3))
def test_check_17_separated_blobs_are_recovered(k, seed):
    vectors, labels = blobs(seed, 400, 64, k=k, apart=14, imbalance=1.1)
    found = cluster([View("conv", vectors, normalise="none")])
    assert ami(labels, found.labels) >= 0.95
    assert abs(found.k - k) <= 1


@pytest.mark.parametrize("seed", range(100, 105))
def test_check_17_the_default_finds_what_the_published_path_misses(seed):
    """8 clusters, logit spread 0.6, imbalance 1.5; the published path scored 0.04 there with the true number."""
    maps, labels = heatmaps(seed)
    found = cluster(heatmap_views({"conv": maps}))
    assert ami(labels, found.labels) >= 0.95
    assert abs(found.k - 8) <= 1
    assert found.significance.significant
    assert ami(labels, cluster([View("conv", maps)], mode="hudd").labels) < 0.2


def test_check_19_no_image_is_a_result_without_clusters():
    found = cluster([View("conv", np.zeros((0, 4, 4)))])
    assert (found.k, found.labels.shape, found.medoids.shape) == (0, (0,), (0,))
    assert found.notes[0].text == "There is no image to group."
    assert found.significance.significant is None


@pytest.mark.parametrize("mode", ["default", "hudd"])
@pytest.mark.parametrize("n", [1, 2, 3])
def test_check_19_few_images_are_a_result(n, mode):
    found = cluster(heatmap_views({"a": np.eye(n, 5), "b": np.eye(n, 6)}), mode=mode)
    assert len(found.labels) == n
    assert found.sizes.sum() == n
    assert "not-judged" in codes(found) or n == 1
    if mode == "default":
        assert found.k == 1
        assert "too-few-images" in codes(found)


@pytest.mark.parametrize("mode", ["default", "hudd"])
@pytest.mark.parametrize("value", [0.0, 1.0, 1e30])
def test_check_19_equal_images_are_one_cluster(value, mode):
    found = cluster([View("conv", np.full((30, 9), value))], mode=mode)
    assert len(set(found.labels.tolist())) == 1
    assert not found.significance.significant
    if mode == "default":
        assert {"constant-view", "all-equal", "no-cluster"} <= set(codes(found))


@pytest.mark.parametrize("mode", ["default", "hudd"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("n", [1, 20])
def test_check_19_value_that_is_not_finite_is_named(n, value, mode):
    maps = np.ones((n, 6))
    maps[n - 1, 2] = value
    with pytest.raises(UsageError, match=f"Row {n - 1} of the vectors of 'conv' holds 1 values that are not finite"):
        cluster([View("conv", maps)], mode=mode)


@pytest.mark.parametrize("linkage", ["ward", "average", "complete", "single", "weighted"])
def test_linkage_can_be_chosen(linkage):
    vectors, labels = blobs(0, 60, 20, k=3, apart=30)
    assert ari(labels, cluster([View("conv", vectors, normalise="none")], k=3, linkage=linkage).labels) == 1


def test_fine_has_about_25_clusters_and_coarse_fewer():
    maps, _ = heatmaps(3, 300, 64)
    views = [View("conv", maps)]
    assert cluster(views, detail="fine").k == 25
    assert cluster(views).k < 12
    assert cluster([View("conv", maps[:60])], detail="fine").k == 15


def test_number_of_clusters_can_be_given():
    maps, _ = heatmaps(4, 60, 64)
    for k in (1, 2, 17, 60):
        found = cluster([View("conv", maps)], k=k)
        assert (found.k, len(found.medoids), len(found.sizes)) == (k, k, k)
        assert (found.labels[found.medoids] == np.arange(k)).all()


def test_more_clusters_than_different_images_are_a_note():
    found = cluster([View("conv", np.repeat(np.eye(4), 5, axis=0))], k=9)
    assert found.k == 4
    assert "fewer-clusters" in codes(found)


def test_two_kinds_of_images_are_two_clusters():
    found = cluster([View("conv", np.repeat(np.eye(2, 6), 15, axis=0))])
    assert found.sizes.tolist() == [15, 15]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"k": 0}, "`k` is 0"),
        ({"k": 31}, "from 1 to the 30 images"),
        ({"k": 2.5}, "`k` is 2.5"),
        ({"k": True}, "`k` is True"),
        ({"detail": "medium"}, "`detail` is 'medium'"),
        ({"mode": "fast"}, "`mode` is 'fast'"),
        ({"linkage": "centroid"}, "`linkage` is 'centroid'"),
        ({"slicer": "dbscan"}, "`slicer` is 'dbscan'"),
        ({"level": 5}, "`level` is 5"),
        ({"exact": False, "linkage": "single"}, "too many images"),
    ],
)
def test_argument_that_cannot_be_used_is_an_error(arguments, message):
    with pytest.raises(UsageError, match=message):
        cluster([View("conv", np.random.default_rng(0).normal(size=(30, 4)))], **arguments)


def test_views_must_show_the_same_images_and_have_names_of_their_own():
    with pytest.raises(UsageError, match=r"different numbers of images: \{'a': 3, 'b': 4\}"):
        cluster([View("a", np.ones((3, 2))), View("b", np.ones((4, 2)))])
    with pytest.raises(UsageError, match="different names"):
        cluster([View("a", np.ones((3, 2))), View("a", np.ones((3, 2)))])
    with pytest.raises(UsageError, match="Got 0 views"):
        cluster([])


def test_files_in_half_precision_are_read_within_a_budget(tmp_path):
    maps, _ = heatmaps(5, 120, 256)
    np.save(tmp_path / "conv.npy", (maps * 1000).astype(np.float16))
    small = cluster([View("conv", tmp_path / "conv.npy")], memory=40_000, folder=tmp_path / "distances")
    assert ari(small.labels, cluster([View("conv", maps)]).labels) > 0.95
    assert sorted(path.name for path in (tmp_path / "distances").iterdir()) == ["combined.npy", "conv.npy"]


def test_same_seed_gives_the_same_result():
    maps, _ = heatmaps(6, 100, 64)
    first, second = (cluster([View("conv", maps)], seed=3) for _ in range(2))
    assert first.labels.tolist() == second.labels.tolist()
    assert first.significance == second.significance
