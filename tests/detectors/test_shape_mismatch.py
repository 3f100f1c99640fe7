import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepdebug.detectors.shape_mismatch import ShapeMismatch, is_broadcast
from deepdebug.errors import NotJudged
from deepdebug.facts import LossFacts, OutputFacts
from tests.detectors.static_runs import numbers, one_output

MSE = "mean_squared_error"
SIZES = st.lists(st.sampled_from([1, 3, 4]), max_size=3).map(tuple)
ROWS = 7


def detect(*arguments, **changes):
    return list(ShapeMismatch().detect(one_output(*arguments, **changes)))


def test_one_unit_for_ten_targets_is_reported_with_both_shapes():
    (finding,) = detect("linear", MSE, numbers(shape=(10,)), (1,))
    assert finding.message == (
        "Mean_squared_error broadcasts labels of shape (rows, 10) against the output of shape (rows, 1) of layer 'head'"
    )
    assert (finding.severity, finding.confidence) == ("error", "certain")


def test_target_without_a_unit_axis_is_repeated_over_time_steps():
    (finding,) = detect("linear", MSE, numbers(), (20, 1))
    assert finding.evidence["output"] == "(rows, 20, 1)"


def test_shapes_that_keras_refuses_are_left_to_keras():
    assert detect("linear", MSE, numbers(shape=(3,)), (4,)) == []


def test_vector_of_targets_for_one_unit_is_silent():
    assert detect("linear", MSE, numbers(), (1,)) == []


def test_custom_function_gets_aligned_shapes():
    assert detect("linear", "custom", numbers(), (1,), is_function=True) == []


def test_custom_loss_class_is_a_weak_warning():
    (finding,) = detect("linear", "custom", numbers(), (1,))
    assert (finding.severity, finding.confidence) == ("warn", "weak")


def test_custom_loss_may_take_labels_of_another_shape():
    assert detect("linear", "custom", numbers(shape=(10,)), (1,)) == []


def test_cross_entropies_check_their_shapes_themselves():
    assert detect("sigmoid", "binary_crossentropy", numbers(0, 1, (10,)), (1,)) == []


def test_size_that_is_not_known_is_taken_to_fit():
    assert detect("linear", MSE, numbers(shape=(5, 3)), (None, 3)) == []


def test_output_of_unknown_shape_is_no_mismatch():
    output = OutputFacts("output", "head", "linear", "head", None, LossFacts(MSE))
    assert not is_broadcast(output, numbers())


def test_missing_labels_are_not_judged():
    with pytest.raises(NotJudged, match="needs the labels"):
        detect("linear", MSE)


def test_model_without_a_loss_is_not_judged():
    with pytest.raises(NotJudged, match="compiled loss"):
        detect("linear", "none", numbers())


@given(SIZES, SIZES)
def test_verdict_agrees_with_numpy_broadcasting(label_shape, output_shape):
    truth, guess = aligned(np.zeros((ROWS, *label_shape)), np.zeros((ROWS, *output_shape)))
    output = OutputFacts("output", "head", "linear", "head", output_shape, LossFacts(MSE))
    expected = truth.shape != guess.shape and broadcasts(truth, guess)
    assert is_broadcast(output, numbers(shape=label_shape)) == expected


def aligned(truth, guess):
    """The rule of `keras.losses`: a last axis of size 1 is dropped where the numbers of axes differ by one."""
    if truth.ndim == guess.ndim + 1 and truth.shape[-1] == 1:
        return truth[..., 0], guess
    if guess.ndim == truth.ndim + 1 and guess.shape[-1] == 1:
        return truth, guess[..., 0]
    return truth, guess


def broadcasts(truth, guess):
    try:
        np.broadcast_shapes(truth.shape, guess.shape)
    except ValueError:
        return False
    return True
