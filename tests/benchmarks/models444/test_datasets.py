"""Blob and Circle are the published data to the last bit; the others are cut down in a fixed way."""

import hashlib

import numpy as np
import pytest

from benchmarks.models444.datasets import SIZES, Size, blob, circle, dataset
from tests.benchmarks.fake_data import write_digits

# Of the recovered files of the artefact, as float32 in the order x, y, x_val, y_val.
RECOVERED = {
    "Blob": "049526284807e0ebc63e6353791a288238484fcab9bc673d8c446e2ce81d86be",
    "Circle": "637129c3549eff750b20e2bd484322caef32556f95255dfa9e171207a5f65f0d",
}


@pytest.mark.parametrize("name", ["Blob", "Circle"])
def test_made_data_are_those_of_the_artefact(name, tmp_path):
    data = dataset(name, SIZES["small"], tmp_path)
    found = hashlib.sha256()
    for array in (data.x, data.y, data.x_val, data.y_val):
        assert array.dtype == np.float32
        found.update(array.tobytes())
    assert found.hexdigest() == RECOVERED[name]


def test_shapes_and_ranges_are_as_described():
    assert blob().x.shape == (700, 2)
    assert blob().y.shape == (700, 3)
    assert blob().x.min() < -10
    assert circle().y.shape == (700,)
    assert (circle().x.min(), circle().x.max()) == (-1, 1)


def test_smaller_size_takes_the_same_rows_every_time(tmp_path):
    write_digits(tmp_path)
    first, again = (dataset("MNIST", Size(100, 50), tmp_path) for _ in range(2))
    assert first.x.shape == (100, 28, 28, 1)
    assert first.y_val.shape == (50, 10)
    assert 0.9 < first.x.max() <= 1
    np.testing.assert_array_equal(first.x, again.x)
    whole = dataset("MNIST", SIZES["full"], tmp_path)
    assert len(whole.x) == 1000
    assert len(np.unique(whole.x, axis=0)) > 900
