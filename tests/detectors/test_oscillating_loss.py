import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepdebug.detectors.oscillating_loss import OscillatingLoss
from deepdebug.errors import NotJudged
from tests.detectors.loss_runs import loss_run, prefixes
from tests.factory import healthy_run

ZIGZAG = [1.0, 0.4, 1.1, 0.5, 1.0, 0.4, 1.1, 0.5, 1.0, 0.4]


def findings(run):
    return list(OscillatingLoss().detect(run))


def test_zigzag_is_a_warning():
    (finding,) = findings(loss_run(ZIGZAG))
    assert finding.severity == "warn"
    assert finding.evidence["correlation"] < -0.6


def test_small_zigzag_is_silent():
    assert findings(loss_run([1.0 + 0.05 * (-1) ** epoch for epoch in range(10)])) == []


def test_zigzag_on_a_clear_fall_is_silent():
    assert findings(loss_run([3.0 - 0.25 * epoch + 0.15 * (-1) ** epoch for epoch in range(10)])) == []


def test_single_jump_is_silent():
    assert findings(loss_run([0.5, 0.5, 0.5, 0.5, 2.0, 0.5, 0.5, 0.5, 0.5])) == []


def test_zigzag_of_a_skilled_model_is_silent():
    assert findings(loss_run(ZIGZAG, skill=0.92)) == []


def test_noise_without_a_pattern_is_mostly_silent():
    rng = np.random.default_rng(1)
    alarms = [bool(findings(loss_run(1.0 + 0.3 * rng.uniform(-1, 1, 10)))) for _ in range(200)]
    assert np.mean(alarms) < 0.1


def test_healthy_run_is_silent_at_every_check():
    for run in prefixes(healthy_run(12))[9:]:
        assert findings(run) == []


def test_too_few_epochs_are_not_judged():
    with pytest.raises(NotJudged, match="8 epochs, has 7"):
        findings(loss_run(ZIGZAG[:7]))


losses = st.lists(st.floats(1e-3, 1e3), min_size=8, max_size=30)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(losses.map(lambda values: sorted(set(values), reverse=True)).filter(lambda values: len(values) >= 8))
def test_strictly_falling_loss_never_fires(values):
    assert findings(loss_run(values, skill=None)) == []


@settings(max_examples=60, deadline=None, derandomize=True)
@given(losses, st.sampled_from([2.0**-20, 0.5, 8.0, 2.0**30]))
def test_scale_of_the_loss_does_not_matter(values, scale):
    before = [finding.severity for finding in findings(loss_run(values, skill=None))]
    after = [finding.severity for finding in findings(loss_run([scale * value for value in values], skill=None))]
    assert before == after
