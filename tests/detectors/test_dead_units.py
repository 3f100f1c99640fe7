from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepdebug.detectors.dead_units import DeadUnits
from deepdebug.errors import NotJudged
from tests.detectors.deep import unskilled
from tests.factory import change_layer, change_output, change_variable, classifier_facts, healthy_run, kernel


def test_dead_layer_is_reported_with_its_share():
    run = change_layer(healthy_run(), "hidden", dead_fraction=0.75)
    (finding,) = DeadUnits().detect(run)
    assert (finding.layer, finding.value, finding.severity) == ("hidden", 0.75, "warn")


def test_evidence_holds_what_may_have_killed_the_units():
    facts = classifier_facts()
    bias = kernel("hidden", (8,), path="model/hidden/bias", role="bias")
    run = healthy_run(facts=replace(facts, variables=(*facts.variables, bias)))
    (finding,) = DeadUnits().detect(
        change_layer(change_variable(run, bias.path, rms=50.0), "hidden", dead_fraction=1.0)
    )
    assert (finding.evidence["bias_rms"], finding.evidence["learning_rate"]) == (50.0, 1e-3)


def test_share_below_the_threshold_is_silent():
    run = change_layer(healthy_run(), "hidden", dead_fraction=0.39)
    assert list(DeadUnits().detect(run)) == []


def test_one_bad_check_is_not_enough():
    run = change_layer(healthy_run(5), "hidden", only=(4,), dead_fraction=1.0)
    assert list(DeadUnits().detect(run)) == []


def test_wholly_dead_layer_is_fatal():
    run = change_layer(unskilled(healthy_run()), "hidden", dead_fraction=1.0)
    (finding,) = DeadUnits().detect(run)
    assert finding.severity == "fatal"


def test_wholly_dead_layer_of_a_model_that_works_is_an_error():
    run = change_layer(healthy_run(), "hidden", dead_fraction=1.0)
    (finding,) = DeadUnits().detect(run)
    assert finding.severity == "error"


def test_solved_task_needs_a_nearly_dead_layer_for_a_warning():
    solved = change_output(healthy_run(), accuracy=1.0)
    assert list(DeadUnits().detect(change_layer(solved, "hidden", dead_fraction=0.89))) == []
    (finding,) = DeadUnits().detect(change_layer(solved, "hidden", dead_fraction=1.0))
    assert finding.severity == "warn"


@given(st.floats(0, 1), st.floats(0, 1))
def test_more_dead_units_never_remove_the_finding(one, other):
    fewer, more = sorted((one, other))
    runs = [change_layer(healthy_run(), "hidden", dead_fraction=share) for share in (fewer, more)]
    assert len(list(DeadUnits().detect(runs[0]))) <= len(list(DeadUnits().detect(runs[1])))


def test_too_short_a_run_is_not_judged():
    with pytest.raises(NotJudged, match="2 probed checks"):
        list(DeadUnits().detect(healthy_run(1)))
