"""Blocked distances are those of scipy, whatever the blocks, the offset and the size of the numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist, squareform

from deepdebug.hudd import distances as module
from deepdebug.hudd.condensed import mean_square, num_rows, square
from deepdebug.hudd.distances import distances
from deepdebug.hudd.rows import rows_of


def of(vectors, how="none", **options):
    return distances(rows_of(vectors), how, **options)


@settings(max_examples=25)
@given(
    st.integers(2, 40),
    st.integers(1, 60),
    st.integers(0, 1000),
    st.sampled_from([1e-12, 1.0, 1e12]),
    st.sampled_from([0.0, 1.0, 100.0]),
)
def test_check_11_distances_are_those_of_scipy(n, dims, seed, unit, offset):
    random = np.random.default_rng(seed)
    vectors = (unit * (random.normal(size=(n, dims)) + offset)).astype(np.float32)
    found = of(vectors)
    np.testing.assert_allclose(found, pdist(vectors.astype(float)), rtol=1e-4)
    matrix = squareform(found)
    triangle = matrix[:, None, :] <= (matrix[:, :, None] + matrix[None]) * (1 + 1e-4)
    assert (np.diag(matrix) == 0).all()
    assert (matrix == matrix.T).all()
    assert triangle.all()


def test_check_11_distances_over_many_values_and_a_near_duplicate():
    random = np.random.default_rng(0)
    vectors = random.normal(size=(120, 9216)).astype(np.float32)
    vectors[1] = vectors[0] + 2e-4 * random.normal(size=9216).astype(np.float32)
    vectors[3] = vectors[2] + 1e-6 * vectors[2]
    vectors += 3
    np.testing.assert_allclose(of(vectors), pdist(vectors.astype(float)), rtol=1e-4)


@pytest.mark.parametrize("block", [1, 7, 50, 1000])
@pytest.mark.parametrize("memory", [1, 5000, 2**30])
def test_check_11_blocks_do_not_matter(monkeypatch, block, memory):
    monkeypatch.setattr(module, "GRAM_ROWS", block)
    vectors = np.random.default_rng(1).normal(size=(50, 30))
    np.testing.assert_allclose(of(vectors, "l2", memory=memory), of(vectors, "l2"), rtol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equal_rows_are_at_distance_zero(dtype):
    vectors = np.random.default_rng(2).normal(size=(3, 500)).astype(np.float32)[[0, 1, 0, 2, 1]] + 10
    matrix = squareform(of(vectors, dtype=dtype))
    assert matrix[0, 2] == matrix[1, 4] == 0
    assert np.count_nonzero(matrix) == 16


def test_float64_is_as_exact_as_scipy():
    vectors = np.random.default_rng(3).normal(size=(60, 80)) + 1000
    np.testing.assert_allclose(of(vectors, dtype=np.float64), pdist(vectors), rtol=1e-9)


@pytest.mark.parametrize("n", [0, 1, 2, 9])
def test_file_holds_the_same_and_appears_whole(tmp_path, n):
    vectors = np.random.default_rng(4).normal(size=(n, 5))
    path = tmp_path / "made" / "layer.npy"
    stored = of(vectors, out=path)
    np.testing.assert_array_equal(stored, of(vectors))
    np.testing.assert_array_equal(np.load(path, allow_pickle=False), stored)
    assert stored.dtype == np.float32
    assert [one.name for one in path.parent.iterdir()] == ["layer.npy"]


def test_file_is_not_left_half_written(tmp_path):
    vectors = np.ones((5, 3))
    vectors[4] = np.inf
    with pytest.raises(ValueError, match="not finite"):
        of(vectors, out=tmp_path / "layer.npy")
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=30)
@given(st.integers(1, 30), st.integers(0, 100))
def test_square_of_chosen_images_is_part_of_the_whole(n, seed):
    random = np.random.default_rng(seed)
    condensed = random.random(n * (n - 1) // 2)
    chosen = random.permutation(n)[: random.integers(1, n + 1)]
    whole = squareform(condensed) if n > 1 else np.zeros((1, 1))
    np.testing.assert_array_equal(square(condensed, chosen, n), whole[np.ix_(chosen, chosen)])
    assert num_rows(condensed) == n
    if n > 1:
        assert mean_square(condensed) == pytest.approx((condensed**2).mean())


@pytest.mark.parametrize("shape", [(2,), (4,), (3, 1)])
def test_distances_that_fit_no_number_of_images_are_refused(shape):
    with pytest.raises(ValueError, match="condensed"):
        num_rows(np.zeros(shape))
