"""TensorFlow, JAX and torch give the same relevance: all are compared with the same file."""

import numpy as np
import pytest

from deepdebug.lrp import COMPOSITES
from tests.lrp import backends_agree

TOLERANCE = 1e-4  # of the largest relevance of the layer


@pytest.mark.slow
def test_check_07_this_backend_gives_the_relevance_of_all_others():
    found = backends_agree.arrays()
    with np.load(backends_agree.FILE, allow_pickle=False) as expected:
        assert set(found) == set(expected.files)
        assert {name.split("/")[0] for name in found} == set(COMPOSITES)
        for name in expected.files:
            worst = np.abs(found[name] - expected[name]).max()
            assert worst <= TOLERANCE * np.abs(expected[name]).max(), f"{name}: {worst}"
