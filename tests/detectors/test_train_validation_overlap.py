import pytest

from deepdebug.detectors.train_validation_overlap import TrainValidationOverlap
from deepdebug.errors import NotJudged
from deepdebug.facts import FitFacts
from tests.detectors.static_runs import with_data
from tests.factory import healthy_run


def detect(overlap, expected=0.0, rows=60_000, validation_rows=10_000, validation="given"):
    fit = FitFacts("arrays", rows=rows, validation=validation, validation_rows=validation_rows)
    data = {"rows": rows, "overlap_fraction": overlap, "overlap_expected": expected}
    return list(TrainValidationOverlap().detect(with_data(fit=fit, **data)))


def test_known_validation_rows_are_an_error():
    (finding,) = detect(0.2)
    assert finding.message == "20.0% of the validation rows also stand in the training data; chance explains 0.0%"
    assert (finding.severity, finding.value) == ("error", 0.2)


def test_few_known_rows_are_a_warning():
    assert [finding.severity for finding in detect(0.005)] == ["warn"]


def test_no_overlap_is_silent():
    assert detect(0.0) == []


def test_discrete_rows_that_repeat_as_often_inside_the_training_data_are_silent():
    assert detect(0.42, expected=0.41) == []


def test_discrete_rows_that_repeat_more_often_are_reported():
    assert len(detect(0.6, expected=0.4)) == 1


def test_single_chance_repeat_in_a_small_table_is_silent():
    assert detect(1 / 30, expected=2 / 120, rows=120, validation_rows=30) == []


def test_small_validation_data_that_are_training_rows_are_an_error():
    assert [finding.severity for finding in detect(1.0, rows=120, validation_rows=30)] == ["error"]


def test_run_without_validation_is_not_judged():
    with pytest.raises(NotJudged, match="needs validation data"):
        detect(None, validation="none")


def test_rows_that_could_not_be_compared_are_not_judged():
    with pytest.raises(NotJudged, match="could not be compared"):
        detect(None)


def test_data_that_were_not_examined_are_not_judged():
    with pytest.raises(NotJudged, match="not examined"):
        list(TrainValidationOverlap().detect(healthy_run()))
