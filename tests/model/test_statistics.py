import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from keras import ops

from deepdebug.model import statistics
from deepdebug.model.parts import Segments, end_to_end

SHAPES = ((6,), (5, 3), (4, 2, 3))
ORDINARY = st.floats(-1e4, 1e4, width=32, allow_subnormal=False)  # which backends are free to take for 0
ANY = st.one_of(ORDINARY, st.sampled_from([np.nan, np.inf, -np.inf, 0.0]))
HALF_ZERO = st.one_of(st.just(0.0), ORDINARY)


def arrays(values, shapes=SHAPES):
    return st.sampled_from(shapes).flatmap(lambda shape: hnp.arrays("float32", shape, elements=values))


def numbers_of(tensors):
    return {name: float(ops.convert_to_numpy(value)) for name, value in tensors.items()}


def close(expected, scale=1.0):
    return pytest.approx(float(expected), rel=1e-4, abs=1e-5 * max(1.0, float(scale)))


def finite_part(array):
    """The array with 0 in place of NaN and infinities, in double precision, and its largest value."""
    values = np.where(np.isfinite(array), array, 0).astype("float64")
    return values, np.abs(values).max()


@settings(max_examples=40)
@given(arrays(ANY))
def test_layer_numbers_are_those_of_numpy_over_the_finite_elements(array):
    found = numbers_of(statistics.layer_statistics(ops.convert_to_tensor(array), "linear", -1))
    values, scale = finite_part(array)
    assert found["non_finite"] == close(np.mean(~np.isfinite(array)))
    assert found["mean"] == close(values.mean(), scale)
    assert found["rms"] == close(np.sqrt(np.mean(values**2)), scale)
    assert (found["minimum"], found["maximum"]) == (values.min(), values.max())
    assert found["row_spread"] == close(np.sqrt(np.mean(values.var(axis=0))), scale)


@settings(max_examples=40)
@given(arrays(HALF_ZERO))
def test_dead_units_are_those_that_never_exceed_zero(array):
    array = np.maximum(array, 0)
    found = numbers_of(statistics.layer_statistics(ops.convert_to_tensor(array), "relu", -1))
    columns = array.reshape(-1, array.shape[-1]) if array.ndim > 1 else array[:, None]
    assert found["zero_fraction"] == close(np.mean(array == 0))
    assert found["dead_fraction"] == close(np.mean([not column.any() for column in columns.T]))


@settings(max_examples=40)
@given(arrays(st.sampled_from([0.0, 0.005, 0.4, 0.995, 1.0]), ((10, 3), (10, 2, 3))))
def test_stuck_units_sit_on_one_side_for_nine_rows_in_ten(array):
    found = numbers_of(statistics.layer_statistics(ops.convert_to_tensor(array), "sigmoid", -1))
    low, high = array <= np.float32(0.01), array >= np.float32(0.99)
    units = [(low[..., unit].mean(), high[..., unit].mean()) for unit in range(array.shape[-1])]
    assert found["saturated_fraction"] == close(np.mean(low | high))
    assert found["stuck_fraction"] == close(np.mean([max(unit) >= 0.9 - 1e-6 for unit in units]))


@pytest.mark.parametrize(
    ("activation", "flat", "steep"),
    [
        ("sigmoid", [0.0, 0.999, 1.0], [0.02, 0.5, 0.98]), ("tanh", [-1.0, 0.995, 1.0], [-0.98, 0.0, 0.98]),
        ("hard_sigmoid", [0.0, 1.0], [0.001, 0.5, 0.999]), ("hard_tanh", [-1.0, 1.0], [-0.99, 0.0, 0.99]),
    ],
)  # fmt: skip
def test_flat_parts_of_an_activation_count_as_saturated(activation, flat, steep):
    for values, share in ((flat, 1.0), (steep, 0.0)):
        tensor = ops.convert_to_tensor(np.array(values, "float32")[:, None])
        assert numbers_of(statistics.layer_statistics(tensor, activation, -1))["saturated_fraction"] == share


def test_unit_axis_of_channels_first_output_is_the_second():
    output = np.ones((4, 3, 5), "float32")
    output[:, 1] = 0
    tensor = ops.convert_to_tensor(output)
    assert numbers_of(statistics.layer_statistics(tensor, "relu", 1))["dead_fraction"] == pytest.approx(1 / 3)
    assert numbers_of(statistics.layer_statistics(tensor, "relu", -1))["dead_fraction"] == 0.0
    assert statistics.unit_axis(keras.layers.Conv2D(2, 3, data_format="channels_first")) == 1
    assert statistics.unit_axis(keras.layers.Dense(2)) == -1


def test_linear_output_has_no_dead_units():
    assert "dead_fraction" not in statistics.layer_statistics(ops.zeros((3, 2)), "linear", -1)


def test_half_precision_output_is_summed_in_single_precision():
    output = ops.cast(ops.full((64, 64), 100.0), "float16")  # the sum and the squares overflow float16
    found = numbers_of(statistics.layer_statistics(output, "linear", -1))
    assert (found["mean"], found["rms"]) == (pytest.approx(100), pytest.approx(100))


@settings(max_examples=40)
@given(arrays(ANY, ((4, 3),)), arrays(ORDINARY, ((4, 3),)))
def test_variable_numbers_are_those_of_numpy(value, start):
    found = numbers_of(statistics.variable_statistics(ops.convert_to_tensor(value), ops.convert_to_tensor(start)))
    values, scale = finite_part(value)
    largest_start = np.abs(start).max()
    assert found["non_finite"] == close(np.mean(~np.isfinite(value)))
    assert found["rms"] == close(np.sqrt(np.mean(values**2)), scale)
    assert found["std"] == close(values.std(), scale)
    assert found["max_abs"] == scale
    assert found["moved"] == close(np.abs(values - start).max() / (largest_start or 1.0))


@settings(max_examples=40)
@given(arrays(st.one_of(ANY, st.just(0.0)), ((4, 3),)))
def test_gradient_numbers_are_those_of_numpy(gradient):
    found = numbers_of(statistics.gradient_statistics(ops.convert_to_tensor(gradient)))
    values, scale = finite_part(gradient)
    assert found["gradient_non_finite"] == close(np.mean(~np.isfinite(gradient)))
    assert found["gradient_rms"] == close(np.sqrt(np.mean(values**2)), scale)
    assert found["gradient_max"] == scale
    assert found["gradient_zero_fraction"] == close(np.mean(gradient == 0))
    assert found["gradient_squares"] == close(np.sum(values**2), scale**2)


def test_update_is_the_root_mean_square_of_the_change():
    before, after = ops.convert_to_tensor([1.0, 2.0]), ops.convert_to_tensor([4.0, 6.0])
    assert numbers_of(statistics.update_statistics(before, after))["update_rms"] == pytest.approx(np.sqrt(12.5))


PARTS = (((4, 3), (3,), (1,), (2, 2, 2)), ((2,), (2,)), ((5,),), ((1,), (1,), (1,)))


@settings(max_examples=40)
@given(
    st.sampled_from(PARTS).flatmap(
        lambda shapes: st.tuples(*(hnp.arrays("float32", one, elements=ANY) for one in shapes))
    )
)
def test_variables_end_to_end_have_the_numbers_that_each_has_alone(values):
    tensors = [ops.convert_to_tensor(one) for one in values]
    starts = [ops.convert_to_tensor(np.where(np.isfinite(one), one, 0)[..., ::-1].copy()) for one in values]
    row, parts = end_to_end(tensors), Segments(tuple(one.size for one in values))
    together = {
        **statistics.variable_statistics(row, end_to_end(starts), parts),
        **statistics.gradient_statistics(row, parts),
        **statistics.update_statistics(end_to_end(starts), ops.where(ops.isfinite(row), row, 0.0), parts),
    }
    for place, (tensor, start, value) in enumerate(zip(tensors, starts, values, strict=True)):
        alone = numbers_of(
            {
                **statistics.variable_statistics(tensor, start),
                **statistics.gradient_statistics(tensor),
                **statistics.update_statistics(start, ops.where(ops.isfinite(tensor), tensor, 0.0)),
            }
        )
        scale = finite_part(value)[1] ** 2
        for name, expected in alone.items():
            assert float(ops.convert_to_numpy(together[name])[place]) == close(expected, scale), name
