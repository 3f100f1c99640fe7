import numpy as np
import pytest

from deepdebug.errors import UsageError
from deepdebug.hudd.images import ArrayImages, file_hash

X = np.random.default_rng(0).random((7, 4, 4, 1))


def test_batches_number_the_rows_that_were_asked_for():
    images = ArrayImages(X, batch_size=2)
    batches = list(images.batches([6, 0, 3], pytest.fail))
    assert [batch.numbers for batch in batches] == [(0, 1), (2,)]
    np.testing.assert_array_equal(images.inputs(batches[0]), X[[6, 0]].astype("float32"))


def test_rows_that_are_not_finite_are_left_out_and_told():
    x = X.copy()
    x[2, 0, 0, 0] = np.nan
    told = []
    batches = list(
        ArrayImages(x, batch_size=4).batches(range(7), lambda number, error: told.append((number, str(error))))
    )
    assert [batch.numbers for batch in batches] == [(0, 1, 3, 4), (5, 6)]
    assert told[0][0] == 2
    assert "Row 2" in told[0][1]


def test_hash_is_that_of_the_content():
    x = X.copy()
    one, other = list(ArrayImages(x).hashes([0, 1]))
    x[0] += 1
    again = list(ArrayImages(x).hashes([0, 1]))
    assert again[0] != one
    assert again[1] == other


@pytest.mark.parametrize(
    ("x", "names", "said"),
    [
        (np.zeros(3), (), "`x` has shape"),
        (np.zeros((0, 2)), (), "`x` has shape"),
        (np.array([["a"]]), (), "type <U1"),
        (X, ("a",), "1 different names for 7"),
    ],
)
def test_what_is_no_array_of_images_is_told(x, names, said):
    with pytest.raises(UsageError, match=said):
        ArrayImages(x, names)


def test_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        file_hash(tmp_path / "none.png")
