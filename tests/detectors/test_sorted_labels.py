from dataclasses import replace

import pytest

from deepdebug.detectors.sorted_labels import SortedLabels
from deepdebug.errors import NotJudged
from deepdebug.facts import FitFacts
from tests.detectors.static_runs import class_numbers, numbers, one_output, with_data
from tests.factory import healthy_run

SPLIT = FitFacts("arrays", rows=800, validation="split", validation_rows=200, shuffle=True)


def counted(*counts, **changes):
    return class_numbers(len(counts), class_counts=counts, rows=sum(counts), **changes)


def detect(labels, validation=(), fit=SPLIT, complete=True):
    run = with_data(labels=(labels,), validation_labels=validation, fit=fit, complete=complete)
    return list(SortedLabels().detect(run))


def test_least_probable_of_several_missing_classes_is_named():
    (finding,) = detect(counted(400, 400, 0), (counted(0, 67, 133),))
    assert finding.message == ("Class 2 of output 'output' is missing in the training data, with 133 rows in the other")
    assert (finding.evidence["classes_missing"], finding.severity) == (2, "error")


def test_class_missing_in_the_validation_data_is_an_error():
    (finding,) = detect(counted(300, 300, 100), (counted(110, 110, 0),))
    assert "Class 2 of output 'output' is missing in the validation data" in finding.message


def test_class_that_only_the_validation_data_hold_is_an_error():
    (finding,) = detect(counted(400, 400), (counted(70, 65, 65),))
    assert "Class 2 of output 'output' is missing in the training data" in finding.message


def test_rare_class_that_a_random_split_may_leave_out_is_silent():
    assert detect(counted(400, 380, 20), (counted(105, 95, 0),)) == []


def test_class_of_which_few_rows_fell_into_the_validation_data_is_silent():
    assert detect(counted(400, 400, 0), (counted(100, 97, 3),)) == []


def test_first_rows_of_a_pipeline_are_not_judged():
    with pytest.raises(NotJudged, match="needs all training rows"):
        detect(counted(300, 300, 100, sorted_fraction=1.0), (counted(110, 110, 0),), complete=False)


def test_first_rows_of_a_validation_pipeline_in_the_order_of_its_classes_are_silent():
    fit = replace(SPLIT, validation="given", validation_rows=None)
    assert detect(counted(2000, 2000), (counted(1024, 0),), fit=fit) == []
    assert detect(counted(2000, 2000), (counted(900, 124),), fit=fit) == []


def test_sorted_rows_before_a_split_are_a_warning():
    (finding,) = detect(counted(266, 267, 267, sorted_fraction=0.99))
    assert finding.message == (
        "99% of the rows stand in the order of the labels of output 'output', with `validation_split`, which takes "
        "the last rows"
    )
    assert finding.severity == "warn"


def test_sorted_rows_without_shuffling_are_a_warning():
    fit = replace(SPLIT, validation="none", shuffle=False)
    (finding,) = detect(counted(266, 267, 267, sorted_fraction=0.99), fit=fit)
    assert "`shuffle=False`" in finding.message


def test_sorted_rows_that_are_shuffled_are_silent():
    assert detect(counted(266, 267, 267, sorted_fraction=1.0), fit=replace(SPLIT, validation="given")) == []


def test_order_at_the_threshold_is_silent():
    assert detect(counted(266, 267, 267, sorted_fraction=0.9)) == []


def test_order_of_few_rows_is_silent():
    assert detect(counted(20, 29, sorted_fraction=1.0)) == []


def test_shifted_class_shares_are_a_warning():
    (finding,) = detect(counted(700, 100), (counted(100, 100),))
    assert finding.message == "Training and validation data differ by 38% in the class shares of output 'output'"
    assert finding.severity == "warn"


def test_smaller_shift_is_silent():
    assert detect(counted(600, 200), (counted(100, 100),)) == []


def test_shift_of_few_rows_is_silent():
    assert detect(counted(700, 100), (counted(100, 99),)) == []


def test_shares_of_many_classes_differ_by_chance():
    training, validation = (3,) * 100, (1, 3) * 50
    assert detect(counted(*training), (counted(*validation),)) == []


def test_regression_has_no_classes():
    run = one_output("linear", "mean_squared_error", numbers(), (1,))
    assert list(SortedLabels().detect(run)) == []


def test_classes_per_position_are_not_judged():
    run = one_output("softmax", "sparse_categorical_crossentropy", class_numbers(3, (20,), class_counts=()), (20, 3))
    with pytest.raises(NotJudged, match="one class per row"):
        list(SortedLabels().detect(run))


def test_data_that_were_not_examined_are_not_judged():
    with pytest.raises(NotJudged, match="not examined"):
        list(SortedLabels().detect(healthy_run()))
