import numpy as np
import pytest

from deepdebug.hudd.tested import WRONG_LABEL, FailureRule, judged_values
from deepdebug.retraining.answers import Answers
from deepdebug.retraining.asked import TrainSettings
from deepdebug.retraining.assigning import Chosen
from deepdebug.retraining.steps import fixed_rule


def test_classifier_is_wrong_where_the_largest_score_is_another_class():
    scores = np.array([[2.0, 1.0], [0.0, 1.0], [3.0, 1.0]])
    answers = Answers(("a", "b"), True, WRONG_LABEL, scores, scores)
    assert answers.wrong(np.array([2, 1]), np.array([0, 0])).tolist() == [False, True]
    assert answers.wrong(np.zeros(0, np.int64), np.zeros(0, np.int64)).tolist() == []


def test_regression_is_wrong_beyond_a_loss():
    outputs = np.array([[1.0], [5.0]])
    answers = Answers(("x",), False, FailureRule("loss", 2.0), outputs, outputs)
    assert answers.wrong(np.array([0, 1]), np.array([[0.0], [0.0]])).tolist() == [False, True]


def test_quantile_keeps_the_threshold_that_it_had_for_the_original_model():
    right, rule = np.zeros((100, 1)), FailureRule("quantile", 0.9)
    before = judged_values([str(one) for one in range(100)], ("x",), np.arange(100.0)[:, None], right, rule)
    fixed = fixed_rule(rule, before)
    assert before.failed.sum() == pytest.approx(10, abs=1)
    assert judged_values(before.images, ("x",), np.arange(100.0)[:, None], right, fixed).failed.sum() == pytest.approx(
        10, abs=1
    )
    assert judged_values(before.images, ("x",), np.arange(100.0)[:, None] / 2, right, fixed).failed.sum() == 0


def test_pool_has_the_bag_of_the_largest_cluster():
    images = np.arange(5)
    chosen = Chosen(images, np.array([0, 0, 0, 1, 1]), np.zeros(5, np.int64), np.zeros(5))
    outputs = np.zeros((9, 2))
    answers = Answers(("a", "b"), True, WRONG_LABEL, outputs, outputs)
    pool = answers.pool(chosen, lambda rows: rows > 3, training=20, settings=TrainSettings(validation=0.2))
    assert (pool.bag_size, pool.improvement, pool.training, pool.validation) == (3, 9, 20, 0.2)
    regression = Answers(("a", "b"), False, FailureRule("loss", 1.0), outputs, outputs)
    assert regression.pool(chosen, lambda rows: rows > 3, training=20, settings=TrainSettings()).scores is None
