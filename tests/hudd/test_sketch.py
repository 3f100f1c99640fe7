"""Where there are too many images for all distances: short vectors and groups of near images."""

import subprocess
import sys

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from sklearn.metrics import adjusted_rand_score as ari

from deepdebug.errors import UsageError
from deepdebug.hudd import View, cluster, heatmap_views
from deepdebug.hudd.micro import micro_clusters, nearest
from deepdebug.hudd.sketch import mean_squared_distance, sketch
from deepdebug.hudd.views import combined
from tests.hudd.planted import blobs, heatmaps

MAPS, LABELS = heatmaps(0, 300, 600)


def test_sketch_keeps_the_distances_of_all_views_together():
    views = [View("a", MAPS, weight=2.0), View("b", 1e5 * MAPS[:, :50], normalise="l2")]
    exact = combined(views)[0]
    ratio = pdist(sketch(views)[0].astype(float)) / exact
    assert abs(ratio.mean() - 1) < 0.03
    assert ratio.std() < 0.09  # sqrt(2 / 256) of the squared distance, half of it of the distance; images share signs


def test_sketch_of_images_far_from_zero_loses_no_digits():
    vectors = blobs(0, 60, 400, k=3, apart=20)[0]
    near, far = (sketch([View("a", v, normalise="none")])[0] for v in (vectors, vectors + 1000))
    np.testing.assert_allclose(pdist(far), pdist(near), rtol=1e-2)


def test_sketch_reads_block_by_block_with_the_same_result(tmp_path):
    np.save(tmp_path / "a.npy", MAPS)
    whole = sketch([View("a", MAPS)])[0]
    np.testing.assert_allclose(sketch([View("a", tmp_path / "a.npy")], memory=10_000)[0], whole, atol=1e-4)


def test_sketch_needs_vectors_and_notes_constant_views():
    with pytest.raises(UsageError, match="has distances but no vectors"):
        sketch([View("a", distances=np.ones(3))])
    assert [note.code for note in sketch([View("a", np.ones((5, 3)))])[1]] == ["constant-view"]


def test_mean_squared_distance_is_that_of_all_pairs():
    points = np.random.default_rng(0).normal(size=(40, 5))
    points -= points.mean(axis=0)
    assert mean_squared_distance(points) == pytest.approx((pdist(points) ** 2).mean())


def test_groups_are_near_images_and_have_their_means():
    points = np.random.default_rng(1).normal(size=(500, 4)).astype(np.float32)
    micro = micro_clusters(points, 50)
    assert micro.weights.sum() == 500
    assert micro.weights.min() >= 1
    for group in range(len(micro.weights)):
        np.testing.assert_allclose(points[micro.group == group].mean(axis=0), micro.centres[group], atol=1e-5)
    inner = ((points - micro.centres[micro.group]) ** 2).sum(axis=1).mean()
    assert inner < 0.2 * points.var(axis=0).sum()


def test_nearest_centre_is_that_of_all_distances():
    random = np.random.default_rng(2)
    points, centres = random.normal(size=(60, 3)), random.normal(size=(9, 3)) + 2
    slow = ((points[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
    assert nearest(points, centres).tolist() == slow.tolist()


def test_approximate_path_says_so_and_finds_the_same_clusters():
    views = heatmap_views({"conv": MAPS})
    found = cluster(views, exact=False)
    assert "approximate" in [note.code for note in found.notes]
    assert ari(cluster(views).labels, found.labels) > 0.95
    assert (found.labels[found.medoids] == np.arange(found.k)).all()
    assert found.significance.significant


@pytest.mark.parametrize("n", [2, 3, 7, 30])
def test_approximate_path_takes_few_and_equal_images(n):
    random = np.random.default_rng(n)
    assert cluster([View("a", random.normal(size=(n, 5)))], exact=False).sizes.sum() == n
    assert cluster([View("a", np.ones((n, 5)))], exact=False).k == 1


@pytest.mark.slow
def test_check_20_approximate_path_is_the_exact_one_at_5000_images():
    """One group per 20 images, as at 100,000 images; the budget is a fifth of the vectors."""
    maps, labels = heatmaps(100, 5000, 1024)
    views = heatmap_views({"conv": maps})
    exact, near = cluster(views), cluster(views, exact=False, memory=4_000_000)
    assert ari(exact.labels, near.labels) >= 0.9
    assert ari(cluster(views, k=8).labels, cluster(views, k=8, exact=False).labels) >= 0.9
    assert ari(labels, near.labels) >= 0.9


MEASURED = """
import sys
from benchmarks.scale import peak_memory
from deepdebug.hudd import View
from deepdebug.hudd.sketch import sketch
from deepdebug.hudd.views import view_distances

view, budget = View("layer", sys.argv[1]), int(sys.argv[2])
before = peak_memory()
sketch([view], memory=budget)
view_distances(view, memory=budget)
print(peak_memory() - before)
"""


@pytest.mark.slow
def test_check_20_vectors_larger_than_the_budget_are_never_in_memory(tmp_path):
    """141 MB of vectors with a budget of 16 MB; 14 MB of results, 5 MB of signs and BLAS's own buffers come on top."""
    file = np.lib.format.open_memmap(tmp_path / "layer.npy", mode="w+", dtype=np.float32, shape=(1920, 18432))
    for start in range(0, 1920, 240):
        file[start : start + 240] = np.random.default_rng(start).normal(size=(240, 18432))
    file.flush()
    command = [sys.executable, "-c", MEASURED, str(tmp_path / "layer.npy"), str(16 * 2**20)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 100 * 2**20
