import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepdebug.errors import UsageError
from deepdebug.retraining.assigning import BY_DISTANCE, assign
from deepdebug.retraining.nearness import nearness
from tests.retraining.test_nearness import case

SEEDS = st.integers(0, 10_000)


def published(distances, quotas):
    """The unsafe set by the steps of the published code: for every rank, all images by their distance at that rank."""
    order = np.argsort(distances, axis=1, kind="stable")
    taken: dict[int, tuple[int, int]] = {}
    counts = np.zeros(len(quotas), int)
    for rank in range(distances.shape[1]):
        at_rank = distances[np.arange(len(distances)), order[:, rank]]
        for image in np.argsort(at_rank, kind="stable"):
            cluster = order[image, rank]
            if image not in taken and counts[cluster] < quotas[cluster]:
                taken[int(image)] = (int(cluster), rank)
                counts[cluster] += 1
    return taken


def near_and_quotas(seed, most=6):
    near = nearness(*case(seed))
    quotas = np.random.default_rng(seed).integers(0, most, len(near.spreads))
    quotas[0] = max(1, quotas[0])
    return near, quotas


@given(SEEDS)
def test_check_22_closest_u_is_the_ranking_of_the_published_code(seed):
    near, quotas = near_and_quotas(seed)
    part = np.flatnonzero(quotas)
    expected = published(near.least[:, part], quotas[part])
    found = assign(near, quotas)
    ranked = dict(
        zip(found.images.tolist(), zip(found.clusters.tolist(), found.ranks.tolist(), strict=True), strict=True)
    )
    assert ranked == {image: (int(part[cluster]), rank) for image, (cluster, rank) in expected.items()}


@given(SEEDS, st.sampled_from(BY_DISTANCE))
def test_check_21_no_image_twice_and_no_quota_exceeded(seed, mode):
    near, quotas = near_and_quotas(seed, most=12)
    found = assign(near, quotas, mode)
    assert len(np.unique(found.images)) == len(found)
    counts = np.bincount(found.clusters, minlength=len(quotas))
    assert (counts <= quotas).all()
    if mode == "ClosestU":
        assert counts.sum() == min(quotas.sum(), len(near.least))


def test_check_21_quotas_are_met_exactly_where_there_are_images_enough():
    near, _ = near_and_quotas(1)
    assert np.bincount(assign(near, [3, 0, 5, 1]).clusters, minlength=4).tolist() == [3, 0, 5, 1]


def test_fewer_images_than_quotas_gives_all_of_them():
    near, _ = near_and_quotas(1)
    assert sorted(assign(near, [100, 100, 100, 100]).images) == list(range(30))


@given(SEEDS)
def test_check_22_an_image_equal_to_a_member_goes_to_its_cluster(seed):
    vectors, members, labels = case(seed)
    member = int(np.flatnonzero(labels >= 0)[-1])
    vectors[3] = members[member]
    found = assign(nearness(vectors, members, labels), np.full(labels.max() + 1, 1))
    place = found.images.tolist().index(3)
    assert (found.clusters[place], found.ranks[place], found.distances[place]) == (labels[member], 0, 0)


@given(SEEDS)
def test_icd_modes_never_make_a_cluster_wider(seed):
    near, _ = near_and_quotas(seed)
    for mode in ("ClosestICD", "Centroid"):
        found = assign(near, [5] * 4, mode)
        widths = np.array([one.distance for one in near.spreads])
        assert (near.mean[found.images, found.clusters] <= widths[found.clusters]).all()


@given(SEEDS)
def test_sse_never_makes_the_mean_square_larger(seed):
    vectors, members, labels = case(seed)
    found = assign(nearness(vectors, members, labels), [5] * 4, "SSE")
    for image, cluster in zip(found.images, found.clusters, strict=True):
        own = members[labels == cluster].astype("float64")
        more = np.concatenate([own, vectors[[image]]])
        before, after = (((some - some.mean(axis=0)) ** 2).sum(axis=1).mean() for some in (own, more))
        assert after <= before * (1 + 1e-5)


def test_order_is_that_of_clusters_and_distances():
    near, _ = near_and_quotas(2)
    found = assign(near, [4, 4, 4, 4])
    order = np.lexsort((found.distances, found.clusters))
    assert order.tolist() == list(range(len(found)))


def test_what_cannot_be_used_is_refused():
    near, _ = near_and_quotas(0)
    with pytest.raises(UsageError, match=r"'Nearest'; expected one of 'ClosestU'"):
        assign(near, [1, 1, 1, 1], "Nearest")
    with pytest.raises(UsageError, match="two failures or more"):
        assign(near, [0, 0, 0, 0])
