import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepdebug.errors import UsageError
from deepdebug.retraining.assigning import assign
from deepdebug.retraining.matching import match
from deepdebug.retraining.mixing import mix
from deepdebug.retraining.nearness import nearness
from tests.retraining.test_nearness import case


@given(st.integers(0, 10_000), st.lists(st.integers(0, 7), min_size=4, max_size=4).filter(any))
def test_half_of_every_quota_is_nearest_and_the_rest_matched(seed, quotas):
    vectors, members, labels = case(seed)
    near, wanted = nearness(vectors, members, labels), np.array(quotas)
    found = mix(near, wanted, vectors=vectors, members=members, labels=labels)
    assert np.bincount(found.clusters, minlength=4).tolist() == quotas
    nearest = assign(near, wanted // 2).images if (wanted > 1).any() else np.zeros(0, int)
    matched = match(vectors, members, labels, wanted - wanted // 2, taken=nearest)
    assert sorted(found.images) == sorted([*nearest, *matched.images])
    assert len(np.unique(found.images)) == len(found)
    order = np.lexsort((found.images, found.distances, found.clusters))
    assert order.tolist() == list(range(len(found)))


@given(st.integers(0, 10_000), st.lists(st.integers(0, 3), min_size=4, max_size=4).filter(any))
def test_ranks_count_the_nearer_clusters_that_take_part_in_either_half(seed, quotas):
    vectors, members, labels = case(seed)
    near, part = nearness(vectors, members, labels), np.flatnonzero(quotas)
    found = mix(near, np.array(quotas), vectors=vectors, members=members, labels=labels)
    for image, cluster, rank, distance in zip(found.images, found.clusters, found.ranks, found.distances, strict=True):
        assert distance == near.least[image, cluster]
        assert rank == (near.least[image, part] < distance).sum()


def test_fewer_images_than_quotas_gives_all_of_them():
    vectors, members, labels = case(1)
    found = mix(nearness(vectors, members, labels), np.full(4, 100), vectors=vectors, members=members, labels=labels)
    assert sorted(found.images) == list(range(30))


def test_no_quota_is_refused():
    vectors, members, labels = case(1)
    with pytest.raises(UsageError, match="two failures or more"):
        mix(nearness(vectors, members, labels), np.zeros(4, int), vectors=vectors, members=members, labels=labels)
