"""The scores of clusters, against examples made by hand and scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_mutual_info_score, completeness_score, homogeneity_score

from benchmarks.hudd.scores import agreement, scores, split

NAMES = ("light", "pose")


def flags(*causes):
    """Return which of two causes each failure has: "l", "p", "lp", or "" for none."""
    return np.array([["l" in one, "p" in one] for one in causes])


def members(labels):
    return [np.flatnonzero(labels == label) for label in range(labels.max() + 1)]


def score(labels, causes):
    labels = np.array(labels)
    return scores(labels, causes, NAMES, members(labels))


def test_clusters_of_one_cause_each_are_perfect():
    found = score([0] * 6 + [1] * 5, flags(*"llllll", *"ppppp"))
    assert (found.ami, found.purity, found.coverage, found.coverage_strict) == (1.0, 1.0, 1.0, 1.0)
    assert found.f1 == {"light": 1.0, "pose": 1.0}
    assert (found.first, found.first_explained, found.clusters) == (1.0, 1.0, 2)
    assert found.inspected == pytest.approx(100 * 5 * 2 / 11)


def test_agreement_is_that_of_scikit_learn_over_failures_with_one_cause():
    random = np.random.default_rng(0)
    labels, causes = random.integers(0, 4, 200), random.random((200, 3)) < 0.4
    single = causes.sum(axis=1) == 1
    expected = adjusted_mutual_info_score(causes[single].argmax(axis=1), labels[single])
    assert agreement(labels, causes) == pytest.approx(expected)


def test_natural_failures_count_only_where_all_failures_are_meant():
    labels = [0] * 10 + [1] * 5
    found = score(labels, flags(*"lllll", *[""] * 5, *"ppppp"))
    assert found.purity == 1.0
    assert (found.coverage, found.coverage_strict) == (1.0, 0.5)
    assert found.f1["light"] == 1.0
    assert found.f1_strict["light"] == pytest.approx(2 * 5 / (10 + 5))
    assert found.first_explained == 1.0
    assert found.first == pytest.approx((5 / 10 + 1) / 2)


def test_purity_weighs_clusters_by_their_explained_failures():
    found = score([0] * 8 + [1] * 2, flags(*"llllllpp", *"pp"))
    assert found.purity == pytest.approx((6 + 2) / 10)


def test_cluster_covers_from_nine_of_ten_and_five_images_on():
    enough = flags(*["l"] * 9, "p", *["p"] * 5)
    assert score([0] * 10 + [1] * 5, enough).coverage == 1.0
    less_pure = flags(*["l"] * 8, "p", "p", *["p"] * 5)
    assert score([0] * 10 + [1] * 5, less_pure).coverage == 0.5
    too_small = flags(*["l"] * 9, "p", *["p"] * 5)
    assert score([0] * 11 + [1] * 4, too_small).coverage == 0.0


def test_rare_cause_is_not_asked_for():
    found = score([0] * 6 + [1] * 4, flags(*"llllll", *"pppp"))
    assert found.f1.keys() == {"light"}
    assert found.coverage == 1.0


def test_failure_with_two_causes_counts_for_both_but_not_in_the_agreement():
    causes = flags(*["lp"] * 5, *["l"] * 5, *["p"] * 5)
    found = score([0] * 5 + [1] * 5 + [2] * 5, causes)
    assert found.ami == 1.0
    assert found.f1 == {"light": pytest.approx(2 * 5 / 15), "pose": pytest.approx(2 * 5 / 15)}


def test_failures_in_no_cluster_are_missed_but_spoil_none():
    found = score([0] * 5 + [-1] * 5 + [1] * 5, flags(*"lllll", *"lllll", *"ppppp"))
    assert found.purity == 1.0
    assert found.clusters == 2
    assert found.f1["light"] == pytest.approx(2 * 5 / (5 + 10))
    assert found.ami < 1.0


def test_first_ten_are_those_nearest_to_the_medoid():
    labels, causes = np.zeros(20, int), flags(*["l"] * 10, *["p"] * 10)
    assert scores(labels, causes, NAMES, [np.arange(20)]).first == 1.0
    assert scores(labels, causes, NAMES, [np.arange(5, 20)]).first == 0.5


def test_homogeneity_and_completeness_are_those_of_scikit_learn():
    random = np.random.default_rng(0)
    labels, causes = random.integers(0, 4, 200), np.eye(3, dtype=bool)[random.integers(0, 3, 200)]
    found = scores(labels, causes, "abc", members(labels))
    cause = causes.argmax(axis=1)
    assert found.homogeneity == pytest.approx(homogeneity_score(cause, labels))
    assert found.completeness == pytest.approx(completeness_score(cause, labels))


def test_divided_causes_are_pure_and_of_about_equal_size():
    causes = flags(*["l"] * 30, *["p"] * 10, "", "lp")
    labels = split(causes, 4)
    assert np.bincount(labels[:30]).tolist() == [10, 10, 10]
    assert set(labels[30:40]) == {3}
    assert labels[40:].tolist() == [-1, -1]


def test_one_cause_alone_cannot_be_told_from_others():
    assert score([0, 0, 1, 1], flags(*"llll")).ami is None


def test_nothing_is_known_of_any_failure():
    found = score([0, 0, 1], flags("", "", ""))
    assert (found.ami, found.purity, found.coverage, found.f1, found.first_explained) == (None, 0.0, 0.0, {}, 0.0)
