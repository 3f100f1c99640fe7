"""Blob and Circle are the published data to the last bit; the others have the shape and scale that is told of them."""

import hashlib

import numpy as np
import pytest

from benchmarks.models444.data import SIZES, Size
from benchmarks.models444.recipes import RECIPES, raw_data
from tests.benchmarks.fake_data import write_digits

# Of the recovered files of the artefact, as float32 in the order x, y, x_val, y_val.
RECOVERED = {
    "blob": "049526284807e0ebc63e6353791a288238484fcab9bc673d8c446e2ce81d86be",
    "circle": "637129c3549eff750b20e2bd484322caef32556f95255dfa9e171207a5f65f0d",
}
FETCHED = ("mnist", "cifar10", "blurred", "cats_and_dogs", "grey_animals")
MADE = sorted(set(RECIPES) - set(FETCHED))
SMALL = Size(60, 30)


@pytest.mark.parametrize("name", ["blob", "circle"])
def test_made_data_are_those_of_the_artefact(name, tmp_path):
    data = raw_data(name, SIZES["small"], tmp_path)
    found = hashlib.sha256()
    for array in (data.x, data.y, data.x_val, data.y_val):
        assert array.dtype == np.float32
        found.update(array.tobytes())
    assert found.hexdigest() == RECOVERED[name]


@pytest.mark.parametrize("name", MADE)
def test_made_data_are_finite_fit_together_and_are_the_same_every_time(name, tmp_path):
    data, again = (raw_data(name, SMALL, tmp_path) for _ in range(2))
    np.testing.assert_array_equal(data.x, again.x)
    np.testing.assert_array_equal(data.y, again.y)
    assert len(data.x) == len(data.y) >= 4
    assert np.isfinite(data.x).all()
    assert np.isfinite(data.y).all()
    assert len(np.unique(data.y)) > 1
    assert (data.validation is None) == (data.x_val is None)
    if data.validation is not None:
        assert data.x_val.shape[1:] == data.x.shape[1:]
        assert data.y_val.shape[1:] == data.y.shape[1:]


@pytest.mark.parametrize(
    ("name", "largest"),
    [("parabola", 103), ("fourth_power", 1e8), ("threshold", 1), ("leading_digits", 68), ("four_points", 1)],
)
def test_targets_are_as_large_as_told(name, largest, tmp_path):
    assert raw_data(name, SMALL, tmp_path).y.max() == pytest.approx(largest)


def test_rows_whose_label_one_feature_tells(tmp_path):
    data = raw_data("threshold", SMALL, tmp_path)
    np.testing.assert_array_equal(data.y[:, 0], data.x[:, 0] < 20_000)


def test_next_state_of_the_game_of_life(tmp_path):
    data = raw_data("life", SMALL, tmp_path)
    grid, following = data.x[0, ..., 0], data.y[0, ..., 0]
    for row, column in ((0, 0), (4, 7), (9, 9)):
        around = grid[row : row + 3, column : column + 3].sum() - grid[row + 1, column + 1]
        assert following[row, column] == (around == 3 or (around == 2 and grid[row + 1, column + 1] == 1))


def test_smaller_size_takes_the_same_pictures_every_time(tmp_path):
    write_digits(tmp_path)
    first, again = (raw_data("mnist", Size(100, 50), tmp_path) for _ in range(2))
    assert first.x.shape == (100, 28, 28)
    assert first.y_val.shape == (50,)
    np.testing.assert_array_equal(first.x, again.x)
    whole = raw_data("mnist", SIZES["full"], tmp_path)
    assert len(whole.x) == 1000
    assert len(np.unique(whole.x, axis=0)) > 900


def test_unknown_recipe_is_named_with_those_that_are_known(tmp_path):
    with pytest.raises(ValueError, match=r"no recipe 'imdb'; known: bit_permutation, blob"):
        raw_data("imdb", SMALL, tmp_path)
