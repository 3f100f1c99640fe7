import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from deepdebug.detectors import trends

numbers = st.floats(-1e3, 1e3).map(lambda value: round(value, 3))
fast = settings(max_examples=60, deadline=None, derandomize=True)


@fast
@given(st.lists(numbers, min_size=2, max_size=33, unique=True))
def test_mann_kendall_without_ties_is_the_exact_test_of_scipy(values):
    trend = trends.mann_kendall(values)
    for found, alternative in ((trend.rising, "greater"), (trend.falling, "less")):
        wanted = stats.kendalltau(range(len(values)), values, alternative=alternative, method="exact").pvalue
        assert found == pytest.approx(wanted, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("slope", [0.0, 0.02, -0.05])
def test_mann_kendall_of_long_tied_series_is_close_to_scipy(slope):
    rng = np.random.default_rng(1)
    values = np.round(rng.normal(size=60) + slope * np.arange(60), 1)
    wanted = stats.kendalltau(range(60), values, alternative="less", method="asymptotic").pvalue
    assert trends.mann_kendall(values).falling == pytest.approx(wanted, abs=0.01)


def test_constant_series_has_no_trend():
    assert trends.mann_kendall([1.0] * 10) == trends.Trend(1.0, 1.0)


def test_white_noise_is_called_falling_as_often_as_promised():
    rng = np.random.default_rng(2)
    alarms = [trends.mann_kendall(rng.normal(size=12)).falling < 0.1 for _ in range(1000)]
    assert np.mean(alarms) == pytest.approx(0.1, abs=0.03)


@fast
@given(st.lists(numbers, min_size=2, max_size=64))
def test_slope_is_that_of_scipy(values):
    assert trends.theil_sen(values) == pytest.approx(stats.theilslopes(values).slope, abs=1e-9)


@fast
@given(st.lists(numbers, min_size=3, max_size=40, unique=True), numbers)
def test_robust_z_uses_the_deviation_of_scipy(reference, value):
    deviation = stats.median_abs_deviation(reference, scale=1 / trends.MAD_TO_DEVIATION)
    wanted = (value - np.median(reference)) / deviation
    assert trends.robust_z(value, reference) == pytest.approx(wanted, rel=1e-3, abs=1e-3)


def test_robust_z_of_a_flat_reference_is_large_but_finite():
    assert 1e6 < trends.robust_z(2.0, [1.0] * 5) < math.inf


@pytest.mark.parametrize(("hits", "count"), [(0, 30), (10, 30), (30, 30), (170, 512)])
def test_wilson_interval_is_that_of_scipy(hits, count):
    wanted = stats.binomtest(hits, count).proportion_ci(0.99, method="wilson")
    assert trends.wilson_interval(hits / count, count) == pytest.approx((wanted.low, wanted.high), abs=1e-9)


def test_zigzag_has_a_negative_correlation_and_a_ramp_a_positive_one():
    assert trends.lag_one(np.array([1.0, -1.0] * 5)) == pytest.approx(-0.9)
    assert trends.lag_one(np.arange(10.0) - 4.5) > 0.5
    assert trends.lag_one(np.zeros(5)) == 0.0


def test_residuals_of_a_line_are_zero():
    assert trends.residuals([3.0, 2.5, 2.0, 1.5]) == pytest.approx(np.zeros(4))


def test_fall_is_the_share_between_the_medians_of_the_outer_thirds():
    assert trends.fall([2.0, 9.0, 2.0, 1.5, 1.5, 1.5, 1.0, 0.0, 1.0]) == 0.5
    assert trends.fall([-1.0, -1.0, -2.0]) == 1.0
    assert trends.fall([0.0, 1.0, 1.0]) == 0.0


@fast
@given(st.lists(numbers, min_size=1, max_size=500))
def test_thinned_series_is_bounded_and_keeps_range_and_order(values):
    thinned = trends.thin(sorted(values))
    assert len(thinned) <= trends.MAX_POINTS
    assert thinned == sorted(thinned)
    assert min(values) - 1e-9 <= min(thinned) <= max(thinned) <= max(values) + 1e-9


def test_window_holds_a_share_of_the_newest_values():
    assert trends.window(range(100), 5, 0.2) == list(range(80, 100))
    assert trends.window(range(10), 5, 0.2) == list(range(5, 10))


def test_neighbours_are_averaged_when_thinned():
    assert trends.thin([1.0, 3.0, 5.0, 7.0, 9.0], most=3) == [2.0, 6.0, 9.0]
