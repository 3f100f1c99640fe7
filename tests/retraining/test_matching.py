import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepdebug.errors import UsageError
from deepdebug.retraining import matching
from deepdebug.retraining.assigning import assign
from deepdebug.retraining.matching import match
from deepdebug.retraining.nearness import nearness
from tests.retraining.test_nearness import case

SEEDS = st.integers(0, 10_000)


def quotas_of(labels, seed, most=6):
    found = np.random.default_rng(seed).integers(0, most, labels.max() + 1)
    found[0] = max(1, found[0])
    return found


@given(SEEDS)
def test_no_image_is_chosen_twice_and_every_quota_is_met(seed):
    vectors, members, labels = case(seed)
    quotas = quotas_of(labels, seed)
    found = match(vectors, members, labels, quotas, seed=seed)
    assert len(np.unique(found.images)) == len(found)
    assert np.bincount(found.clusters, minlength=len(quotas)).tolist() == quotas.tolist()


@given(SEEDS, st.sampled_from([1, 40, 2**24]))
def test_every_failure_claims_its_nearest_free_image_in_its_turn(seed, entries):
    """Turns are drawn once more here; what they claim is found by plain search."""
    vectors, members, labels = case(seed)
    quotas = quotas_of(labels, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matching, "ENTRIES", entries)
        found = match(vectors, members, labels, quotas, seed=seed)
    free, expected = list(range(len(vectors))), {}
    for failure in matching._turns(labels, quotas, np.random.default_rng(seed)):
        image = min(free, key=lambda one: np.linalg.norm(vectors[one].astype("float64") - members[failure]))
        free.remove(image)
        expected[image] = labels[failure]
    assert expected == dict(zip(found.images.tolist(), found.clusters.tolist(), strict=True))


@given(SEEDS)
def test_distances_are_those_to_the_nearest_failure_of_the_cluster(seed):
    vectors, members, labels = case(seed)
    found = match(vectors, members, labels, quotas_of(labels, seed))
    for image, cluster, distance in zip(found.images, found.clusters, found.distances, strict=True):
        own = members[labels == cluster].astype("float64")
        assert distance == pytest.approx(np.linalg.norm(own - vectors[image], axis=1).min(), rel=1e-4)


@pytest.mark.parametrize("entries", [1, 2**24])
@pytest.mark.parametrize("seed", range(10))
def test_of_equal_images_the_first_is_claimed_first_whatever_the_rounding(monkeypatch, entries, seed):
    random = np.random.default_rng(seed)
    vectors, members = random.normal(size=(501, 256)).astype("float32"), random.normal(size=(40, 256)).astype("float32")
    vectors[-1] = vectors[0]
    monkeypatch.setattr(matching, "ENTRIES", entries)
    found = match(vectors, members, np.arange(40) % 4, [60] * 4, seed=seed)
    assert {0, 500} & set(found.images.tolist()) != {500}


@given(SEEDS, st.integers(1, 40))
def test_failures_of_a_cluster_have_equally_many_turns(seed, quota):
    _, _, labels = case(seed)
    turns = matching._turns(labels, np.full(labels.max() + 1, quota), np.random.default_rng(seed))
    for cluster in range(labels.max() + 1):
        own = np.flatnonzero(labels == cluster)
        counts = np.bincount(turns, minlength=len(labels))[own]
        assert counts.sum() == quota
        assert counts.max() - counts.min() <= 1
        first = turns[labels[turns] == cluster][: len(own)]
        assert len(np.unique(first)) == min(quota, len(own))


@given(SEEDS)
def test_ranks_count_the_clusters_that_are_nearer(seed):
    vectors, members, labels = case(seed)
    quotas = quotas_of(labels, seed)
    found, part = match(vectors, members, labels, quotas), np.flatnonzero(quotas)
    least = nearness(vectors, members, labels).least
    for image, cluster, rank in zip(found.images, found.clusters, found.ranks, strict=True):
        assert rank == (least[image, part] < least[image, cluster]).sum()


@given(SEEDS)
def test_order_of_the_images_does_not_matter(seed):
    vectors, members, labels = case(seed)
    order = np.random.default_rng(seed).permutation(len(vectors))
    one, other = match(vectors, members, labels, [3] * 4), match(vectors[order], members, labels, [3] * 4)
    assert dict(zip(one.images, one.clusters, strict=True)) == dict(
        zip(order[other.images], other.clusters, strict=True)
    )


def test_images_are_spread_as_the_failures_are():
    """A third of the failures lies far apart: nearest to any failure leaves it out, though it has as many images."""
    random = np.random.default_rng(0)
    dense, wide = (lambda rows: random.normal(0, 0.1, (rows, 4))), (lambda rows: random.normal(6, 2.0, (rows, 4)))
    members = np.concatenate([dense(200), wide(100)]).astype("float32")
    vectors = np.concatenate([dense(600), wide(600)]).astype("float32")
    labels = np.zeros(300, int)
    matched = match(vectors, members, labels, [90])
    nearest = assign(nearness(vectors, members, labels), [90])
    assert (nearest.images >= 600).sum() == 0
    assert 20 <= (matched.images >= 600).sum() <= 40


def test_images_that_are_taken_are_left_out():
    vectors, members, labels = case(1)
    taken = match(vectors, members, labels, [2] * 4).images
    others = match(vectors, members, labels, [2] * 4, taken=taken)
    assert not np.isin(others.images, taken).any()
    assert len(match(vectors, members, labels, [100] * 4, taken=taken)) == len(vectors) - len(taken)


def test_fewer_images_than_quotas_gives_all_of_them():
    vectors, members, labels = case(1)
    assert sorted(match(vectors, members, labels, [100] * 4).images) == list(range(30))


def test_a_far_place_costs_no_digits():
    vectors, members, labels = case(0)
    near, far = (match(vectors + shift, members + shift, labels, [3] * 4) for shift in np.float32([0, 1000]))
    np.testing.assert_array_equal(near.images, far.images)


def test_progress_counts_every_claim(monkeypatch):
    monkeypatch.setattr(matching, "ENTRIES", 30 * 5)
    seen = []

    def progress(*stage):
        seen.append(stage)
        return seen.append

    match(*case(0), [3] * 4, progress=progress)
    assert seen == [("Matching", 12), 5, 5, 2]


def test_what_cannot_be_used_is_refused():
    vectors, members, labels = case(0)
    with pytest.raises(UsageError, match="3 values and members 6"):
        match(vectors[:, :3], members, labels, [1] * 4)
    with pytest.raises(UsageError, match="two failures or more"):
        match(vectors, members, labels, [0] * 4)
    with pytest.raises(UsageError, match="5 quotas for 4 clusters"):
        match(vectors, members, labels, [1] * 5)
