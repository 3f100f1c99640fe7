import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist, pdist

from deepdebug.errors import UsageError
from deepdebug.retraining.nearness import nearness


def case(seed, *, images=30, failures=17, clusters=4, width=6, scale=1.0, shift=0.0):
    random = np.random.default_rng(seed)
    members = (scale * random.normal(size=(failures, width)) + shift).astype("float32")
    vectors = (scale * random.normal(size=(images, width)) + shift).astype("float32")
    labels = random.permutation(
        np.concatenate([np.arange(clusters), random.integers(-1, clusters, failures - clusters)])
    )
    return vectors, members, labels


@given(st.integers(0, 10_000), st.sampled_from([0.0, 100.0]), st.sampled_from([1, 7, 2048]))
def test_check_22_all_distances_are_those_of_brute_force(seed, shift, block):
    vectors, members, labels = case(seed, shift=shift)
    found = nearness(vectors, members, labels, block=block)
    for cluster in range(labels.max() + 1):
        own = members[labels == cluster].astype("float64")
        apart = cdist(vectors.astype("float64"), own)
        np.testing.assert_allclose(found.least[:, cluster], apart.min(axis=1), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(found.mean[:, cluster], apart.mean(axis=1), rtol=1e-4, atol=1e-5)
        centre = own.mean(axis=0, keepdims=True)
        np.testing.assert_allclose(found.centre[:, cluster], cdist(vectors, centre)[:, 0], rtol=1e-4, atol=1e-4)
        spread = found.spreads[cluster]
        assert spread.size == len(own)
        assert spread.distance == pytest.approx(pdist(own).mean() if len(own) > 1 else 0.0, rel=1e-4)
        assert spread.radius == pytest.approx(cdist(own, centre).max(), rel=1e-4, abs=1e-5)
        assert spread.squares == pytest.approx((cdist(own, centre) ** 2).mean(), rel=1e-4, abs=1e-6)


@given(st.integers(0, 1000), st.sampled_from([1e-3, 1.0, 1e4]))
def test_check_22_an_image_equal_to_a_member_is_at_distance_0(seed, scale):
    vectors, members, labels = case(seed, scale=scale, shift=3 * scale)
    member = int(np.flatnonzero(labels >= 0)[0])
    vectors[5] = members[member]
    assert nearness(vectors, members, labels).least[5, labels[member]] == 0


def test_vectors_may_lie_in_a_file(tmp_path):
    vectors, members, labels = case(0)
    np.save(tmp_path / "v.npy", vectors)
    one, other = nearness(vectors, members, labels), nearness(tmp_path / "v.npy", members, labels, block=4)
    np.testing.assert_allclose(one.least, other.least, rtol=1e-6)


def test_progress_counts_every_image():
    seen = []
    nearness(*case(0), block=8, advance=seen.append)
    assert seen == [8, 8, 8, 6]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v, m, y: (v[:, :3], m, y), "3 values and members 6"),
        (lambda v, m, y: (v, m, np.full(len(y), -1)), "No failure is in a cluster"),
        (lambda v, m, y: (v, m, np.where(y == 1, 0, y)), "Cluster 1 has no members"),
    ],
)
def test_what_cannot_be_used_is_refused(change, message):
    with pytest.raises(UsageError, match=message):
        nearness(*change(*case(0)))
