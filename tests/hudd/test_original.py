"""The published tool, step by step, against a slow version of it written here from its description."""

import numpy as np
import pytest
from kneed import KneeLocator
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist, squareform
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import normalize

from deepdebug.hudd import View, cluster
from deepdebug.hudd.original import choose_layer, fourth_order_gradient, original_clusters
from tests.hudd.planted import blobs, heatmaps
from tests.hudd.test_wicd import slow_wicd


def slow_gradient(y):
    """Fourth-order central differences over a spacing of 4; neighbours at the two ends."""
    n = len(y)
    found = [0.0] * n
    for i in range(2, n - 2):
        found[i] = (y[i - 2] - 8 * y[i - 1] + 8 * y[i + 1] - y[i + 2]) / 12
    for i in (0, 1):
        if i + 1 < n:
            found[i] = y[i + 1] - y[i]
    for i in (n - 2, n - 1):
        if i - 1 >= 0:
            found[i] = y[i] - y[i - 1]
    return np.array(found) / 4


def slow_original(raw):
    matrix = normalize(squareform(raw), norm="max")
    tree = linkage(pdist(matrix), "ward", optimal_ordering=True)
    numbers = list(range(2, int(np.clip(int(len(matrix) / 2), 2, 500)) + 1))
    partitions = [fcluster(tree, k, "maxclust") for k in numbers]
    if len(numbers) == 1:
        return partitions[0], None
    gradient = slow_gradient([slow_wicd(matrix, labels) for labels in partitions])
    knee = KneeLocator(numbers, gradient, curve="concave", direction="increasing").knee
    return partitions[knee - 2], slow_wicd(squareform(raw), partitions[knee - 2])


@pytest.mark.parametrize("n", [12, 40, 90])
@pytest.mark.parametrize("seed", range(5))
def test_check_15_labels_are_those_of_the_published_code(n, seed):
    raw = pdist(blobs(seed, n, 6, k=4, apart=5)[0])
    labels, score = slow_original(raw)
    ours = original_clusters(raw)
    assert ours.k == len(set(labels.tolist()))
    assert adjusted_rand_score(labels, ours.labels) == 1
    assert ours.wicd == pytest.approx(score)


@pytest.mark.parametrize("seed", range(3))
def test_check_15_on_a_stored_matrix_of_raw_heatmaps(tmp_path, seed):
    raw = pdist(heatmaps(seed, 100, 256)[0].astype(float))
    np.save(tmp_path / "layer.npy", raw)
    labels, _ = slow_original(raw)
    ours = original_clusters(np.load(tmp_path / "layer.npy", mmap_mode="r", allow_pickle=False))
    assert adjusted_rand_score(labels, ours.labels) == 1


def test_check_15_equal_heights_are_cut_together():
    """On a grid many merges have one height; scipy then cuts all or none of them."""
    compared = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        raw = pdist(random.integers(0, 4, (int(random.integers(8, 30)), 2)).astype(float))
        ours = original_clusters(raw)
        if not ours.notes:  # where there is no knee the published code stops with an error
            compared += 1
            assert adjusted_rand_score(slow_original(raw)[0], ours.labels) == 1
    assert compared > 30


@pytest.mark.parametrize("n", range(2, 9))
def test_gradient_is_that_of_the_published_code(n):
    y = np.random.default_rng(n).normal(size=n)
    np.testing.assert_allclose(fourth_order_gradient(y)[1 if n == 2 else 0 :], slow_gradient(y)[1 if n == 2 else 0 :])


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6])
def test_few_images_are_clustered_without_a_traceback(n):
    found = original_clusters(pdist(np.random.default_rng(n).normal(size=(n, 3))))
    assert len(found.labels) == n


def test_missing_knee_is_a_note_and_not_a_crash():
    found = original_clusters(np.ones(45))
    assert [note.code for note in found.notes] == ["knee-missing"]


def test_layer_has_the_smallest_wicd_and_is_not_the_input():
    random = np.random.default_rng(0)
    maps, _ = heatmaps(0, 60, 64)
    scales = {"input": 1e-6, "conv1": 1.0, "conv2": 1e-3, "conv3": 10.0}
    views = [View(name, scale * (maps + 0.01 * random.normal(size=maps.shape))) for name, scale in scales.items()]
    found = cluster(views, mode="hudd")
    assert found.view == "conv2"
    assert "chose the view 'conv2', of the smallest WICD" in found.notes[0].text


def test_single_view_is_chosen_even_though_it_is_the_first():
    assert choose_layer([original_clusters(pdist(np.random.default_rng(0).normal(size=(20, 3))))]) == 0
