import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from deepdebug.errors import UsageError
from deepdebug.hudd.tested import (
    FailureRule,
    judged_classes,
    judged_values,
    parse_rule,
    read_tested,
    write_tested,
)

LABEL = FailureRule("label")
SCORES = np.array([[2.0, 1.0, -1.0], [0.0, 0.5, 3.0], [1.0, 1.5, 0.0]], "float32")


def test_wrong_class_is_a_failure_and_loss_is_the_cross_entropy():
    found = judged_classes(["a", "b", "c"], ["x", "y", "z"], SCORES, np.array([0, 1, 1]), LABEL)
    assert found.failed.tolist() == [False, True, False]
    assert found.predicted.tolist() == [0, 2, 1]
    power = np.exp(SCORES)
    expected = -np.log((power / power.sum(axis=1, keepdims=True))[range(3), [0, 1, 1]])
    np.testing.assert_allclose(found.loss, expected, rtol=1e-5)


def test_one_score_stands_for_two_classes():
    found = judged_classes(["a", "b"], ["no", "yes"], np.array([[2.0], [-1.0]], "float32"), np.array([1, 1]), LABEL)
    assert found.predicted.tolist() == [1, 0]
    assert found.failed.tolist() == [False, True]
    np.testing.assert_allclose(found.loss, np.log1p(np.exp([-2.0, 1.0])), rtol=1e-5)


def test_loss_or_its_quantile_may_say_what_a_failure_is():
    loss = np.array([0.1, 0.2, 0.3, 5.0])
    assert FailureRule("loss", 0.25).failures(loss, None).tolist() == [False, False, True, True]
    assert FailureRule("quantile", 0.75).failures(loss, None).tolist() == [False, False, False, True]
    with pytest.raises(UsageError, match="A regression has no wrong labels"):
        LABEL.failures(loss, None)


def test_errors_of_points_are_distances():
    outputs = np.array([[0.0, 0.0, 3.0, 4.0]], "float32")
    found = judged_values(["a"], ["left", "right"], outputs, np.zeros((1, 4), "float32"), FailureRule("loss", 2.0))
    assert found.columns == ("left", "right")
    np.testing.assert_allclose(found.scores, [[0.0, 5.0]])
    assert found.loss[0] == pytest.approx(2.5)
    assert found.failed[0]


def test_errors_of_numbers_are_their_size():
    found = judged_values(["a"], [], np.array([[1.0, -2.0]]), np.zeros((1, 2)), FailureRule("loss", 2.0))
    assert found.columns == ("output0", "output1")
    np.testing.assert_allclose(found.scores, [[1.0, 2.0]])


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("label", LABEL),
        ("loss>2.5", FailureRule("loss", 2.5)),
        ("loss > 1e-3", FailureRule("loss", 1e-3)),
        ("quantile=0.9", FailureRule("quantile", 0.9)),
    ],
)
def test_rule_is_read(text, rule):
    assert parse_rule(text) == rule


@pytest.mark.parametrize("text", ["", "wrong", "loss>", "loss>x", "loss<1", "quantile=1", "quantile=0", "loss>1e"])
def test_rule_that_is_none_is_told(text):
    with pytest.raises(UsageError, match="`--failures` got"):
        parse_rule(text)


def test_number_of_outputs_must_be_that_of_the_classes():
    with pytest.raises(UsageError, match=r"has 3 outputs, but the set has 2 classes \(x, y\)"):
        judged_classes(["a", "b", "c"], ["x", "y"], SCORES, np.array([0, 1, 1]), LABEL)
    with pytest.raises(UsageError, match="has 2 outputs, but the set has 1 values"):
        judged_values(["a"], [], np.zeros((1, 2)), np.zeros((1, 1)), LABEL)


@given(arrays("float32", (4, 3), elements=st.floats(-(2.0**99), 2.0**99, width=32)))
def test_check_29_table_gives_every_score_back_exactly(tmp_path_factory, scores):
    path = tmp_path_factory.mktemp("table") / "testResult.csv"
    names = ["cat/1.png", 'odd, "name".png', "ü.png", "d"]
    before = judged_classes(names, ["-a", "b,c", "d"], scores, np.array([0, 1, 2, 0]), LABEL)
    after = read_tested(write_tested(path, before))
    assert (after.images, after.columns) == (before.images, before.columns)
    np.testing.assert_array_equal(after.scores, before.scores)
    np.testing.assert_array_equal(after.loss, before.loss)
    np.testing.assert_array_equal(after.failed, before.failed)
    np.testing.assert_array_equal(after.predicted, before.predicted)
    np.testing.assert_array_equal(after.expected, before.expected)


def test_table_of_a_regression_comes_back(tmp_path):
    before = judged_values(["a", "b"], [], np.eye(2, dtype="float32") / 3, np.zeros((2, 2)), FailureRule("loss", 0.1))
    after = read_tested(write_tested(tmp_path / "t.csv", before))
    np.testing.assert_array_equal(after.scores, before.scores)
    assert after.expected is None
    assert after.columns == before.columns


@pytest.mark.parametrize("text", ["", "image,result\na,Maybe\n", "image,result,loss,x\na,Wrong,1,one\n"])
def test_table_that_is_none_is_told(tmp_path, text):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(UsageError, match="cannot be read back"):
        read_tested(tmp_path / "t.csv")
