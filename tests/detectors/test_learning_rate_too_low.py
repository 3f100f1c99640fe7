from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepdebug.detectors.learning_rate_too_low import LearningRateTooLow
from deepdebug.errors import NotJudged
from tests.detectors.deep import SGD, change_observations, unskilled
from tests.factory import change_output, change_variable, classifier_facts, healthy_run


def with_update(ratio=1e-7, only=None, run=None, **changes):
    """Return a run of which one update changes the weights by this ratio, and which has hardly moved."""
    run = run or healthy_run()
    for facts in run.facts.variables:
        run = change_variable(run, facts.path, only, **{"update_rms": ratio * 0.3, "moved": 1e-3, **changes})
    return run


def with_rates(run, rates):
    seen = [replace(one, learning_rate=rate) for one, rate in zip(run.observations, rates, strict=True)]
    return replace(run, observations=seen)


def findings(run):
    return list(LearningRateTooLow().detect(run))


def test_small_updates_are_a_warning_with_a_learning_rate_to_try():
    (finding,) = findings(with_update(5e-6))
    assert (finding.severity, finding.layer, finding.value) == ("warn", None, pytest.approx(5e-6))
    assert finding.evidence["suggested_learning_rate"] == pytest.approx(1e-3 * 100)


def test_untrained_model_makes_it_an_error():
    assert findings(unskilled(with_update()))[0].severity == "error"


def test_training_that_ends_with_half_of_the_task_unlearned_makes_it_an_error():
    run = change_output(with_update(), loss=0.6, constant_loss=1.0)
    assert findings(run)[0].severity == "warn"
    assert findings(replace(run, finished=True))[0].severity == "error"


def test_updates_at_the_threshold_are_silent():
    assert findings(with_update(1.01e-5)) == []


def test_sgd_is_allowed_smaller_updates():
    facts = classifier_facts(optimizer=SGD)
    assert findings(with_update(5e-6, run=healthy_run(facts=facts))) == []
    assert len(findings(with_update(5e-7, run=healthy_run(facts=facts)))) == 1


def test_warm_up_of_the_learning_rate_is_not_judged():
    with pytest.raises(NotJudged, match="being raised"):
        findings(with_rates(with_update(), [1e-9, 1e-8, 2e-8, 3e-8, 4e-8, 5e-8]))


def test_schedule_that_has_lowered_the_learning_rate_is_not_judged():
    with pytest.raises(NotJudged, match="schedule has lowered"):
        findings(with_rates(with_update(), [1e-3, 1e-3, 1e-4, 9e-5, 9e-5, 9e-5]))


def test_gradient_that_has_gone_is_silent():
    run = change_observations(with_update(), only=(-1,), gradient_norm=5.1)
    assert findings(run) == []


def test_weights_that_have_come_far_are_silent():
    assert findings(with_update(moved=0.11)) == []


def test_solved_task_is_silent():
    assert findings(change_output(with_update(), accuracy=1.0)) == []


def test_one_small_update_is_silent():
    assert findings(with_update(only=(4,))) == []


def test_missing_updates_are_not_judged():
    with pytest.raises(NotJudged, match="no update"):
        findings(with_update(0.0))


def test_missing_gradients_are_not_judged():
    with pytest.raises(NotJudged, match="no gradient was taken"):
        findings(with_update(has_gradient=None, gradient_rms=None))


def test_too_short_a_run_is_not_judged():
    with pytest.raises(NotJudged, match="3 probed checks"):
        findings(with_update(run=healthy_run(2)))


def test_healthy_run_is_silent():
    assert findings(healthy_run()) == []
    assert findings(healthy_run(facts=classifier_facts(optimizer=None))) == []


@given(st.floats(1e-12, 1.0), st.floats(1e-12, 1.0))
def test_smaller_updates_never_remove_the_finding(one, other):
    smaller, larger = sorted((one, other))
    assert len(findings(with_update(larger))) <= len(findings(with_update(smaller)))


def ended_early(epoch=2, skill=0.2, planned=10, callbacks=()):
    """A run whose learning rate falls to 0.1 % after this epoch."""
    run = change_output(healthy_run(8), loss=1 - skill, constant_loss=1.0)
    fit = replace(run.facts.fit, epochs=planned, callbacks=callbacks)
    rates = [1e-3 if one.epoch < epoch else 1e-6 for one in run.observations]
    return with_rates(replace(run, facts=replace(run.facts, fit=fit)), rates)


def test_schedule_that_ends_before_half_of_the_epochs_is_a_warning():
    (finding,) = findings(ended_early())
    assert (finding.severity, finding.location) == ("warn", "CONFIG")
    assert finding.message == (
        "The learning rate had fallen from 0.001 to 1e-06 by epoch 2 of 10, and the skill is 0.2"
    )


@pytest.mark.parametrize(
    "changes", [{"epoch": 5}, {"skill": 0.6}, {"planned": None}, {"callbacks": ("ReduceLROnPlateau",)}]
)
def test_late_wanted_or_harmless_ends_of_a_schedule_are_not_reported(changes):
    assert findings(ended_early(**changes)) == []
