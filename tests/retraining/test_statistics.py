import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from deepdebug.errors import UsageError
from deepdebug.retraining.statistics import difference, interval, mcnemar, superiority

NUMBERS = st.lists(st.integers(0, 9).map(float), min_size=1, max_size=12)


@given(NUMBERS, NUMBERS)
def test_check_26_superiority_is_the_count_of_pairs(one, other):
    pairs = [(x > y) + 0.5 * (x == y) for x in one for y in other]
    assert superiority(one, other) == pytest.approx(sum(pairs) / len(pairs))
    assert superiority(one, other) + superiority(other, one) == pytest.approx(1)


@given(NUMBERS)
def test_check_26_superiority_over_oneself_is_a_half(one):
    assert superiority(one, one) == 0.5


@given(NUMBERS, NUMBERS)
def test_check_26_superiority_follows_from_u(one, other):
    u = stats.mannwhitneyu(one, other).statistic
    assert superiority(one, other) == pytest.approx(u / (len(one) * len(other)))


@given(NUMBERS, NUMBERS)
def test_check_26_difference_is_that_of_scipy(one, other):
    if len(set(one + other)) == 1:
        assert difference(one, other) == 1.0
    else:
        assert difference(one, other) == pytest.approx(stats.mannwhitneyu(one, other).pvalue)


def test_check_26_hand_values():
    assert difference([1, 2, 3], [4, 5, 6]) == pytest.approx(0.1)  # 2 of 20 orders are as extreme
    assert mcnemar(1, 5) == pytest.approx(2 * (1 + 6) / 2**6)


def test_interval_is_that_of_student():
    found = interval([0.90, 0.92, 0.94])
    half = 4.302653 * 0.02 / np.sqrt(3)  # the 97.5 % quantile with two degrees of freedom
    assert (found.mean, found.low, found.high) == pytest.approx((0.92, 0.92 - half, 0.92 + half), abs=1e-6)
    assert interval([0.5]).low == interval([0.5, 0.5]).high == 0.5


def test_empty_samples_are_refused():
    for call in (lambda: superiority([], [1]), lambda: difference([1], []), lambda: interval([])):
        with pytest.raises(UsageError):
            call()
