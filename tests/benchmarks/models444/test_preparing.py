"""What programs do to their data before training."""

import numpy as np
import pytest

from benchmarks.models444.data import Data, Size
from benchmarks.models444.manifest import fixed, read_manifest
from benchmarks.models444.preparing import STEPS, prepared
from benchmarks.models444.recipes import RECIPES
from tests.benchmarks.fake_data import write_digits


def data(x, y, x_val=None, y_val=None):
    return Data(*(None if one is None else np.asarray(one, np.float32) for one in (x, y, x_val, y_val)))


def test_every_row_names_recipes_and_steps_that_are_there():
    rows = read_manifest()
    for row in (*rows, *(one for one in map(fixed, rows) if one is not None)):
        assert row.data in RECIPES
        assert set(row.prepared) <= set(STEPS)


def test_scaling_is_learned_from_training_rows_alone():
    found = STEPS["standardise x"](data([[0, 5], [2, 5]], [0, 1], [[4, 6]], [1]))
    np.testing.assert_allclose(found.x, [[-1, 0], [1, 0]])
    np.testing.assert_allclose(found.x_val, [[3, 1]])
    found = STEPS["minmax x"](data([[0, 5], [2, 5]], [0, 1], [[4, 6]], [1]))
    np.testing.assert_allclose(found.x_val, [[2, 1]])
    found = STEPS["standardise y"](data([[0], [2]], [[10], [30]]))
    np.testing.assert_allclose(found.y, [[-1], [1]])
    assert found.y_val is None


def test_labels_become_columns():
    found = STEPS["one-hot"](data([[0], [1], [2]], [0, 2, 1], [[3]], [2]))
    assert found.y.tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 0]]
    assert found.y_val.tolist() == [[0, 0, 1]]


def test_pictures_of_autotrainer(tmp_path):
    write_digits(tmp_path)
    found = prepared("mnist", ("x/255", "channel", "one-hot"), Size(100, 50), tmp_path)
    assert (found.x.shape, found.y.shape, found.y_val.shape) == ((100, 28, 28, 1), (100, 10), (50, 10))
    assert 0.9 < found.x.max() <= 1
    assert found.x.dtype == found.y.dtype == np.float32


def test_rows_that_a_program_validates_with_by_mistake():
    found = STEPS["validate on training rows"](data(np.arange(300)[:, None], np.arange(300)))
    np.testing.assert_array_equal(found.x_val, found.x[:100])


def test_unknown_step_is_named_with_those_that_are_known(tmp_path):
    with pytest.raises(ValueError, match=r"no step 'log'; known: channel, flatten"):
        prepared("blob", ("log",), Size(1, 1), tmp_path)
