from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize_scalar

from deepdebug.facts import LossFacts, OutputFacts
from deepdebug.observe import best_constant
from deepdebug.observe.best_constant import CONSTANTS, constant_loss_of, yardstick_of
from deepdebug.observe.class_labels import align
from deepdebug.observe.losses import CROSSENTROPIES, PLAIN_LOSSES, loss_of
from deepdebug.observe.outputs import observe_output

ROWS, CLASSES = 60, 4


def output(kind: str, activation: str = "linear", from_logits: bool | None = None) -> OutputFacts:
    return OutputFacts("y", "head", activation, "head", (CLASSES,), LossFacts(kind, kind, from_logits=from_logits))


def random_labels(kind: str, rng: np.random.Generator, shape: tuple[int, ...] = (ROWS, CLASSES)) -> np.ndarray:
    if kind == "sparse_categorical_crossentropy":
        return rng.integers(0, shape[-1], shape[:-1])
    if kind in ("categorical_crossentropy", "categorical_hinge", "kl_divergence"):
        return np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]
    if kind in ("binary_crossentropy", "binary_focal_crossentropy", "hinge", "squared_hinge"):
        return rng.integers(0, 2, shape).astype(float)
    return rng.gamma(2.0, 0.4 if kind == "poisson" else 1.5, shape)


def random_predictions(kind: str, rng: np.random.Generator, shape: tuple[int, ...] = (ROWS, CLASSES)) -> np.ndarray:
    if kind.startswith("binary"):
        return rng.uniform(0.01, 0.99, shape)
    if kind in ("categorical_crossentropy", "sparse_categorical_crossentropy", "kl_divergence"):
        return rng.dirichlet(np.ones(shape[-1]), shape[:-1])
    return rng.uniform(0.1, 4.0, shape) if kind in ("poisson",) else rng.normal(1.0, 2.0, shape)


def keras_loss(kind: str, labels: np.ndarray, predictions: np.ndarray, **config: bool) -> float:
    values = getattr(keras.losses, kind)(labels, predictions.astype("float32"), **config)
    return float(keras.ops.mean(values))


@pytest.mark.parametrize("kind", [*CROSSENTROPIES, *PLAIN_LOSSES])
@pytest.mark.parametrize("shape", [(ROWS, CLASSES), (12, 5, CLASSES)])
def test_loss_equals_that_of_keras(kind, shape):
    rng = np.random.default_rng(1)
    labels, predictions = random_labels(kind, rng, shape), random_predictions(kind, rng, shape)
    wanted = labels if kind.startswith("sparse") else labels.astype("float32")
    assert observe_output(output(kind), labels, predictions).loss == pytest.approx(
        keras_loss(kind, wanted, predictions), rel=1e-5
    )


@pytest.mark.parametrize("kind", list(CROSSENTROPIES))
def test_loss_of_logits_equals_that_of_keras(kind):
    rng = np.random.default_rng(2)
    labels, logits = random_labels(kind, rng), rng.normal(0, 5, (ROWS, CLASSES))
    wanted = labels if kind.startswith("sparse") else labels.astype("float32")
    assert observe_output(output(kind, from_logits=True), labels, logits).loss == pytest.approx(
        keras_loss(kind, wanted, logits, from_logits=True), rel=1e-4
    )


def test_certain_but_wrong_answer_is_clipped_as_in_keras():
    labels, predictions = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[0.0, 1.0], [0.0, 1.0]])
    seen = observe_output(output("categorical_crossentropy", "softmax"), labels, predictions)
    assert seen.loss == pytest.approx(keras_loss("categorical_crossentropy", labels, predictions), rel=1e-5)


def test_whole_loss_object_with_mean_reduction_agrees():
    rng = np.random.default_rng(3)
    labels, predictions = rng.normal(size=(ROWS, 1)), rng.normal(size=(ROWS, 1))
    wanted = float(keras.losses.Huber()(labels, predictions))
    assert observe_output(output("huber"), labels[:, 0], predictions).loss == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("kind", sorted(CONSTANTS))
@settings(max_examples=25, deadline=None, derandomize=True)
@given(data=st.data())
def test_no_constant_beats_the_best_constant(kind, data):
    seed = data.draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    columns = 3
    labels = random_labels(kind, rng, (data.draw(st.integers(8, 40)), columns))
    best = constant_loss_of(kind, labels)
    assume(best is not None)  # labels that do not vary, too many classes for the rows, or a loss below 0
    for _ in range(100):
        constant = random_predictions(kind, rng, (1, columns))
        loss = loss_of(kind, labels, np.broadcast_to(constant, labels.shape))
        assert loss is not None
        assert best <= loss + 1e-6


@pytest.mark.parametrize("kind", sorted(CONSTANTS))
def test_ordinary_labels_have_a_best_constant(kind):
    labels = random_labels(kind, np.random.default_rng(4), (200, 2))
    assert constant_loss_of(kind, labels) is not None


@pytest.mark.parametrize("kind", ["sparse_categorical_crossentropy", "categorical_crossentropy"])
def test_few_rows_per_class_give_the_yardstick_of_many(kind):
    rng = np.random.default_rng(6)

    def yardstick(rows):
        classes = rng.integers(0, 10, rows)
        return yardstick_of(kind, classes.astype("float64") if kind.startswith("sparse") else np.eye(10)[classes], 10)

    assert np.mean([yardstick(32) for _ in range(200)]) == pytest.approx(np.log(10), rel=0.02)
    assert yardstick(8) is None


@pytest.mark.parametrize("kind", ["huber", "log_cosh", "binary_focal_crossentropy", "mean_absolute_error"])
def test_searched_constant_agrees_with_scipy(kind):
    rng = np.random.default_rng(5)
    labels = random_labels(kind, rng, (80, 1))
    found = minimize_scalar(
        lambda constant: loss_of(kind, labels, np.full_like(labels, constant)),
        bounds=(labels.min(), labels.max()),
        method="bounded",
        options={"xatol": 1e-9},
    )
    assert constant_loss_of(kind, labels) == pytest.approx(found.fun, rel=1e-5)


@pytest.mark.parametrize("shares", [(0.7, 0.2, 0.1), (0.4, 0.4, 0.2), (0.5, 0.3, 0.2)])
def test_best_constant_of_the_categorical_hinge_agrees_with_a_linear_program(shares):
    counts = np.round(np.array(shares) * 10).astype(int)
    classes = np.repeat(np.arange(3), counts)
    # variables: the three constants, then one slack per class; wrong - right + 1 <= slack for every competitor
    rows, limits = [], []
    for right in range(3):
        for wrong in (*[one for one in range(3) if one != right], None):
            row = np.zeros(6)
            row[right], row[3 + right] = -1, -1
            if wrong is not None:
                row[wrong] = 1
            rows.append(row)
            limits.append(-1)
    bounds = [(None, None)] * 3 + [(0, None)] * 3
    found = linprog([0, 0, 0, *shares], A_ub=rows, b_ub=limits, bounds=bounds)
    assert constant_loss_of("categorical_hinge", np.eye(3)[classes]) == pytest.approx(found.fun)


def test_constant_predictor_has_no_skill_and_perfect_one_has_all():
    labels = np.eye(3)[np.repeat([0, 1, 2], [50, 30, 20])]
    facts = output("categorical_crossentropy", "softmax")
    constant = observe_output(facts, labels, np.tile([0.5, 0.3, 0.2], (100, 1)))
    assert constant.skill == pytest.approx(0.0, abs=1e-9)
    assert observe_output(facts, labels, labels).skill == pytest.approx(1.0, abs=1e-6)


def test_sparse_and_one_hot_labels_give_the_same_record():
    rng = np.random.default_rng(6)
    classes, predictions = rng.integers(0, 3, 90), rng.dirichlet(np.ones(3), 90)
    sparse = observe_output(output("sparse_categorical_crossentropy", "softmax"), classes[:, None], predictions)
    one_hot = observe_output(output("categorical_crossentropy", "softmax"), np.eye(3)[classes], predictions)
    for name in ("accuracy", "majority", "class_counts", "recalls", "loss", "constant_loss", "label_spread"):
        assert getattr(sparse, name) == pytest.approx(getattr(one_hot, name))


def test_classes_are_counted_and_found():
    predictions = np.array([[0.9, 0.1, 0], [0.8, 0.2, 0], [0.7, 0.3, 0], [0.1, 0.9, 0]])
    seen = observe_output(output("sparse_categorical_crossentropy", "softmax"), [0, 0, 1, 1], predictions)
    assert (seen.accuracy, seen.majority, seen.predicted_share) == (0.75, 0.5, 0.75)
    assert (seen.class_counts, seen.recalls) == ((2, 2, 0), (1.0, 0.5, None))


def test_spread_of_predictions_is_taken_over_the_rows():
    predictions = np.array([[0.0, 10.0], [2.0, 10.0]])
    seen = observe_output(output("mean_squared_error"), predictions, predictions)
    assert seen.row_spread == seen.label_spread == pytest.approx(np.sqrt(0.5))
    assert seen.mean_abs == 5.5


@pytest.mark.parametrize(
    ("kind", "activation", "from_logits", "labels", "predictions"),
    [
        ("binary_crossentropy", "sigmoid", False, [0, 1, 1, 0], [[0.2], [0.6], [0.4], [0.4]]),
        ("binary_crossentropy", "linear", True, [0, 1, 1, 0], [[-0.2], [0.6], [-0.4], [-0.4]]),
        ("binary_crossentropy", "sigmoid", True, [0, 1, 1, 0], [[0.2], [0.6], [0.4], [0.4]]),
        ("hinge", "tanh", None, [-1, 1, 1, -1], [[-0.2], [0.2], [-0.4], [-0.4]]),
        ("squared_hinge", "linear", None, [0, 1, 1, 0], [[-0.2], [0.2], [-0.4], [-0.4]]),
        ("mean_squared_error", "sigmoid", None, [0, 1, 1, 0], [0.2, 0.6, 0.4, 0.4]),
        ("mean_squared_error", "tanh", None, [-1, 1, 1, -1], [-0.2, 0.6, -0.4, -0.4]),
        ("custom", "sigmoid", None, [0, 1, 1, 0], [[0.2], [0.6], [0.4], [0.4]]),
    ],
)
def test_two_classes_are_told_by_the_fitting_threshold(kind, activation, from_logits, labels, predictions):
    seen = observe_output(output(kind, activation, from_logits), np.array(labels), np.array(predictions))
    assert (seen.accuracy, seen.class_counts, seen.recalls) == (0.75, (2, 2), (1.0, 0.5))


def test_labels_that_do_not_exclude_one_another_are_judged_one_by_one():
    labels = np.array([[1, 1, 0], [0, 1, 0]])
    seen = observe_output(output("binary_crossentropy", "sigmoid"), labels, np.array([[0.9, 0.8, 0.7], [0.1, 0.9, 0]]))
    assert (seen.accuracy, seen.majority) == (pytest.approx(5 / 6), pytest.approx(5 / 6))
    assert (seen.predicted_share, seen.class_counts) == (None, ())


def test_one_hot_labels_under_a_binary_loss_are_classes():
    labels = np.eye(3)[[0, 1, 2]]
    seen = observe_output(output("binary_crossentropy", "sigmoid"), labels, 0.4 * labels)
    assert seen.accuracy == 1.0


def test_time_steps_count_like_rows():
    rng = np.random.default_rng(7)
    classes, predictions = rng.integers(0, 3, (10, 6)), rng.dirichlet(np.ones(3), (10, 6))
    facts = output("sparse_categorical_crossentropy", "softmax")
    sequence = observe_output(facts, classes, predictions)
    flat = observe_output(facts, classes.ravel(), predictions.reshape(60, 3))
    assert (sequence.accuracy, sequence.class_counts) == (flat.accuracy, flat.class_counts)
    assert (sequence.loss, sequence.constant_loss) == pytest.approx((flat.loss, flat.constant_loss))


def test_regression_has_no_accuracy():
    rng = np.random.default_rng(8)
    seen = observe_output(output("mean_squared_error"), rng.normal(size=50), rng.normal(size=(50, 1)))
    assert (seen.accuracy, seen.majority, seen.class_counts) == (None, None, ())
    assert seen.loss is not None


def test_grey_values_under_a_binary_loss_have_no_accuracy():
    values = np.random.default_rng(9).uniform(size=(20, 6))
    seen = observe_output(output("binary_crossentropy", "sigmoid"), values, values)
    assert seen.accuracy is None
    assert seen.skill is not None


def test_softmax_told_to_be_logits_is_read_as_probabilities():
    labels = np.eye(3)[np.arange(60) % 3]
    seen = observe_output(output("categorical_crossentropy", "softmax", from_logits=True), labels, labels)
    assert seen.skill == pytest.approx(1.0, abs=1e-6)


def test_custom_loss_still_has_an_accuracy_but_no_skill():
    seen = observe_output(output("custom", "softmax"), [0, 1], np.array([[0.9, 0.1], [0.9, 0.1]]))
    assert (seen.accuracy, seen.loss, seen.skill) == (0.5, None, None)


@pytest.mark.parametrize(
    ("kind", "labels"),
    [
        ("binary_crossentropy", [[-1.0], [1.0], [1.0]]),
        ("poisson", [[-1.0], [1.0], [2.0]]),
        ("poisson", [[10.0], [11.0], [30.0]]),
        ("mean_squared_error", [[2.0], [2.0], [2.0]]),
        ("mean_absolute_percentage_error", [[2.0], [3.0], [2.0]]),
        ("hinge", [[2.0], [3.0], [2.0]]),
        ("kl_divergence", [[2.0, 0.1], [3.0, 1.0], [2.0, 0.4]]),
    ],
)
def test_no_skill_where_a_constant_is_no_yardstick(kind, labels):
    labels = np.array(labels)
    seen = observe_output(output(kind), labels, np.full_like(labels, 0.5))
    assert (seen.constant_loss, seen.skill) == (None, None)


def test_too_many_classes_for_the_rows_give_no_skill():
    classes = np.arange(100) % 90
    seen = observe_output(output("sparse_categorical_crossentropy", "softmax"), classes, np.full((100, 90), 1 / 90))
    assert (seen.constant_loss, seen.loss) == (None, pytest.approx(np.log(90)))


def test_more_than_a_thousand_classes_have_no_list():
    classes = np.arange(1200)
    seen = observe_output(output("sparse_categorical_crossentropy", "softmax"), classes, np.eye(1200))
    assert (seen.accuracy, seen.class_counts, seen.recalls) == (1.0, (), ())


ODD = [
    ([["a"], ["b"]], np.ones((2, 1))),
    (np.ones((2, 1)), [["a"], ["b"]]),
    (None, np.ones((2, 1))),
    ([[1.0], [1.0, 2.0]], np.ones((2, 1))),
    (np.array([1j, 2j]), np.ones((2, 1))),
    (np.array([[np.nan], [1.0]]), np.ones((2, 1))),
    (np.ones((2, 1)), np.array([[np.inf], [1.0]])),
    (np.ones((3, 1)), np.ones((2, 1))),
    (np.ones((2, 5)), np.ones((2, 1))),
    (np.ones((0, 1)), np.ones((0, 1))),
    (1.0, 1.0),
    (np.array([[1e200], [-1e200]]), np.array([[-1e300], [1e300]])),
    (np.array([7, -3]), np.array([[0.5, 0.5], [0.5, 0.5]])),
    (np.array([[0.0, 0.0], [0.0, 0.0]]), np.array([[0.0, 0.0], [0.0, 0.0]])),
]


@pytest.mark.parametrize("kind", [*CROSSENTROPIES, *PLAIN_LOSSES, "custom", "none"])
@pytest.mark.parametrize("case", range(len(ODD)))
def test_odd_values_never_raise_nor_give_odd_numbers(kind, case):
    labels, predictions = ODD[case]
    seen = observe_output(output(kind, "softmax"), labels, predictions)
    for value in (seen.row_spread, seen.label_spread, seen.mean_abs, seen.loss, seen.constant_loss, seen.skill):
        assert value is None or np.isfinite(value)


def test_shapes_that_do_not_fit_give_no_loss():
    seen = observe_output(output("mean_squared_error"), np.ones((4, 10)), np.ones((4, 1)))
    assert (seen.loss, seen.accuracy) == (None, None)
    assert seen.mean_abs == 1.0


def test_missing_values_in_the_predictions_leave_the_label_spread():
    seen = observe_output(output("mean_squared_error"), np.array([[0.0], [2.0]]), np.array([[np.nan], [1.0]]))
    assert (seen.label_spread, seen.row_spread, seen.loss) == (1.0, None, None)


def test_half_precision_predictions_are_read():
    seen = observe_output(output("mean_squared_error"), np.array([[0.0], [2.0]]), np.array([[0], [1]], dtype="float16"))
    assert seen.loss == 0.5


@pytest.mark.parametrize(
    ("label_shape", "prediction_shape", "aligned"),
    [((4,), (4, 1), (4, 1)), ((4, 1), (4,), (4,)), ((4, 3), (4, 3, 1), (4, 3, 1)), ((4,), (4, 2), (4,))],
)
def test_ranks_are_aligned_as_in_keras(label_shape, prediction_shape, aligned):
    assert align(np.ones(label_shape), np.ones(prediction_shape)).shape == aligned


def test_no_constant_is_searched_for_among_very_many_labels(monkeypatch):
    monkeypatch.setattr(best_constant, "MAX_SEARCHED", 99)
    labels = np.random.default_rng(10).normal(size=(50, 2))
    assert constant_loss_of("huber", labels) is None
    assert constant_loss_of("huber", labels[:49]) is not None
