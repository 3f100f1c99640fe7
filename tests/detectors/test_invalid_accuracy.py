from dataclasses import replace

import pytest

from deepdebug.detectors.invalid_accuracy import InvalidAccuracy
from deepdebug.errors import NotJudged
from deepdebug.facts import DataFacts, LabelFacts, LossFacts, OutputFacts
from tests.factory import classifier_facts, healthy_run, with_metric


def regression_run(kind: str = "mean_squared_error", **labels):
    wanted = {"integer": False, "distinct": 900, "minimum": 0.0, "maximum": 50.0, **labels}
    label_facts = LabelFacts("output", (), "float64", 1000, **wanted)
    output = OutputFacts("output", "head", "linear", "head", (1,), LossFacts(kind, kind))
    facts = classifier_facts(outputs=(output,), data=DataFacts(1000, True, labels=(label_facts,)))
    return with_metric(healthy_run(3, facts), "accuracy", [0.0, 0.001, 0.002])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.5, 1.2])
def test_accuracy_that_is_no_share_is_reported(value):
    (finding,) = InvalidAccuracy().detect(with_metric(healthy_run(3), "accuracy", [0.5, 0.6, value]))
    assert finding.severity == "warn"
    assert "'accuracy'" in finding.message


def test_accuracy_of_a_regression_is_reported():
    (finding,) = InvalidAccuracy().detect(regression_run())
    assert (finding.severity, finding.layer) == ("warn", "head")
    assert "mean_squared_error" in finding.message


def test_labels_of_the_one_output_are_found_under_any_name():
    run = regression_run()
    labels = replace(run.facts.data.labels[0], name="0")
    renamed = replace(run.facts, data=replace(run.facts.data, labels=(labels,)))
    assert len(list(InvalidAccuracy().detect(replace(run, facts=renamed)))) == 1


@pytest.mark.parametrize(
    "labels",
    [{"integer": True, "distinct": 2}, {"integer": True, "distinct": 10, "one_hot": True}, {"rows_sum_to_one": True}],
)
def test_classes_trained_by_a_regression_loss_may_have_an_accuracy(labels):
    assert list(InvalidAccuracy().detect(regression_run(**labels))) == []


def test_unknown_labels_are_given_the_benefit_of_the_doubt():
    output = OutputFacts("output", "head", "linear", "head", (1,), LossFacts("mean_squared_error"))
    assert list(InvalidAccuracy().detect(healthy_run(3, classifier_facts(outputs=(output,))))) == []


def test_accuracy_of_zero_is_accepted():
    assert list(InvalidAccuracy().detect(with_metric(healthy_run(3), "accuracy", [0.0, 0.0, 0.0]))) == []


def test_accuracy_of_the_classifying_output_is_not_blamed_on_the_measuring_one():
    classes = OutputFacts("kind", "kind", "softmax", "kind", (3,), LossFacts("sparse_categorical_crossentropy"))
    size = OutputFacts("size", "size", "linear", "size", (1,), LossFacts("mean_squared_error"))
    labels = (LabelFacts("kind", (), "int64", 9, integer=True, distinct=3), LabelFacts("size", (), "float64", 9))
    facts = classifier_facts(outputs=(classes, size), data=DataFacts(9, True, labels=labels))
    assert list(InvalidAccuracy().detect(with_metric(healthy_run(3, facts), "kind_accuracy", [0.5] * 3))) == []
    (finding,) = InvalidAccuracy().detect(with_metric(healthy_run(3, facts), "size_accuracy", [0.0] * 3))
    assert finding.layer == "size"


def test_logs_without_an_accuracy_are_not_judged():
    with pytest.raises(NotJudged, match="no accuracy"):
        list(InvalidAccuracy().detect(healthy_run(0)))
