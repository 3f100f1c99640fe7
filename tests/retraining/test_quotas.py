import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepdebug.errors import UsageError
from deepdebug.retraining.quotas import SELECTION_FACTOR, quotas

SIZES = st.lists(st.integers(1, 500), min_size=1, max_size=20)


def test_the_factor_is_that_of_the_paper():
    assert SELECTION_FACTOR == 0.3


@given(SIZES, st.integers(1, 5000), st.integers(1, 5000))
def test_check_21_prevalence_is_the_formula_of_the_paper(sizes, tested, improvement):
    found = quotas(sizes, tested, improvement)
    for size, quota in zip(sizes, found, strict=True):
        wanted = size / tested * improvement * SELECTION_FACTOR
        assert quota == 0 if size == 1 else 0 <= quota - wanted + 1e-9 < 1


@given(SIZES)
def test_check_21_cluster_is_that_of_the_code(sizes):
    found = quotas(sizes, 1000, 7, "cluster")
    expected = [0 if size == 1 else math.ceil(round(0.3 * size, 9)) for size in sizes]
    assert found.tolist() == expected


def test_what_is_nearly_whole_is_not_rounded_up():
    assert quotas([10], 10, 10, factor=0.3).tolist() == [3]
    assert 0.1 * 3 * 10 > 3


def test_type_is_that_of_counts():
    assert quotas([2], 10, 10).dtype == np.int64


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"how": "much"}, "'much'; expected one of 'prevalence', 'cluster'"),
        ({"factor": 0.0}, "`factor` is 0.0"),
        ({"factor": math.nan}, "`factor` is nan"),
        ({"tested": 0}, "0 images tested"),
    ],
)
def test_what_cannot_be_used_is_refused(given, message):
    with pytest.raises(UsageError, match=message):
        quotas(**{"sizes": [3], "tested": 5, "improvement": 5, **given})
