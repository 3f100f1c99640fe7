import numpy as np
import pytest
from scipy import special

from deepdebug.detectors.output_range import RANGES, OutputRange
from deepdebug.errors import NotJudged
from deepdebug.facts import LabelFacts
from tests.detectors.static_runs import class_numbers, numbers, one_output

MSE = "mean_squared_error"
GRID = np.linspace(-60, 60, 200_001)
FUNCTIONS = {
    "sigmoid": special.expit,
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "softplus": lambda z: np.logaddexp(0, z),
    "elu": lambda z: np.where(z > 0, z, np.expm1(z)),
    "selu": lambda z: 1.0507009873554805 * np.where(z > 0, z, 1.6732632423543772 * np.expm1(z)),
    "gelu": lambda z: z * special.ndtr(z),
    "silu": lambda z: z * special.expit(z),
    "hard_silu": lambda z: z * np.clip(z / 6 + 0.5, 0, 1),
    "mish": lambda z: z * np.tanh(np.logaddexp(0, z)),
}


def detect(*arguments):
    return list(OutputRange().detect(one_output(*arguments)))


def test_targets_beyond_a_sigmoid_are_reported_with_both_ranges():
    (finding,) = detect("sigmoid", MSE, numbers(0, 30), (1,))
    assert finding.message == "Layer 'head' (sigmoid) gives values from 0 to 1 and cannot reach the labels from 0 to 30"
    assert (finding.value, finding.threshold, finding.severity) == (30.0, 1.0, "error")


def test_targets_inside_the_range_are_silent():
    assert detect("tanh", MSE, numbers(-1, 1 + 5e-7), (1,)) == []


def test_few_labels_just_outside_are_a_warning():
    (finding,) = detect("relu", MSE, numbers(-0.01, 5), (1,))
    assert finding.severity == "warn"


def test_linear_output_reaches_everything():
    assert detect("linear", MSE, numbers(-1e6, 1e6), (1,)) == []


def test_cross_entropy_is_not_a_matter_of_range():
    assert detect("sigmoid", "binary_crossentropy", numbers(0, 30), (1,)) == []


def test_labels_without_numbers_are_silent():
    assert detect("sigmoid", MSE, LabelFacts("output", (), "object", 10), (1,)) == []


def test_unknown_activation_is_not_judged():
    with pytest.raises(NotJudged, match="could not be recognised"):
        detect("unknown", MSE, numbers(0, 30), (1,))


def test_missing_labels_are_not_judged():
    with pytest.raises(NotJudged, match="needs the labels"):
        detect("sigmoid", MSE, None, (1,))


def test_classifier_is_silent():
    assert detect("softmax", "sparse_categorical_crossentropy", class_numbers()) == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_range_is_that_of_the_function(name):
    values, (low, high) = FUNCTIONS[name](GRID), RANGES[name]
    assert values.min() == pytest.approx(low, abs=1e-3)
    assert values.max() >= GRID.max() if high == np.inf else values.max() == pytest.approx(high, abs=1e-3)
