import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from deepdebug.errors import UsageError
from deepdebug.retraining.arms import ARMS, Pool, by_entropy, check_fair, plan
from deepdebug.retraining.assigning import Chosen

SIZES = st.lists(st.integers(1, 12), min_size=1, max_size=5)


def unsafe(sizes):
    clusters = np.repeat(np.arange(len(sizes)), sizes)
    images = np.random.default_rng(0).permutation(100)[: len(clusters)]
    return Chosen(images, clusters, np.zeros_like(clusters), np.linspace(1, 2, len(clusters)))


def pool(sizes=(10, 4, 7), failing=0.3, validation=0.1, **more):
    known = unsafe(sizes)
    is_wrong = np.random.default_rng(1).random(100) < failing
    return Pool(
        training=50,
        improvement=100,
        unsafe=known,
        bag_size=max(sizes),
        scores=np.random.default_rng(2).normal(size=(100, 3)),
        wrong=lambda rows: is_wrong[rows],
        validation=validation,
        **more,
    )


@given(SIZES, st.integers(0, 100), st.sampled_from([0.0, 0.1, 0.3]))
def test_check_24_all_arms_have_the_same_terms(sizes, seed, validation):
    known = pool(sizes, validation=validation)
    plans = [plan(known, arm, run, seed) for arm in ARMS for run in (1, 2, 3)]
    check_fair(plans)
    assert {len(one.labelled) for one in plans} == {sum(sizes)}
    for run in (1, 2, 3):
        assert (
            len({(one.seed, one.training.tobytes(), one.training_apart.tobytes()) for one in plans if one.run == run})
            == 1
        )


@given(SIZES, st.integers(0, 100), st.lists(st.integers(0, 99), max_size=20, unique=True), st.sampled_from(ARMS[1:]))
def test_image_that_nobody_can_label_costs_one_new_label_at_most(sizes, seed, marks, arm):
    def labelled(marked):
        left = unsafe(sizes)
        left = left.take(np.flatnonzero(~np.isin(left.images, marked)))
        some = pool(sizes, marked=np.array(marked, int), drawn=sum(sizes))
        return set(plan(dataclasses.replace(some, unsafe=left), arm, 1, seed).labelled.tolist()) if len(left) else None

    before, after = labelled(marks[:-1]), labelled(marks)
    if marks and before is not None and after is not None:
        assert not after & set(marks)
        assert len(after - before) <= 1
        assert len(before - after) <= 1


@given(SIZES, st.integers(0, 100))
def test_check_23_bag_of_hudd_is_balanced(sizes, seed):
    known = pool(sizes)
    found = plan(known, "HUDD", 1, seed)
    cluster = dict(zip(known.unsafe.images.tolist(), known.unsafe.clusters.tolist(), strict=True))
    counts = np.bincount([cluster[image] for image in found.bag], minlength=len(sizes))
    assert counts.tolist() == [max(sizes)] * len(sizes)


@pytest.mark.parametrize(
    "change",
    [
        {"labelled": np.array([1, 2, 3])},
        {"labelled": np.array([1] * 21)},
        {"bag": np.array([1, 2])},
        {"seed": 5},
        {"training": np.arange(40)},
        {"bag_apart": np.array([99])},
        {"bag_apart": np.array([3, 3, 3, 3, 3])},
        {"training_apart": np.arange(4)},
    ],
)
def test_check_24_unequal_terms_are_a_fault_of_the_program(change):
    plans = [plan(pool(), arm, 1, 0) for arm in ("HUDD", "BL2")]
    with pytest.raises(RuntimeError, match=r"run 1: the arm (HUDD|BL2) has not"):
        check_fair([plans[0], dataclasses.replace(plans[1], **change)])


def test_check_25_without_failing_images_the_bag_of_bl1_is_empty_and_said_to_be():
    found = plan(pool(failing=0.0), "BL1", 1, 0)
    assert (len(found.bag), len(found.bag_apart), len(found.labelled)) == (0, 0, 21)
    assert "none of the labelled images wrong" in found.note
    check_fair([found, plan(pool(failing=0.0), "BL2", 1, 0)])


def test_bl1_trains_on_failing_images_only_and_bl2_on_all_that_it_labelled():
    known = pool()
    one, two = (plan(known, arm, 1, 0) for arm in ("BL1", "BL2"))
    assert known.wrong(one.bag).all()
    assert set(two.bag) | set(two.bag_apart) == set(two.labelled)


def test_random_arms_draw_every_image_as_often():
    counts = np.zeros(100)
    for run in range(1, 401):
        counts[plan(pool(), "BL2", run, 0).labelled] += 1
    assert stats.chisquare(counts).pvalue > 0.01


def test_runs_differ_and_repeat():
    one, again, other = plan(pool(), "BL2", 1, 0), plan(pool(), "BL2", 1, 0), plan(pool(), "BL2", 2, 0)
    assert one.bag.tolist() == again.bag.tolist() != other.bag.tolist()
    assert one.seed == again.seed != other.seed
    assert plan(pool(), "BL2", 1, 7).seed != one.seed


@given(SIZES, st.integers(0, 50))
def test_what_is_kept_apart_is_never_trained_on(sizes, seed):
    for arm in ARMS:
        found = plan(pool(sizes, validation=0.3), arm, 1, seed)
        assert not set(found.bag) & set(found.bag_apart)
        assert not set(found.training) & set(found.training_apart)


@given(SIZES, st.integers(0, 50), st.sampled_from([0.1, 0.3, 0.5]))
def test_check_24_all_arms_choose_the_epoch_by_as_many_images(sizes, seed, validation):
    known = pool(sizes, failing=1.0, validation=validation)
    assert len({len(plan(known, arm, 1, seed).bag_apart) for arm in ARMS}) == 1


@given(SIZES, st.integers(0, 50), st.sampled_from([0.0, 0.1, 0.3, 0.5]))
def test_every_label_that_was_paid_for_is_used(sizes, seed, validation):
    for arm in ("HUDD", "BL2", "entropy"):
        found = plan(pool(sizes, validation=validation), arm, 1, seed)
        assert set(found.bag) | set(found.bag_apart) == set(found.labelled)


def test_a_cluster_of_one_image_is_trained_on():
    for run in range(1, 30):
        found = plan(pool((1, 9), validation=0.3), "HUDD", run, 0)
        alone = int(unsafe((1, 9)).images[0])
        assert alone in found.bag


def test_entropy_takes_the_least_sure_images():
    scores = np.array([[9.0, 0, 0], [0, 0, 0], [1, 0, 0], [3, 3, 0]])
    found = by_entropy(scores, 3)
    assert found.images.tolist() == [1, 2, 3]
    assert found.distances[0] == pytest.approx(0)
    assert by_entropy(np.array([[4.0], [0.1]]), 1).images.tolist() == [1]


def test_entropy_needs_classes_and_arms_need_names():
    with pytest.raises(UsageError, match="this is a regression"):
        plan(dataclasses.replace(pool(), scores=None), "entropy", 1, 0)
    with pytest.raises(UsageError, match="'BL3'; expected some of HUDD, BL1"):
        plan(pool(), "BL3", 1, 0)
    with pytest.raises(UsageError, match="unsafe set is empty"):
        plan(dataclasses.replace(pool(), unsafe=unsafe([])), "HUDD", 1, 0)
