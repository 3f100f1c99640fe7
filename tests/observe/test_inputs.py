import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from deepdebug.observe import rows
from deepdebug.observe.inputs import describe_input

FLOATS = hnp.arrays(
    st.sampled_from([np.float32, np.float64]),
    hnp.array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=6),
    elements=st.floats(-1e6, 1e6, width=32) | st.sampled_from([np.nan, np.inf, -np.inf]),
)


def random(*shape):
    return np.random.default_rng(0).normal(size=shape)


@pytest.mark.slow
@given(FLOATS, st.integers(1, 40))
def test_extent_agrees_with_numpy_whatever_the_size_of_the_chunks(values, chunk):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "CHUNK_ELEMENTS", chunk)
        facts = describe_input("x", values)
    finite = values[np.isfinite(values)]
    assert facts.non_finite == values.size - finite.size
    assert facts.minimum == (finite.min() if finite.size else None)
    assert facts.maximum == (finite.max() if finite.size else None)


@given(FLOATS)
def test_first_non_finite_value_is_where_numpy_finds_it(values):
    flat = values.reshape(len(values), -1)
    places = np.argwhere(~np.isfinite(flat))
    expected = f"row {places[0][0]}, column {places[0][1]}" if len(places) else None
    assert describe_input("x", values).first_non_finite == expected


def test_non_finite_value_in_the_last_of_many_rows_is_found():
    values = random(300_000, 3)
    values[-1, 2] = np.inf
    facts = describe_input("x", values, max_elements=1000)
    assert (facts.non_finite, facts.first_non_finite) == (1, "row 299999, column 2")


def test_scale_follows_the_interquartile_ranges():
    values = random(5000, 3) * [1.0, 200.0, 0.0]
    facts = describe_input("x", values)
    lower, upper = np.quantile(values, (0.25, 0.75), axis=0)
    assert facts.scale_ratio == pytest.approx((upper - lower)[1] / (upper - lower)[0])
    assert facts.median_absolute == pytest.approx(np.median(np.abs(values)))
    assert [one.split(":")[0] for one in facts.extreme_features] == ["1", "0", "2"]
    assert (facts.features, facts.constant_features) == (3, 1)


def test_scale_of_many_rows_comes_from_a_sample_that_is_always_the_same():
    values = random(400_000, 4)
    first, second = (describe_input("x", values) for _ in range(2))
    assert first == second
    assert first.median_absolute == pytest.approx(np.median(np.abs(values)), rel=0.01)


def test_features_of_images_are_their_channels():
    pixels = np.random.default_rng(0).integers(0, 256, (50, 8, 8, 3), dtype=np.uint8)
    pixels[..., 2] = 7
    facts = describe_input("x", pixels)
    assert (facts.shape, facts.features, facts.constant_features) == ((8, 8, 3), 3, 1)
    assert (facts.integer, facts.minimum, facts.maximum, facts.dtype) == (True, 0.0, 255.0, "uint8")


def test_whole_numbers_are_known_as_such_in_any_type():
    assert describe_input("x", np.array([[1.0], [2.0], [np.nan]])).integer
    assert describe_input("x", np.array([[True], [False]])).integer
    assert not describe_input("x", np.array([[1.0], [2.5]])).integer


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, ">f4", np.longdouble])
def test_unusual_float_types_are_read(dtype):
    values = np.array([[0.5, -2.0], [1.5, np.nan]]).astype(dtype)
    facts = describe_input("x", values)
    assert (facts.minimum, facts.maximum, facts.non_finite, facts.numeric) == (-2.0, 1.5, 1, True)


@pytest.mark.parametrize(
    "values",
    [
        np.array(["cat", "dog"]),
        np.array([b"cat", b"dog"]),
        np.array([{"a": 1}, None], dtype=object),
        np.array(["2026-01-01"], dtype="datetime64[D]"),
        np.array([1 + 2j]),
        np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f4")]),
        [[1, 2], [3]],
    ],
    ids=["text", "bytes", "objects", "dates", "complex", "records", "ragged"],
)
def test_what_is_not_made_of_numbers_gets_no_numbers(values):
    facts = describe_input("x", values)
    assert not facts.numeric
    assert (facts.minimum, facts.median_absolute, facts.non_finite) == (None, None, 0)


@pytest.mark.parametrize("values", [np.empty((0, 4)), np.empty((4, 0)), np.full((3, 2), np.nan)])
def test_array_without_any_finite_number_is_described(values):
    facts = describe_input("x", values)
    assert (facts.numeric, facts.minimum, facts.median_absolute, facts.scale_ratio) == (True, None, None, None)


def test_few_rows_of_a_wide_array_are_sampled():
    assert rows.sample(np.zeros((40, 1000)), 2000).shape == (16, 1000)
    assert rows.sample(np.zeros((40, 1000)), 50).shape == (1, 1000)


def test_single_numbers_are_one_feature():
    facts = describe_input("x", np.array([1.0, 2.0, 4.0]))
    assert (facts.shape, facts.features) == ((), 1)


def test_view_that_is_not_contiguous_is_described_like_its_copy():
    values = random(60, 40).T[::2]
    assert describe_input("x", values) == describe_input("x", values.copy())


def test_largest_feature_is_not_hidden_by_many_small_ones():
    groups = np.eye(20)[np.random.default_rng(0).integers(20, size=500)]
    salary = 50_000 + 10_000 * random(500, 1)
    facts = describe_input("x", np.hstack([groups, salary]))
    assert (facts.median_absolute, facts.scale_ratio) == (0.0, 1.0)
    assert facts.largest_median == np.median(salary)


@given(hnp.arrays(st.sampled_from([np.uint8, np.int64, np.float32]), (4, 3), elements=st.integers(0, 100)))
def test_distinct_whole_numbers_agree_with_numpy(values):
    assert describe_input("x", values).distinct == np.unique(values).size


@pytest.mark.parametrize(
    "values",
    [np.array([[0.5, 1.0]]), np.array([[1.0, np.nan]]), np.array([[0, 2**40]]), np.array([[-(2**62), 2**62]])],
    ids=["fractions", "missing", "wide", "very wide"],
)
def test_distinct_values_are_not_counted_otherwise(values):
    assert describe_input("x", values).distinct is None


@given(hnp.arrays(st.sampled_from([np.uint8, np.int64, np.float32]), (6, 2, 2), elements=st.integers(0, 1)))
def test_rows_of_zeros_agree_with_numpy_whatever_the_size_of_the_chunks(values):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "CHUNK_ELEMENTS", 8)
        assert describe_input("x", values).zero_rows == np.mean((values == 0).all(axis=(1, 2)))


def test_rows_of_zeros_in_many_rows_are_counted_in_a_sample():
    values = np.ones((20_000, 4), "int32")
    values[::4] = 0
    assert describe_input("x", values, max_elements=8000).zero_rows == pytest.approx(0.25, abs=0.05)


@pytest.mark.parametrize(
    "values",
    [np.array([[0.0, 0.0], [0.5, 1.0]]), np.array([0, 1]), np.array([[0], [1]])],
    ids=["fractions", "numbers", "one position"],
)
def test_rows_of_zeros_are_not_counted_otherwise(values):
    assert describe_input("x", values).zero_rows is None


def test_row_with_a_missing_value_is_no_row_of_zeros():
    assert describe_input("x", np.array([[0, np.nan], [0, 0]])).zero_rows == 0.5
