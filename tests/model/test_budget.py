import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from deepdebug.facts import Facts, FitFacts, LayerFacts
from deepdebug.model.budget import KEPT_BYTES, LOOK_BYTES, rows_to_keep, rows_to_look_at


def facts(units, batch_size=4, uses=1):
    layers = (LayerFacts("hidden", "Dense", output_shape=(units,), uses=uses),)
    return Facts("model", layers=layers, fit=FitFacts(batch_size=batch_size))


def test_small_model_may_take_many_rows():
    assert rows_to_look_at(facts(64)) > 10_000


def test_large_model_takes_a_batch_as_in_training():
    assert rows_to_look_at(facts(LOOK_BYTES)) == 4


@given(st.integers(1, 2**30), st.integers(1, 4096), st.integers(1, 3))
def test_no_look_needs_more_than_training_or_the_budget(units, batch_size, uses):
    rows = rows_to_look_at(facts(units, batch_size, uses))
    assert rows >= batch_size
    assert rows == batch_size or 4 * rows * units * uses <= LOOK_BYTES


def test_rows_kept_of_large_images_are_few():
    images = np.lib.stride_tricks.as_strided(np.zeros(1, "float32"), (50_000, 512, 512, 3), (0, 0, 0, 0))
    assert rows_to_keep(FitFacts(batch_size=4), images) == KEPT_BYTES // (4 * 512 * 512 * 3)
    assert rows_to_keep(FitFacts(batch_size=64), images) == 64


def test_unknown_sizes_count_as_one():
    assert rows_to_look_at(Facts("model", layers=(LayerFacts("hidden", "Dense"),))) == LOOK_BYTES // 4
