import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist

from deepdebug.hudd.normalise import normalise
from deepdebug.hudd.projection import BLOCK, Projection

ROWS = np.random.default_rng(0).normal(size=(40, 30, 30, 6)).astype("float32")


def test_distances_are_kept_to_nine_percent():
    short = Projection(0, "sqrt")(ROWS)
    whole = normalise(ROWS.reshape(40, -1).copy(), "sqrt")
    ratio = (pdist(short) / pdist(whole)) ** 2
    assert short.shape == (40, 256)
    assert abs(ratio.mean() - 1) < 0.02
    assert ratio.std() < 1.2 * np.sqrt(2 / 256)


def test_rows_do_not_depend_on_what_they_are_projected_with():
    project = Projection(3, "l2")
    np.testing.assert_allclose(project(ROWS)[7:9], project(ROWS[7:9]), atol=1e-6)


def test_layers_have_maps_of_their_own():
    assert not np.allclose(Projection(0, "none")(ROWS), Projection(1, "none")(ROWS))


def test_input_is_left_as_it_is():
    before = ROWS.copy()
    Projection(0, "sqrt")(ROWS)
    np.testing.assert_array_equal(ROWS, before)


@settings(max_examples=20)
@given(st.integers(1, 3 * BLOCK))
def test_rows_of_any_width_are_projected_linearly(width):
    random = np.random.default_rng(width)
    one, other = random.normal(size=(2, 1, width)).astype("float32")
    project = Projection(0, "none", dims=8)
    np.testing.assert_allclose(project(one) + project(other), project(one + other), atol=1e-3 * np.sqrt(width))
