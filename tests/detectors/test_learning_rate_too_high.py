from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepdebug.detectors.learning_rate_too_high import LearningRateTooHigh
from deepdebug.errors import NotJudged
from tests.detectors.deep import SGD, change_observations, deep_facts, deep_run, unskilled, with_alarm
from tests.factory import change_output, change_variable, healthy_run


def with_update(ratio, only=None, run=None):
    """Return a run of which one update changes the weights by this ratio."""
    run = run or healthy_run()
    for facts in run.facts.variables:
        run = change_variable(run, facts.path, only, update_rms=ratio * 0.3)
    return run


def findings(run):
    return list(LearningRateTooHigh().detect(run))


def test_large_updates_are_a_warning_with_a_learning_rate_to_try():
    (finding,) = findings(with_update(0.5))
    assert (finding.severity, finding.layer, finding.value) == ("warn", None, pytest.approx(0.5))
    assert finding.evidence["suggested_learning_rate"] == pytest.approx(1e-3 * 0.01)


def test_suggestion_brings_the_update_to_one_per_mille():
    (finding,) = findings(with_update(0.1 * 1.0001))
    assert finding.evidence["suggested_learning_rate"] == pytest.approx(1e-5, rel=1e-3)


def test_updates_at_the_threshold_are_silent():
    assert findings(with_update(0.0999)) == []


def test_untrained_model_makes_it_an_error():
    assert findings(unskilled(with_update(0.5)))[0].severity == "error"


def test_diverging_loss_makes_it_an_error():
    run = change_observations(with_update(0.5), only=(4,), loss=9.0)
    assert findings(run)[0].severity == "error"


def test_one_large_update_is_silent():
    assert findings(with_update(0.5, only=(4,))) == []


def test_large_updates_of_the_past_are_silent():
    assert findings(with_update(0.5, only=(0, 1, 2, 3))) == []


def test_negative_rate_is_certain_from_the_start_whatever_the_updates():
    run = change_observations(healthy_run(), learning_rate=-0.001)
    for known in (run, replace(run, observations=run.observations[:1])):
        (finding,) = findings(known)
        assert (finding.severity, finding.confidence, finding.value) == ("error", "certain", -0.001)
        assert finding.message == "The learning rate is -0.001: each update raises the loss"


def test_solved_task_is_silent():
    assert findings(change_output(with_update(0.5), accuracy=1.0)) == []


def test_learning_rate_that_has_run_out_is_not_judged():
    with pytest.raises(NotJudged, match="below 1 %"):
        findings(change_observations(with_update(0.5), only=(4,), learning_rate=1e-6))


def test_broken_loss_is_explained_by_the_check_before_training():
    run = with_alarm(with_update(0.21, run=healthy_run(0)))
    assert findings(run)[0].severity == "error"


def test_large_first_steps_alone_do_not_explain_a_broken_loss():
    assert findings(with_alarm(with_update(0.19, run=healthy_run(0)))) == []


def test_broken_loss_after_the_warm_up_is_held_against_the_usual_threshold():
    assert len(findings(with_alarm(with_update(0.2)))) == 1


def dead(run):
    """Return the run with gradients of 0 at every check but that before training."""
    for facts in run.facts.variables:
        run = change_variable(run, facts.path, range(10), gradient_rms=0.0, update_rms=0.0)
    return run


def test_dead_network_is_explained_by_the_last_check_with_a_gradient():
    (finding,) = findings(dead(with_update(2.0)))
    assert finding.value == pytest.approx(2.0)
    assert findings(dead(with_update(0.1))) == []


def test_network_of_which_most_is_dead_is_explained_likewise():
    run = with_update(0.01, run=with_update(2.0, only=(-1,), run=deep_run(deep_facts(4))), only=range(5))
    for layer in ("d0", "d1"):
        run = change_variable(run, f"model/{layer}/kernel", range(5), gradient_rms=0.0)
    assert findings(run) == []
    (finding,) = findings(change_variable(run, "model/d2/kernel", range(5), gradient_rms=0.0))
    assert finding.value == pytest.approx(2.0)


def test_loss_of_zero_needs_no_gradient():
    run = change_observations(dead(with_update(2.0)), only=(4,), loss=0.5, penalty=0.5)
    assert findings(run) == []


def test_ruined_model_is_explained_by_the_check_before_training():
    run = with_update(1e-6, only=range(5), run=unskilled(with_update(2.0, only=(-1,))))
    assert findings(run) == []
    (finding,) = findings(change_observations(run, only=(4,), loss=9.0))
    assert (finding.value, finding.severity) == (pytest.approx(2.0), "error")


def test_network_that_never_had_a_gradient_is_not_judged():
    run = dead(healthy_run())
    for facts in run.facts.variables:
        run = change_variable(run, facts.path, gradient_rms=0.0)
    with pytest.raises(NotJudged, match="no update"):
        findings(run)


def test_learning_rate_that_is_not_known_leaves_out_the_suggestion():
    run = change_observations(with_update(0.5), learning_rate=None)
    (finding,) = findings(replace(run, facts=replace(run.facts, optimizer=None)))
    assert finding.evidence["suggested_learning_rate"] is None
    assert "try" not in finding.message


def test_missing_updates_are_not_judged():
    run = healthy_run()
    for facts in run.facts.variables:
        run = change_variable(run, facts.path, update_rms=None)
    with pytest.raises(NotJudged, match="no update"):
        findings(run)


def test_custom_train_step_is_not_judged():
    run = with_update(0.5)
    fit = replace(run.facts.fit, custom_train_step=True)
    with pytest.raises(NotJudged, match="train_step"):
        findings(replace(run, facts=replace(run.facts, fit=fit)))


def test_too_short_a_run_is_not_judged():
    with pytest.raises(NotJudged, match="3 probed checks"):
        findings(with_update(0.5, run=healthy_run(2)))


def test_healthy_run_is_silent():
    assert findings(healthy_run()) == []


@given(st.floats(1e-9, 10.0), st.floats(1e-9, 10.0))
def test_larger_updates_never_remove_the_finding(one, other):
    smaller, larger = sorted((one, other))
    assert len(findings(with_update(smaller))) <= len(findings(with_update(larger)))


def test_model_that_is_trained_in_training_mode_only_stays_a_warning():
    run = unskilled(with_update(0.5))
    assert [one.severity for one in findings(run)] == ["error"]
    assert [one.severity for one in findings(change_observations(run, training_loss=0.2))] == ["warn"]


def at_rate(rate, skill=0.25, optimizer=None):
    facts = healthy_run().facts
    facts = replace(facts, optimizer=optimizer or replace(facts.optimizer, learning_rate=rate))
    run = change_output(healthy_run(facts=facts), loss=1 - skill, constant_loss=1.0)
    return change_observations(run, learning_rate=rate)


def test_rate_out_of_all_proportion_that_does_not_learn_is_a_warning_whatever_the_update():
    (finding,) = findings(at_rate(0.5))
    assert (finding.severity, finding.value, finding.evidence["suggested_learning_rate"]) == ("warn", 0.5, 0.005)
    assert finding.message == "The learning rate is 0.5, and the skill is 0.25 after 500 updates"


@pytest.mark.parametrize("run", [at_rate(0.09), at_rate(0.5, skill=0.6), at_rate(0.5, optimizer=SGD)])
def test_usual_rates_and_models_that_learn_are_left_to_the_update(run):
    assert findings(run) == []
