from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepdebug.detectors.loss_not_decreasing import LossNotDecreasing
from deepdebug.errors import NotJudged
from tests.detectors.loss_runs import loss_run, prefixes
from tests.factory import healthy_run

FLAT = [0.693, 0.694, 0.692, 0.693, 0.694, 0.693, 0.692, 0.694]


def findings(run):
    return list(LossNotDecreasing().detect(run))


def test_flat_loss_without_skill_is_an_error():
    (finding,) = findings(loss_run(FLAT, skill=0.0))
    assert (finding.severity, finding.layer, finding.location) == ("error", None, "M")
    assert "0.693 to 0.694 over the last 5 epochs" in finding.message


def test_flat_loss_with_little_skill_is_a_warning():
    (finding,) = findings(loss_run(FLAT, skill=0.1))
    assert finding.severity == "warn"


def test_flat_loss_at_the_skill_that_noisy_labels_allow_is_advice():
    (finding,) = findings(loss_run(FLAT, skill=0.25))
    assert finding.severity == "info"


def test_flat_loss_of_unknown_skill_is_a_warning():
    (finding,) = findings(loss_run(FLAT, skill=None))
    assert finding.severity == "warn"


def test_rising_loss_is_reported():
    (finding,) = findings(loss_run([0.70, 0.71, 0.72, 0.73, 0.74, 0.75, 0.76], skill=0.0))
    assert finding.value < 0


def test_fall_just_large_enough_is_silent():
    assert findings(loss_run([1.0, 1.0, 1.0, 1.0, 0.995, 0.9899, 0.9899], skill=0.1)) == []


def test_tiny_but_steady_fall_is_silent():
    assert findings(loss_run([1.0 - 1e-4 * epoch for epoch in range(8)], skill=0.0)) == []


def test_plateau_at_good_skill_is_silent():
    assert findings(loss_run(FLAT, skill=0.6)) == []


def test_plateau_after_a_large_fall_is_silent():
    assert findings(loss_run([1.0, *FLAT], skill=0.1)) == []


def test_plateau_reached_within_the_first_epoch_is_silent_where_the_model_has_some_skill():
    assert findings(loss_run(FLAT, skill=0.2, start=1.2)) == []


def test_large_fall_to_the_level_of_a_constant_is_still_an_error():
    (finding,) = findings(loss_run([30.0, 1.0, *FLAT], skill=0.0, start=60.0))
    assert finding.severity == "error"


def test_class_weighted_model_that_uses_its_input_is_silent_after_its_fall():
    run = loss_run([1.5, *FLAT], skill=-0.1)
    run = replace(run, observations=[replace(seen, permuted_loss=2.0) for seen in run.observations])
    assert findings(run) == []


def test_learning_rate_that_has_run_out_is_silent():
    run = loss_run(FLAT, skill=0.0)
    newest = replace(run.latest, learning_rate=1e-6)
    assert findings(replace(run, observations=[*run.observations[:-1], newest])) == []


def test_learning_rate_in_its_warm_up_is_silent():
    run = loss_run(FLAT, skill=0.0)
    warming = [replace(seen, learning_rate=1e-4 * (seen.epoch + 2)) for seen in run.observations]
    assert findings(replace(run, observations=warming)) == []


def test_short_run_is_judged_by_the_checks_inside_its_epochs():
    run = loss_run([0.693] * 2, skill=0.0)
    inner = [replace(run.latest, trigger="batch", step=100 + 10 * check, loss=0.693) for check in range(12)]
    (finding,) = findings(replace(run, observations=[run.observations[0], *inner, run.latest]))
    assert "checks" in finding.message


def test_healthy_run_is_silent_at_every_check():
    for run in prefixes(healthy_run(12))[7:]:
        assert findings(run) == []


def test_too_few_epochs_are_not_judged():
    with pytest.raises(NotJudged, match="6 epochs, has 5"):
        findings(loss_run(FLAT[:5]))


def test_too_few_updates_are_not_judged():
    run = loss_run(FLAT)
    slow = [replace(seen, step=seen.epoch + 1) for seen in run.observations]
    with pytest.raises(NotJudged, match="50 updates and one epoch, has 8 updates"):
        findings(replace(run, observations=slow))


losses = st.lists(st.floats(1e-3, 1e3), min_size=6, max_size=30)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(losses.map(lambda values: sorted(set(values), reverse=True)).filter(lambda values: len(values) >= 6))
def test_strictly_falling_loss_never_fires(values):
    assert findings(loss_run(values, skill=None)) == []


@settings(max_examples=60, deadline=None, derandomize=True)
@given(losses, st.sampled_from([2.0**-20, 0.5, 8.0, 2.0**30]))
def test_scale_of_the_loss_does_not_matter(values, scale):
    before = [finding.severity for finding in findings(loss_run(values, skill=None))]
    after = [finding.severity for finding in findings(loss_run([scale * value for value in values], skill=None))]
    assert before == after
