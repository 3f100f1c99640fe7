import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepdebug.observe.labels import class_codes, describe_labels, stratified_rows

CODES = st.lists(st.integers(0, 4), min_size=1, max_size=60).map(np.array)


def shuffled(rows, classes=3):
    return np.random.default_rng(0).permutation(np.arange(rows) % classes)


def test_class_numbers_are_counted():
    facts = describe_labels("y", np.array([2, 0, 2, 3]))
    assert facts.class_counts == (1, 0, 2, 1)
    assert (facts.shape, facts.rows, facts.distinct, facts.integer) == ((), 4, 3, True)
    assert (facts.minimum, facts.maximum, facts.mean) == (0.0, 3.0, 1.75)


@given(CODES)
def test_all_spellings_of_classes_give_the_same_counts(codes):
    spellings = [codes, codes[:, None], codes.astype(np.float32), codes.astype(np.int8), np.eye(5)[codes]]
    counts = [np.trim_zeros(describe_labels("y", one).class_counts, "b") for one in spellings]
    assert len(set(counts)) == 1
    assert counts[0] == tuple(np.bincount(codes))


def test_one_hot_rows_are_known():
    facts = describe_labels("y", np.eye(4)[[0, 1, 1]])
    assert (facts.one_hot, facts.rows_sum_to_one, facts.class_counts) == (True, True, (1, 2, 0, 0))


def test_one_hot_positions_are_known_but_not_counted():
    facts = describe_labels("y", np.eye(3)[np.array([[0, 1], [2, 2]])])
    assert (facts.one_hot, facts.class_counts, facts.shape) == (True, (), (2, 3))


def test_shares_are_no_classes():
    facts = describe_labels("y", np.array([[0.25, 0.75], [0.5, 0.5]]))
    assert (facts.one_hot, facts.rows_sum_to_one, facts.class_counts) == (False, True, ())


def test_several_labels_per_row_are_no_classes():
    facts = describe_labels("y", np.array([[1, 1, 0], [0, 0, 0]]))
    assert (facts.one_hot, facts.rows_sum_to_one, facts.class_counts, facts.integer) == (False, False, (), True)


def test_negative_numbers_are_not_counted_but_may_be_sorted():
    facts = describe_labels("y", np.repeat([-1, 1], 50))
    assert (facts.class_counts, facts.sorted_fraction) == ((), 1.0)


def test_constant_predictors_losses_agree_with_their_definition():
    values = np.random.default_rng(0).normal(size=(500, 3)) * [1, 5, 20]
    facts = describe_labels("y", values)
    assert facts.variance == pytest.approx(((values - values.mean(axis=0)) ** 2).mean())
    assert facts.median_deviation == pytest.approx(np.abs(values - np.median(values, axis=0)).mean())
    assert facts.distinct == 1001


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_sorted_rows_are_sorted_and_shuffled_ones_are_not(classes):
    rows = shuffled(3000, classes)
    assert describe_labels("y", np.sort(rows)).sorted_fraction == 1.0
    assert describe_labels("y", np.sort(rows)[::-1]).sorted_fraction == 1.0
    assert describe_labels("y", rows).sorted_fraction < 0.05


def test_single_class_has_no_order():
    assert describe_labels("y", np.zeros(10, int)).sorted_fraction is None


def test_sample_of_many_one_hot_rows_keeps_their_order():
    labels = np.eye(10, dtype=np.uint8)[np.sort(shuffled(5000, 10))]
    facts = describe_labels("y", labels, max_elements=10_000)
    assert (facts.rows, facts.sorted_fraction) == (1000, 1.0)
    assert min(facts.class_counts) > 60


def test_nan_is_counted_and_left_out():
    facts = describe_labels("y", np.array([1.0, np.nan, 3.0]))
    assert (facts.non_finite, facts.first_non_finite, facts.mean, facts.class_counts) == (1, "row 1", 2.0, ())


@pytest.mark.parametrize("values", [np.array(["a", "b"]), np.array([None, 1], dtype=object), [[1], [1, 2]]])
def test_labels_that_are_no_numbers_get_no_numbers(values):
    facts = describe_labels("y", values)
    assert (facts.rows, facts.minimum, facts.integer, facts.class_counts) == (2, None, False, ())


@pytest.mark.parametrize("values", [np.empty(0), np.full(3, np.nan)])
def test_labels_without_any_number_are_described(values):
    facts = describe_labels("y", values)
    assert (facts.minimum, facts.mean, facts.class_counts) == (None, None, ())


@pytest.mark.parametrize(
    "labels",
    [np.array([0.5, 1.0]), np.array([[1, 1], [0, 1]]), np.zeros((2, 2, 2)), np.array(["a"]), np.array([1e30])],
    ids=["fractions", "several", "positions", "text", "huge"],
)
def test_other_labels_have_no_classes(labels):
    assert class_codes(labels) is None


@given(CODES, st.integers(0, 80), st.integers(0, 9))
def test_draw_holds_distinct_rows_with_the_shares_of_the_classes(codes, count, seed):
    chosen = stratified_rows(codes, len(codes), count, seed)
    size = min(count, len(codes))
    assert len(chosen) == len(set(chosen.tolist())) == size
    exact = np.bincount(codes, minlength=5) * size / len(codes)
    assert np.abs(np.bincount(codes[chosen], minlength=5) - exact).max() < 1


def test_draw_follows_one_hot_labels():
    labels = np.eye(2)[np.repeat([0, 1], [950, 50])]
    assert labels[stratified_rows(labels, 1000, 100, 0)].sum(axis=0).tolist() == [95, 5]


def test_draw_is_in_random_order_so_that_its_parts_are_samples():
    codes = np.repeat([0, 1], [500, 500])
    first_half = stratified_rows(codes, 1000, 400, 0)[:200]
    assert 60 < codes[first_half].sum() < 140
    assert (np.diff(first_half) < 0).any()


@pytest.mark.parametrize(
    "labels", [None, np.random.default_rng(0).normal(size=100), np.array(["a"] * 100), np.arange(100) * 50]
)
def test_rows_without_classes_are_drawn_alike(labels):
    chosen = stratified_rows(labels, 100, 30, 1)
    assert len(set(chosen.tolist())) == 30
    assert chosen.max() < 100


def test_draw_depends_on_its_seed_alone():
    codes = shuffled(500)
    np.random.seed(0)
    before = np.random.get_state()[1].tolist()
    draws = [stratified_rows(codes, 500, 50, seed).tolist() for seed in (3, 3, 4)]
    assert draws[0] == draws[1] != draws[2]
    assert np.random.get_state()[1].tolist() == before


def test_no_rows_give_an_empty_draw():
    assert stratified_rows(None, 0, 10, 0).size == 0
