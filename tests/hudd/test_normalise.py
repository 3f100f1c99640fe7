"""What a normalisation keeps and what it takes away."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from deepdebug.errors import UsageError
from deepdebug.hudd.normalise import NORMALISATIONS, normalise

# What relevance looks like in any unit; below 2^-60 of the largest value a float32 row has only zeros anyway.
VALUES = st.one_of(st.just(0.0), st.floats(2.0**-20, 2.0**20), st.floats(-(2.0**20), -(2.0**-20)))
UNITS = st.sampled_from([2.0**-90, 1.0, 2.0**90])
MATRICES = st.builds(
    lambda rows, unit: (rows * unit).astype(np.float32), arrays(np.float64, (3, 5), elements=VALUES), UNITS
)


@pytest.mark.parametrize("how", sorted(set(NORMALISATIONS) - {"none"}))
@settings(max_examples=30)
@given(MATRICES, st.floats(1e-3, 1e3))
def test_scaling_a_row_changes_nothing(how, rows, factor):
    scaled = rows * np.array([[1], [factor], [1]], np.float32)
    np.testing.assert_allclose(normalise(scaled, how), normalise(rows.copy(), how), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("how", "size"),
    [
        ("l2", lambda row: np.sqrt((row.astype(float) ** 2).sum())),
        ("sqrt", lambda row: np.sqrt((row.astype(float) ** 2).sum())),
        ("sum", lambda row: np.abs(row).sum()),
        ("max", lambda row: np.abs(row).max()),
    ],
)
@settings(max_examples=30)
@given(rows=MATRICES)
def test_rows_have_size_one_or_are_zero(how, size, rows):
    for row in normalise(rows, how):
        assert size(row) == pytest.approx(1, rel=1e-5) or not row.any()


@settings(max_examples=30)
@given(MATRICES)
def test_root_is_that_of_the_plain_formula(rows):
    exact = rows.astype(float)
    exact = np.sign(exact) * np.sqrt(np.abs(exact))
    norms = np.sqrt((exact**2).sum(axis=1, keepdims=True))
    wanted = np.divide(exact, norms, out=np.zeros_like(exact), where=norms > 0)
    np.testing.assert_allclose(normalise(rows, "sqrt"), wanted, atol=1e-5)


def test_none_leaves_rows_alone():
    rows = np.array([[3.0, -4.0]])
    assert normalise(rows.copy(), "none").tolist() == rows.tolist()


def test_unknown_normalisation_is_named():
    with pytest.raises(UsageError, match=r"`normalise` is 'l1'; expected one of 'none', 'l2', 'sum', 'max', 'sqrt'"):
        normalise(np.ones((1, 1)), "l1")
