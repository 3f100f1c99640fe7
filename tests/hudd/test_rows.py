"""Vectors are read in blocks, from wherever they are."""

import numpy as np
import pytest

from deepdebug.errors import UsageError
from deepdebug.hudd.rows import block_rows, rows_of

VECTORS = np.random.default_rng(0).normal(size=(7, 2, 3)).astype(np.float16)


@pytest.fixture(params=["array", "map", "path", "text"])
def source(request, tmp_path):
    path = tmp_path / "layer.npy"
    np.save(path, VECTORS)
    return {"array": VECTORS, "map": np.load(path, mmap_mode="r"), "path": path, "text": str(path)}[request.param]


def test_blocks_are_flattened_copies_in_float32(source):
    rows = rows_of(source)
    assert (len(rows), rows.width) == (7, 6)
    together = np.concatenate([block for _, block in rows.blocks(3)])
    assert together.dtype == np.float32
    np.testing.assert_array_equal(together, VECTORS.reshape(7, 6).astype(np.float32))


def test_writing_to_a_block_leaves_the_source_alone():
    vectors = np.ones((2, 2), np.float32)
    rows_of(vectors).block(0, 2)[:] = 5
    assert (vectors == 1).all()


def test_value_that_is_not_finite_is_named_by_its_row():
    vectors = np.ones((5, 4))
    vectors[3, 2] = np.nan
    with pytest.raises(UsageError, match=r"Row 3 of the vectors of 'conv' holds 1 values that are not finite.*nan"):
        list(rows_of(vectors, "conv").blocks(2))


def test_number_too_large_for_float32_is_no_number():
    with pytest.raises(UsageError, match="not finite"):
        rows_of(np.array([[1e300]])).block(0, 1)


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "cannot be read"), (b"text", "cannot be read"), (b"", "cannot be read")],
)
def test_file_that_is_no_array_is_an_error(tmp_path, content, message):
    path = tmp_path / "x.npy"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=message):
        rows_of(path)


def test_pickled_file_is_refused(tmp_path):
    np.save(tmp_path / "x.npy", np.array([{}], dtype=object))
    with pytest.raises(UsageError, match="cannot be read"):
        rows_of(tmp_path / "x.npy")


def test_archive_is_refused(tmp_path):
    np.savez(tmp_path / "x.npz", a=VECTORS)
    with pytest.raises(UsageError, match="several arrays"):
        rows_of(tmp_path / "x.npz")


@pytest.mark.parametrize("source", [np.array(["a"]), np.zeros(3, complex), np.float32(1.0), [1.0], None])
def test_what_is_no_array_of_numbers_is_refused(source):
    with pytest.raises(UsageError):
        rows_of(source)


def test_blocks_fit_into_the_budget():
    assert block_rows(9216, 2**30) * 9216 * 4 * 4 <= 2**30
    assert block_rows(10**9, 1000) == 1
