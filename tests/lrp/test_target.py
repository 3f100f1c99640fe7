"""What is explained, with and without labels."""

import keras
import numpy as np
import pytest
from keras import layers

from deepdebug.errors import UsageError
from deepdebug.lrp import Explainer, relevance

pytestmark = pytest.mark.slow
X = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")


def model(head, outputs=3):
    keras.utils.set_random_seed(2)
    return keras.Sequential(
        [keras.Input((4,)), layers.Dense(outputs, head, name="head", bias_initializer=keras.initializers.Constant(0.3))]
    )


def scores(one):
    layer = one.get_layer("head")
    kernel, bias = (np.asarray(keras.ops.convert_to_numpy(value)) for value in (layer.kernel, layer.bias))
    return X @ kernel + bias


def started(one, target, y=None, reference=None):
    """Return the relevance that the outputs of each row start with, summed over outputs."""
    found = Explainer(one, composite="epsilon", reference=reference)(X, target, y)
    assert found.conservation[-1].outputs == pytest.approx(found.explained.scores.sum(), rel=1e-3, abs=1e-4)
    return found.explained.scores


def softmax(z):
    power = np.exp(z - z.max(axis=1, keepdims=True))
    return power / power.sum(axis=1, keepdims=True)


def test_predicted_is_the_largest_score_and_largest_the_largest_in_size():
    one = model(None)
    z = scores(one)
    assert started(one, "predicted") == pytest.approx(z.max(axis=1), rel=1e-5)
    assert started(one, "largest") == pytest.approx(z[range(5), np.abs(z).argmax(axis=1)], rel=1e-5)


@pytest.mark.parametrize(
    "labels",
    [np.array([0, 1, 2, 1, 0]), np.array([[0.0], [1.0], [2.0], [1.0], [0.0]]), np.eye(3)[[0, 1, 2, 1, 0]]],
    ids=["classes", "column", "one-hot"],
)
def test_true_is_the_class_of_the_labels(labels):
    one = model("softmax")
    assert started(one, "true", labels) == pytest.approx(scores(one)[range(5), [0, 1, 2, 1, 0]], rel=1e-5)


def test_worst_is_the_output_farthest_from_its_label():
    one = model(None)
    z, y = scores(one), np.random.default_rng(1).normal(size=(5, 3))
    expected = z[range(5), np.abs(z - y).argmax(axis=1)]
    assert started(one, "worst", y) == pytest.approx(expected, rel=1e-5)


def test_check_09_worst_without_labels_is_the_least_usual_output():
    one = model(None)
    z, known = scores(one), np.random.default_rng(1).normal(size=(50, 3)) * [1.0, 0.1, 5.0]
    deviation = np.abs(z - known.mean(axis=0)) / known.std(axis=0)
    assert started(one, "worst", reference=known) == pytest.approx(z[range(5), deviation.argmax(axis=1)], rel=1e-4)


def test_loss_of_a_regression_is_its_squared_error():
    one = model(None)
    y = np.random.default_rng(1).normal(size=(5, 3))
    assert started(one, "loss", y) == pytest.approx(((scores(one) - y) ** 2).sum(axis=1), rel=1e-5)


def test_loss_of_a_regression_without_labels_is_its_distance_from_what_is_usual():
    one = model(None)
    known = np.random.default_rng(1).normal(size=(50, 3)) * [1.0, 0.5, 5.0]
    expected = (((scores(one) - known.mean(axis=0)) / known.std(axis=0)) ** 2).sum(axis=1)
    assert started(one, "loss", reference=known) == pytest.approx(expected, rel=1e-4)


def test_loss_of_classes_is_score_times_derivative_of_the_cross_entropy():
    one = model("softmax")
    z, y = scores(one), np.array([0, 1, 2, 1, 0])
    expected = (z * (softmax(z) - np.eye(3)[y])).sum(axis=1)
    assert started(one, "loss", y) == pytest.approx(expected, rel=1e-4)


def test_loss_of_classes_without_labels_counts_the_predicted_class_as_right():
    one = model("softmax")
    z = scores(one)
    expected = (z * (softmax(z) - np.eye(3)[z.argmax(axis=1)])).sum(axis=1)
    assert started(one, "loss") == pytest.approx(expected, rel=1e-4)


def test_loss_of_a_sigmoid_is_that_of_each_output():
    one = model("sigmoid", 2)
    z, y = scores(one), np.array([[0, 1], [1, 1], [0, 0], [1, 0], [0, 1]])
    share = 1 / (1 + np.exp(-z))
    assert started(one, "loss", y) == pytest.approx((z * (share - y)).sum(axis=1), rel=1e-4, abs=1e-6)
    assert started(one, "loss") == pytest.approx((z * (share - (z > 0))).sum(axis=1), rel=1e-4, abs=1e-6)


def test_softmax_layer_of_its_own_is_seen_as_the_head():
    one = keras.Sequential([keras.Input((4,)), *model(None).layers, layers.Softmax()])
    z, y = scores(one), np.array([0, 1, 2, 1, 0])
    assert started(one, "loss", y) == pytest.approx((z * (softmax(z) - np.eye(3)[y])).sum(axis=1), rel=1e-4, abs=1e-6)


def test_loss_of_a_regression_that_ends_in_an_activation_is_that_of_its_outputs():
    one = model("tanh")
    y = np.random.default_rng(1).normal(size=(5, 3))
    np.testing.assert_allclose(started(one, "loss", y), ((np.tanh(scores(one)) - y) ** 2).sum(axis=1), rtol=1e-4)


def test_reference_is_no_label_of_a_class():
    one = model("softmax")
    with_reference = started(one, "loss", reference=np.random.default_rng(1).random((9, 3)))
    np.testing.assert_allclose(with_reference, started(one, "loss"), rtol=1e-5)


def test_softmax_operation_is_taken_off_like_a_layer():
    inputs = keras.Input((4,))
    dense = model(None).get_layer("head")
    one = keras.Model(inputs, keras.ops.softmax(dense(inputs)))
    z, y = scores(one), np.array([0, 1, 2, 1, 0])
    np.testing.assert_allclose(started(one, "predicted"), z.max(axis=1), rtol=1e-4)
    np.testing.assert_allclose(started(one, "loss", y), (z * (softmax(z) - np.eye(3)[y])).sum(axis=1), rtol=1e-3)


def test_check_09_negative_score_starts_as_negative_relevance():
    one = model(None)
    z = scores(one)
    row, column = np.unravel_index(z.argmin(), z.shape)
    assert z[row, column] < 0
    found = relevance(one, X[row : row + 1], composite="epsilon", target=int(column))
    assert found.conservation[-1].outputs == pytest.approx(z[row, column], rel=1e-5)


@pytest.mark.parametrize(
    ("target", "y", "message"),
    [
        ("true", None, "needs `y` with 5 class numbers, or one-hot rows of 3; got none"),
        ("true", np.full(5, 0.5), "needs `y` with 5 class numbers"),
        ("true", np.zeros(4), "needs `y` with 5 class numbers"),
        ("true", np.array([0, 1, 2, 3, 0]), "`y` got the index 3; the model has 3 outputs, 0 to 2"),
        (7, None, "`target` got the index 7; the model has 3 outputs"),
        (-1, None, "`target` got the index -1"),
        ("worst", None, "needs `y`, the right values, or, where they are unknown, `reference`"),
        ("worst", np.zeros((5, 2)), r"`y` got the shape \(5, 2\)"),
        ("loss", None, "needs the right values in `y`"),
        ("loss", np.zeros(5), "needs the right values in `y`"),
        ("worst", np.zeros(5), "5 rows of 3 values"),
        ("loss", np.zeros((3, 5)), "5 rows of 3 values"),
        ("true", np.ones((5, 3)), "one-hot rows of 3"),
    ],
)
def test_target_without_what_it_needs_is_refused(target, y, message):
    with pytest.raises(UsageError, match=message):
        relevance(model(None), X, target=target, y=y)


def test_number_of_outputs_is_found_where_only_a_call_tells_it():
    class Program(keras.Model):
        def __init__(self):
            super().__init__()
            self.head = layers.Dense(3)

        def call(self, x):
            return self.head(x)

    one = Program()
    one(X)
    with pytest.raises(UsageError, match="the model has 3 outputs"):
        relevance(one, X, target=3)


def test_model_that_is_not_built_is_refused():
    with pytest.raises(UsageError, match="is not built"):
        relevance(keras.Sequential([layers.Dense(3)]), X)


def test_reference_of_another_shape_is_refused():
    with pytest.raises(UsageError, match=r"`reference` got the shape \(9, 2\)"):
        relevance(model(None), X, target="worst", reference=np.zeros((9, 2)))
