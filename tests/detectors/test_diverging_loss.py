from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepdebug.detectors.diverging_loss import DivergingLoss
from deepdebug.errors import NotJudged
from deepdebug.facts import LossFacts, OutputFacts
from tests.detectors.loss_runs import loss_run, prefixes
from tests.factory import classifier_facts, healthy_run, with_metric

REGRESSION = classifier_facts(
    outputs=(OutputFacts("output", "head", "linear", "head", (1,), LossFacts("mean_squared_error")),)
)
STEADY = [1.0, 0.8, 0.7, 0.65, 0.62, 0.61, 0.6]


def findings(run):
    return list(DivergingLoss().detect(run))


def test_two_losses_far_above_the_others_are_an_error():
    (finding,) = findings(loss_run([*STEADY, 3.0, 4.0]))
    assert (finding.severity, finding.location) == ("error", "M")
    assert "grown to 4, 4 times the 1 at the start" in finding.message


def test_one_spike_is_silent():
    for run in prefixes(loss_run([*STEADY, 5.0, 0.6, 0.59]))[2:]:
        assert findings(run) == []


def test_losses_just_below_the_level_are_silent():
    assert findings(loss_run([*STEADY, 1.45, 1.45])) == []


def test_loss_a_hundred_times_the_start_is_fatal():
    (finding,) = findings(loss_run([150.0, 300.0], start=1.0, facts=REGRESSION))
    assert (finding.severity, finding.value) == ("fatal", 300.0)


def test_loss_ten_times_the_start_from_the_first_epoch_on_is_an_error():
    (finding,) = findings(loss_run([12.0, 11.0], start=1.0, facts=REGRESSION))
    assert finding.severity == "error"


def test_clipped_crossentropy_of_the_probe_is_no_start_to_grow_from():
    assert findings(loss_run([2600.0, 2500.0], start=12.8)) == []


def test_weighted_rows_are_held_against_the_first_epoch():
    run = loss_run([12.0, 11.0], start=1.0, facts=REGRESSION)
    weighted = replace(run.facts, fit=replace(run.facts.fit, class_weight=True))
    assert findings(replace(run, facts=weighted)) == []


def test_steady_climb_of_a_loss_that_is_small_beside_the_start_is_noise():
    climb = [0.05, 0.055, 0.06, 0.065, 0.07, 0.08]
    assert findings(loss_run([1.0, *climb], start=1.0)) == []
    assert len(findings(loss_run([1.0, *[2 * loss for loss in climb]], start=1.0))) == 1


def test_steady_climb_is_an_error():
    (finding,) = findings(loss_run([0.5, 0.55, 0.6, 0.65, 0.7, 0.8]))
    assert finding.severity == "error"


def test_slight_climb_is_silent():
    assert findings(loss_run([0.5, 0.51, 0.52, 0.53, 0.54, 0.55])) == []


def test_converged_model_is_silent():
    assert findings(loss_run([0.001, 0.002, 0.004, 0.008, 0.016, 0.03], skill=0.97)) == []


def test_rising_validation_loss_is_not_divergence():
    assert findings(with_metric(loss_run(STEADY), "val_loss", [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0])) == []


def test_healthy_run_is_silent_at_every_check():
    for run in prefixes(healthy_run(12))[2:]:
        assert findings(run) == []


def test_loss_that_is_no_longer_finite_is_left_to_another_finding():
    assert findings(loss_run([*STEADY, 3.0, 4.0, float("nan")])) == []


def test_negative_loss_is_not_judged():
    with pytest.raises(NotJudged, match="above 0"):
        findings(loss_run([1.0, -2.0, -3.0]))


def test_one_epoch_is_not_judged():
    with pytest.raises(NotJudged, match="2 epochs, has 1"):
        findings(loss_run([1.0]))


losses = st.lists(st.floats(1e-3, 1e3), min_size=2, max_size=30)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(losses.map(lambda values: sorted(set(values), reverse=True)).filter(lambda values: len(values) >= 2))
def test_strictly_falling_loss_never_fires(values):
    assert findings(loss_run(values, skill=None)) == []


@settings(max_examples=60, deadline=None, derandomize=True)
@given(losses, st.sampled_from([2.0**-20, 0.5, 8.0, 2.0**30]))
def test_scale_of_the_loss_does_not_matter(values, scale):
    before = [finding.severity for finding in findings(loss_run(values, skill=None))]
    after = [finding.severity for finding in findings(loss_run([scale * value for value in values], skill=None))]
    assert before == after
