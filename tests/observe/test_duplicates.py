from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from deepdebug.observe.duplicates import find_repeats

TABLES = hnp.arrays(
    st.sampled_from([np.float32, np.float64, np.int64, np.uint8, np.bool_, np.float16]),
    st.tuples(st.integers(1, 25), st.integers(1, 5)),
    elements=st.integers(0, 1),
)


def random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@given(TABLES, st.data())
def test_shares_agree_with_a_count_of_the_rows(table, data):
    labels = data.draw(hnp.arrays(np.int64, len(table), elements=st.integers(0, 1)))
    rows = [tuple(row) for row in table.tolist()]
    counts = Counter(rows)
    classes = {row: {label for other, label in zip(rows, labels, strict=True) if other == row} for row in rows}
    found = find_repeats([table], [labels], [table[: len(table) // 2]])
    assert found.duplicate_fraction == pytest.approx(1 - len(counts) / len(rows))
    assert found.conflict_fraction == pytest.approx(np.mean([len(classes[row]) > 1 for row in rows]))
    assert found.overlap_fraction == (1.0 if len(table) > 1 else None)
    if len(table) > 1:
        assert found.overlap_expected == pytest.approx(np.mean([counts[row] > 1 for row in rows]))


@given(hnp.arrays(np.float32, st.tuples(st.integers(2, 30), st.integers(1, 9)), elements=st.sampled_from([-1, 1])))
def test_rows_that_differ_in_signs_only_are_told_apart(table):
    found = find_repeats([table])
    assert found.duplicate_fraction == pytest.approx(1 - len(np.unique(table, axis=0)) / len(table))


def test_minus_zero_is_zero():
    table = np.array([[0.0, 1.0], [-0.0, 1.0]])
    assert find_repeats([table]).duplicate_fraction == 0.5


def test_rows_with_nan_take_no_part():
    table = np.array([[np.nan, 1.0], [np.nan, 1.0], [2.0, 1.0]])
    assert find_repeats([table]).duplicate_fraction == 0.0
    assert find_repeats([table[:2]]).duplicate_fraction is None


def test_validation_rows_are_found_in_another_float_type():
    table = random(200, 4)
    found = find_repeats([table], (), [np.vstack([table[:30], random(70, 4, seed=1)]).astype(np.float64)])
    assert found.overlap_fraction == pytest.approx(0.3)
    assert found.overlap_expected == 0.0


@pytest.mark.parametrize("types", [(np.uint8, np.float32), (np.int32, np.int64)])
def test_validation_rows_are_found_in_another_kind_of_number(types):
    table = np.random.default_rng(0).integers(0, 256, (50, 7))
    found = find_repeats([table.astype(types[0])], (), [table[:10].astype(types[1])])
    assert found.overlap_fraction == 1.0


def test_images_are_compared_as_a_whole():
    images = np.random.default_rng(0).integers(0, 256, (40, 5, 5, 3), dtype=np.uint8)
    images[7] = images[3]
    images[9] = images[3]
    images[9, 4, 4, 2] ^= 1
    assert find_repeats([images]).duplicate_fraction == pytest.approx(1 / 40)


def test_rows_of_several_inputs_repeat_only_together():
    first, second = np.zeros((4, 2)), np.array([[1.0], [2.0], [2.0], [3.0]])
    assert find_repeats([first, second]).duplicate_fraction == 0.25


def test_swapped_inputs_are_another_row():
    first, second = np.array([[1.0], [2.0]]), np.array([[2.0], [1.0]])
    assert find_repeats([first, second]).duplicate_fraction == 0.0


def test_shares_stay_right_when_rows_are_sampled():
    table = random(4000, 50)
    table[2000:2400] = table[:400]
    other = np.vstack([table[3000:3300], random(700, 50, seed=1)])
    found = find_repeats([table], (), [other], max_elements=25 * 1000)
    assert found.duplicate_fraction == pytest.approx(0.1, abs=0.04)
    assert found.overlap_fraction == pytest.approx(0.3, abs=0.06)
    assert found.overlap_expected == pytest.approx(0.2, abs=0.06)


def test_chance_explains_the_overlap_of_discrete_rows():
    rows = np.random.default_rng(0).integers(0, 10, (3000, 3))
    found = find_repeats([rows[:2400]], (), [rows[2400:]])
    assert found.overlap_fraction == pytest.approx(found.overlap_expected, abs=0.03)
    assert 0.5 < found.overlap_expected < 1.0


@pytest.mark.parametrize(
    "inputs",
    [[], [np.array(["a", "b"])], [np.zeros((3, 2)), np.zeros((2, 2))], [np.zeros((2, 2)), np.array(["a", "b"])]],
    ids=["none", "text", "different rows", "partly text"],
)
def test_inputs_that_cannot_be_compared_give_nothing(inputs):
    found = find_repeats(inputs)
    assert (found.duplicate_fraction, found.conflict_fraction, found.overlap_fraction) == (None, None, None)


def test_validation_rows_of_another_shape_are_left_out():
    found = find_repeats([random(10, 3)], (), [random(10, 4)])
    assert (found.duplicate_fraction, found.overlap_fraction, found.overlap_expected) == (0.0, None, None)


def test_labels_of_another_number_of_rows_are_left_out():
    assert find_repeats([np.zeros((4, 2))], [np.arange(3)]).conflict_fraction is None
