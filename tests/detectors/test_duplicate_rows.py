import pytest

from deepdebug.detectors.duplicate_rows import DuplicateRows
from deepdebug.errors import NotJudged
from tests.detectors.static_runs import numbers, one_output, standardised, with_data
from tests.factory import healthy_run

NARROW = standardised(shape=(4,), features=4)
ONE_HOT_COLUMNS = standardised(shape=(90,), integer=True, minimum=0.0, maximum=1.0)


def detect(**data):
    return list(DuplicateRows().detect(with_data(**{"duplicate_fraction": 0.0, **data})))


def test_repeated_rows_are_reported_with_their_share():
    (finding,) = detect(duplicate_fraction=0.125)
    assert finding.message == "12.5% of the training rows repeat an earlier row"
    assert (finding.severity, finding.value) == ("warn", 0.125)


def test_rows_with_two_labels_are_reported_first():
    (finding,) = detect(duplicate_fraction=0.125, conflict_fraction=0.02)
    assert finding.message == "2.0% of the training rows occur with different labels"


def test_shares_at_the_thresholds_are_silent():
    assert detect(duplicate_fraction=0.01, conflict_fraction=0.005) == []


@pytest.mark.parametrize("one", [NARROW, ONE_HOT_COLUMNS], ids=["narrow", "one-hot"])
def test_rows_that_repeat_by_chance_are_mentioned_only(one):
    assert [finding.severity for finding in detect(duplicate_fraction=0.3, inputs=(one,))] == ["info"]


def test_equal_inputs_with_different_targets_are_no_conflict_in_regression():
    run = one_output("linear", "mean_squared_error", numbers(), (1,))
    data = with_data(run.facts, duplicate_fraction=0.0, conflict_fraction=0.4)
    assert list(DuplicateRows().detect(data)) == []


def test_row_that_a_pipeline_draws_twice_is_silent():
    assert detect(duplicate_fraction=0.5, complete=False) == []


def test_conflicts_in_a_sample_are_reported():
    assert len(detect(conflict_fraction=0.02, complete=False, rows=100)) == 1


def test_few_rows_of_a_sample_are_not_judged():
    with pytest.raises(NotJudged, match="needs 100 rows"):
        detect(conflict_fraction=0.5, complete=False, rows=4)


def test_rows_that_could_not_be_compared_are_not_judged():
    with pytest.raises(NotJudged, match="could not be compared"):
        detect(duplicate_fraction=None)


def test_data_that_were_not_examined_are_not_judged():
    with pytest.raises(NotJudged, match="not examined"):
        list(DuplicateRows().detect(healthy_run()))
