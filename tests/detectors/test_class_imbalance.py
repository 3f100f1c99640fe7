from dataclasses import replace

import pytest

from deepdebug.detectors.class_imbalance import ClassImbalance
from deepdebug.errors import NotJudged
from tests.detectors.static_runs import class_numbers, numbers, one_output, with_data
from tests.factory import change_output, healthy_run

COUNTS = (480, 25)
MISSED = {"class_counts": COUNTS, "recalls": (1.0, 0.04), "accuracy": 0.95}


def run_with(**changes):
    return change_output(healthy_run(), **{**MISSED, **changes})


def test_rare_class_that_is_not_found_is_reported():
    (finding,) = ClassImbalance().detect(run_with())
    assert finding.message == (
        "Output 'output' finds 4.0% of class 1; the largest class has 19.2 times the rows of the smallest"
    )
    assert (finding.severity, finding.value, finding.evidence["class"]) == ("warn", 0.04, 1)


def test_rare_class_that_is_found_is_silent():
    assert list(ClassImbalance().detect(run_with(recalls=(0.99, 0.6)))) == []


def test_recall_at_the_threshold_is_silent():
    assert list(ClassImbalance().detect(run_with(recalls=(1.0, 0.3)))) == []


def test_ratio_at_the_threshold_is_silent():
    assert list(ClassImbalance().detect(run_with(class_counts=(250, 25)))) == []


def test_too_few_rows_of_the_class_are_silent():
    assert list(ClassImbalance().detect(run_with(class_counts=(480, 19)))) == []


def test_counts_of_all_rows_outrank_those_of_the_probe():
    balanced = with_data(labels=(class_numbers(2),)).facts
    run = replace(run_with(), facts=balanced)
    assert list(ClassImbalance().detect(run)) == []


def test_class_without_any_row_does_not_count():
    run = run_with(class_counts=(0, 250, 25), recalls=(None, 1.0, 0.04))
    assert list(ClassImbalance().detect(run)) == []


def test_recall_that_rises_is_left_alone_until_the_end():
    run = change_output(run_with(), only=(4,), recalls=(1.0, 0.2))
    assert list(ClassImbalance().detect(run)) == []
    assert len(list(ClassImbalance().detect(replace(run, finished=True)))) == 1


def test_one_check_that_finds_the_class_is_enough():
    run = change_output(run_with(), only=(3,), recalls=(1.0, 0.5))
    assert list(ClassImbalance().detect(run)) == []


def small_probe(epoch=4, planned=5, rows=64, **changes):
    """A run whose probe holds 3 rows of a class that has 50 of 1000."""
    run = run_with(class_counts=(61, 3), recalls=(1.0, 0.0))
    seen = [replace(one, confirmed=False, rows=rows) for one in run.observations if one.epoch < epoch]
    seen.append(replace(run.observations[-1], epoch=epoch, **{"confirmed": False, "rows": rows, **changes}))
    facts = with_data(labels=(class_numbers(2, class_counts=(950, 50)),)).facts
    return replace(run, facts=replace(facts, fit=replace(facts.fit, epochs=planned)), observations=seen)


def test_a_class_hardly_seen_asks_for_more_rows_at_the_last_planned_epoch():
    (finding,) = ClassImbalance().detect(small_probe())
    assert (finding.severity, finding.confidence) == ("info", "weak")
    assert "of which the probe holds 3 rows" in finding.message


def test_a_class_hardly_seen_is_silent_before_the_last_epoch():
    assert list(ClassImbalance().detect(small_probe(epoch=3))) == []


def test_a_class_hardly_seen_is_silent_where_no_more_rows_can_be_had():
    assert list(ClassImbalance().detect(small_probe(rows=1000))) == []
    assert list(ClassImbalance().detect(small_probe(confirmed=True))) == []


def test_the_second_look_decides():
    run = small_probe(confirmed=True, rows=1000)
    (finding,) = ClassImbalance().detect(change_output(run, only=(4,), class_counts=(950, 50), recalls=(1.0, 0.1)))
    assert (finding.severity, finding.value) == ("warn", 0.1)
    assert not list(ClassImbalance().detect(change_output(run, only=(4,), class_counts=(950, 50), recalls=(1.0, 0.8))))


def test_too_short_a_run_is_not_judged():
    with pytest.raises(NotJudged, match="three checks"):
        list(ClassImbalance().detect(healthy_run(2)))


def test_labels_that_are_no_classes_are_not_judged():
    with pytest.raises(NotJudged, match="labels that are classes"):
        list(ClassImbalance().detect(run_with(recalls=(), class_counts=())))


def test_regression_has_no_classes():
    facts = one_output("linear", "mean_squared_error", numbers(), (1,)).facts
    run = replace(run_with(recalls=(), class_counts=()), facts=facts)
    assert list(ClassImbalance().detect(run)) == []


def test_healthy_run_is_silent():
    assert list(ClassImbalance().detect(healthy_run())) == []
