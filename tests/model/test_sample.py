import keras
import numpy as np
import pytest
from keras import ops
from scipy import sparse

from deepdebug.errors import UsageError
from deepdebug.model.sample import Sample, as_array, checked_probe, named_arrays, row_count, take

ROWS = np.arange(12, dtype="float64").reshape(6, 2)


class Frame:
    """What a data frame looks like from outside."""

    shape = (6, 2)

    def to_numpy(self):
        return ROWS


@pytest.mark.parametrize(
    "values", [ROWS, ROWS.tolist(), sparse.csr_matrix(ROWS), Frame(), ops.convert_to_tensor(ROWS)],
    ids=["array", "list", "sparse", "frame", "tensor"],
)  # fmt: skip
def test_anything_with_rows_becomes_an_array(values):
    np.testing.assert_array_equal(as_array(values), ROWS)


def test_torch_tensor_with_a_gradient_becomes_an_array():
    torch = pytest.importorskip("torch")
    np.testing.assert_array_equal(as_array(torch.ones(2, requires_grad=True)), [1, 1])


def test_array_is_not_copied():
    assert as_array(ROWS) is ROWS


@pytest.mark.parametrize(
    ("structure", "rows"), [(ROWS, 6), ([ROWS[:3], ROWS], 3), ({"a": ROWS}, 6), (None, 0), (3, 0), ([None, ROWS], 6)]
)
def test_rows_are_those_of_the_first_array(structure, rows):
    assert row_count(structure) == rows


@pytest.mark.parametrize("values", [ROWS, sparse.coo_matrix(ROWS), Frame()], ids=["array", "sparse", "frame"])
def test_chosen_rows_are_taken(values):
    np.testing.assert_array_equal(take(values, np.array([4, 0])), ROWS[[4, 0]])


def test_rows_are_taken_from_every_array_of_a_structure():
    found = take({"a": ROWS, "b": [ROWS[:, 0], None]}, np.array([1]))
    np.testing.assert_equal(found, {"a": ROWS[[1]], "b": [ROWS[[1], 0], None]})
    assert take(None, np.array([1])) is None


def test_head_of_a_sample_is_its_first_rows():
    head = Sample([ROWS, ROWS], ROWS[:, 0]).head(2)
    assert (head.rows, head.y.tolist()) == (2, [0.0, 2.0])
    assert Sample(ROWS).head(2).y is None


def test_native_numbers_have_the_float_type_of_keras_and_whole_numbers_stay():
    x, y = Sample(ROWS, np.arange(6)).native()
    assert ops.is_tensor(x)
    assert keras.backend.standardize_dtype(x.dtype) == "float32"
    assert keras.backend.is_int_dtype(y.dtype)


def test_arrays_are_named_by_keys_or_by_position():
    assert [name for name, _ in named_arrays({"b": ROWS, "a": ROWS}, [])] == ["b", "a"]
    assert [name for name, _ in named_arrays([ROWS, ROWS], ["x", "y"])] == ["x", "y"]
    assert [name for name, _ in named_arrays([ROWS, ROWS], ["x"])] == ["0", "1"]
    assert named_arrays(None, ["x"]) == []


def test_probe_of_the_user_is_taken_over():
    sample = checked_probe((ops.convert_to_tensor(ROWS), ROWS[:, 0]))
    assert (sample.rows, sample.y.shape) == (6, (6,))
    assert checked_probe([ROWS, None]).y is None


@pytest.mark.parametrize(
    ("probe", "message"),
    [
        (ROWS, r"`probe` got a ndarray of length 6; expected a pair \(x, y\)"),
        ((ROWS,), "`probe` got a tuple of length 1"),
        (3, "`probe` got a int; expected a pair"),
        ((ROWS, ROWS[:4]), r"`probe` got arrays with \[4, 6\] rows; expected the same number"),
        ((ROWS[:0], ROWS[:0]), r"`probe` got arrays with \[0\] rows; expected the same number, at least 1"),
    ],
)
def test_wrong_probe_is_refused(probe, message):
    with pytest.raises(UsageError, match=message):
        checked_probe(probe)
