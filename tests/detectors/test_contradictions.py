"""The table of contradictions between last activation, loss and labels, and the combinations that are in order."""

import pytest

from deepdebug.detectors.constant_softmax import ConstantSoftmax
from deepdebug.detectors.label_encoding import LabelEncoding
from deepdebug.detectors.loss_activation_mismatch import LossActivationMismatch
from deepdebug.detectors.output_range import OutputRange
from deepdebug.detectors.shape_mismatch import ShapeMismatch
from tests.detectors.static_runs import class_numbers, multi_hot, numbers, one_hot, one_output, severities

DETECTORS = (OutputRange(), ConstantSoftmax(), LossActivationMismatch(), LabelEncoding(), ShapeMismatch())
CATEGORICAL, SPARSE = "categorical_crossentropy", "sparse_categorical_crossentropy"
BINARY, MSE, MAE = "binary_crossentropy", "mean_squared_error", "mean_absolute_error"

CONTRADICTIONS = {
    "softmax over one unit, labels 0 and 1": (("softmax", BINARY, class_numbers(2), (1,)), "DD402", "error"),
    "softmax over one unit, class numbers": (("softmax", SPARSE, class_numbers(3), (1,)), "DD402", "error"),
    "softmax over one unit, one-hot": (("softmax", CATEGORICAL, one_hot(3), (1,)), "DD402", "error"),
    "softmax over one unit, regression": (("softmax", MSE, numbers(), (1,)), "DD402", "error"),
    "softmax over classes, binary loss, one-hot": (("softmax", BINARY, one_hot()), "DD403", "warn"),
    "softmax over 2 classes, binary loss, one-hot": (("softmax", BINARY, one_hot(2), (2,)), "DD403", "warn"),
    "softmax over classes, binary loss, several labels": (("softmax", BINARY, multi_hot()), "DD403", "warn"),
    "softmax with from_logits": (("softmax", CATEGORICAL, one_hot(), (3,), True), "DD403", "error"),
    "softmax with from_logits, class numbers": (("softmax", SPARSE, class_numbers(), (3,), True), "DD403", "error"),
    "sigmoid with from_logits": (("sigmoid", BINARY, class_numbers(2), (1,), True), "DD403", "error"),
    "raw numbers for classes": (("linear", CATEGORICAL, one_hot()), "DD403", "error"),
    "raw numbers for class numbers": (("linear", SPARSE, class_numbers()), "DD403", "error"),
    "raw numbers for yes and no": (("linear", BINARY, class_numbers(2), (1,)), "DD403", "error"),
    "relu for classes": (("relu", CATEGORICAL, one_hot()), "DD403", "error"),
    "relu for yes and no": (("relu", BINARY, class_numbers(2), (1,)), "DD403", "error"),
    "tanh for class numbers": (("tanh", SPARSE, class_numbers()), "DD403", "error"),
    "tanh for yes and no": (("tanh", BINARY, class_numbers(2), (1,)), "DD403", "error"),
    "relu as logits": (("relu", SPARSE, class_numbers(), (3,), True), "DD403", "warn"),
    "sigmoid for exclusive classes": (("sigmoid", CATEGORICAL, one_hot()), "DD403", "warn"),
    "sigmoid for class numbers": (("sigmoid", SPARSE, class_numbers()), "DD403", "warn"),
    "sigmoid, categorical loss, several labels": (("sigmoid", CATEGORICAL, multi_hot()), "DD403", "error"),
    "one unit, categorical loss": (("sigmoid", CATEGORICAL, class_numbers(2), (1,)), "DD403", "error"),
    "one unit, sparse loss": (("sigmoid", SPARSE, class_numbers(2), (1,)), "DD403", "error"),
    "sparse loss, one-hot labels": (("softmax", SPARSE, one_hot()), "DD404", "error"),
    "sparse loss, fractions": (("softmax", SPARSE, numbers(0, 2)), "DD404", "error"),
    "sparse loss, class beyond the units": (("softmax", SPARSE, class_numbers(4)), "DD404", "error"),
    "sparse loss, classes from 1": (
        ("softmax", SPARSE, class_numbers(minimum=1.0, maximum=3.0)), "DD404", "error",
    ),
    "sparse loss, negative class": (
        ("softmax", SPARSE, class_numbers(minimum=-1.0, maximum=1.0, class_counts=())), "DD404", "error",
    ),
    "sparse loss with logits, class beyond the units": (
        ("linear", SPARSE, class_numbers(4), (3,), True), "DD404", "error",
    ),
    "categorical loss, class numbers": (("softmax", CATEGORICAL, class_numbers()), "DD404", "error"),
    "categorical loss, column of class numbers": (
        ("softmax", CATEGORICAL, class_numbers(shape=(1,))), "DD404", "error",
    ),
    "categorical loss, several labels": (("softmax", CATEGORICAL, multi_hot()), "DD404", "warn"),
    "sigmoid, targets beyond 1": (("sigmoid", MSE, numbers(0, 30), (1,)), "DD104", "error"),
    "tanh, targets beyond 1": (("tanh", MAE, numbers(-3, 3), (1,)), "DD104", "error"),
    "softmax, targets beyond 1": (("softmax", MSE, numbers(0, 30, (3,))), "DD104", "error"),
    "relu, negative targets": (("relu", MSE, numbers(), (1,)), "DD104", "error"),
    "one unit, ten targets": (("linear", MSE, numbers(shape=(10,)), (1,)), "DD406", "error"),
    "ten units, one target": (("linear", MAE, numbers(shape=(1,)), (10,)), "DD406", "error"),
    "ten units with softmax, class numbers": (("softmax", MSE, class_numbers(10, (1,)), (10,)), "DD406", "error"),
    "(n,) against (n, 1) in a custom loss": (("linear", "custom", numbers(), (1,)), "DD406", "warn"),
    "binary loss, labels -1 and 1": (
        ("sigmoid", BINARY, class_numbers(2, minimum=-1.0, class_counts=()), (1,)), "DD404", "error",
    ),
    "binary loss, labels 1 and 2": (
        ("sigmoid", BINARY, class_numbers(2, minimum=1.0, maximum=2.0), (1,)), "DD404", "error",
    ),
    "binary loss, pixels to 255": (("sigmoid", BINARY, numbers(0, 255, (784,)), (784,)), "DD404", "error"),
    "binary loss on logits, labels -1 and 1": (
        ("linear", BINARY, class_numbers(2, minimum=-1.0, class_counts=()), (1,), True), "DD404", "error",
    ),
}  # fmt: skip

HEALTHY = {
    "softmax and one-hot": ("softmax", CATEGORICAL, one_hot()),
    "softmax and label smoothing": ("softmax", CATEGORICAL, one_hot(one_hot=False, integer=False, minimum=0.05)),
    "softmax and class numbers": ("softmax", SPARSE, class_numbers()),
    "softmax and a column of class numbers": ("softmax", SPARSE, class_numbers(shape=(1,))),
    "softmax with spare units": ("softmax", SPARSE, class_numbers(3), (10,)),
    "softmax per position": ("softmax", SPARSE, class_numbers(3, (32, 32), class_counts=()), (32, 32, 3)),
    "one-hot per position": ("softmax", CATEGORICAL, one_hot(3, (32, 32, 3)), (32, 32, 3)),
    "logits and one-hot": ("linear", CATEGORICAL, one_hot(), (3,), True),
    "logits and class numbers": ("linear", SPARSE, class_numbers(), (3,), True),
    "logits and yes or no": ("linear", BINARY, class_numbers(2), (1,), True),
    "log-softmax as logits": ("log_softmax", SPARSE, class_numbers(), (3,), True),
    "sigmoid and yes or no": ("sigmoid", BINARY, class_numbers(2), (1,)),
    "sigmoid and a column of yes or no": ("sigmoid", BINARY, class_numbers(2, (1,)), (1,)),
    "sigmoid and several labels": ("sigmoid", BINARY, multi_hot()),
    "sigmoid and soft labels": ("sigmoid", BINARY, numbers(0, 1), (1,)),
    "sigmoid and pixels": ("sigmoid", BINARY, numbers(0, 1, (28, 28, 1)), (28, 28, 1)),
    "linear and a vector of targets": ("linear", MSE, numbers(), (1,)),
    "linear and a column of targets": ("linear", MSE, numbers(shape=(1,)), (1,)),
    "linear and several targets": ("linear", MAE, numbers(shape=(4,)), (4,)),
    "linear and a sequence": ("linear", MSE, numbers(shape=(12,)), (12, 1)),
    "linear and a shape that is not known": ("linear", MSE, numbers(shape=(12, 1)), (None, 1)),
    "sigmoid and scaled targets": ("sigmoid", MSE, numbers(0, 1, (784,)), (784,)),
    "tanh and scaled targets": ("tanh", MSE, numbers(-1, 1), (1,)),
    "relu and prices": ("relu", MSE, numbers(0, 500), (1,)),
    "softplus and counts": ("softplus", "poisson", numbers(0, 12), (1,)),
    "softmax and squared error": ("softmax", MSE, one_hot()),
    "tanh and hinge": ("tanh", "hinge", class_numbers(2, minimum=-1.0), (1,)),
    "a loss without labels of its own": ("linear", "cosine_similarity", numbers(shape=(16,)), (16,)),
}


@pytest.mark.parametrize("row", CONTRADICTIONS, ids=str)
def test_contradiction_is_reported_once_under_one_code(row):
    arguments, code, severity = CONTRADICTIONS[row]
    detectors = DETECTORS if arguments[1] != "custom" else (ShapeMismatch(),)
    assert severities(one_output(*arguments), detectors) == {code: severity}


@pytest.mark.parametrize(
    ("activation", "severity"), [("softmax", "warn"), ("sigmoid", "warn"), ("hard_sigmoid", "error")]
)
def test_doubled_squashing_that_the_backend_undoes_is_a_warning_there(activation, severity):
    run = one_output(activation, BINARY, multi_hot(), from_logits=True, backend="tensorflow")
    assert severities(run, DETECTORS) == {"DD403": severity}


@pytest.mark.parametrize("row", HEALTHY, ids=str)
def test_sound_combination_is_silent(row):
    assert severities(one_output(*HEALTHY[row]), DETECTORS) == {}


@pytest.mark.parametrize("code", ["DD104", "DD402", "DD403", "DD404", "DD406"])
def test_every_detector_of_the_table_has_a_row(code):
    assert any(row[1] == code for row in CONTRADICTIONS.values())
