from dataclasses import replace

import pytest

from deepdebug.detectors.exploding_gradient import ExplodingGradient
from deepdebug.errors import NotJudged
from tests.detectors.deep import ADAM, SGD, change_observations, deep_facts, deep_run, with_alarm, with_profile
from tests.factory import change_output, change_variable

GROWING = [1e3, 1e2, 1e1, 0.5]


def with_norms(norms, **changes):
    run = deep_run(deep_facts(4), epochs=len(norms) - 1)
    seen = [replace(one, gradient_norm=norm) for one, norm in zip(run.observations, norms, strict=True)]
    return replace(run, observations=seen)


def growing(relatives=GROWING, update=0.1, only=None, epochs=5):
    run = deep_run(deep_facts(4, optimizer=SGD), epochs)
    return with_profile(run, relatives, only, update_rms=update)


def findings(run):
    return list(ExplodingGradient().detect(run))


QUIET = [1.0, 0.9, 1.1, 0.8, 1.0, 0.9]


def test_leap_in_time_is_a_warning():
    (finding,) = findings(with_norms([*QUIET, 12.0, 15.0]))
    assert (finding.layer, finding.severity, finding.value) == (None, "warn", 15.0)
    assert (finding.evidence["kind"], finding.evidence["median_norm"]) == ("time", 0.9)


def test_leap_with_a_diverging_loss_is_an_error():
    run = change_observations(with_norms([*QUIET, 12.0, 15.0]), only=(6,), loss=9.0)
    (finding,) = findings(run)
    assert finding.severity == "error"


def test_leap_of_less_than_tenfold_is_silent():
    assert findings(with_norms([*QUIET, 8.9, 8.9])) == []


def test_single_spike_is_silent():
    assert findings(with_norms([*QUIET, 0.9, 100.0])) == []


def test_leap_within_the_usual_spread_is_silent():
    assert findings(with_norms([0.1, 0.01, 1.0, 0.1, 1.0, 0.01, 0.1, 2.0, 2.0])) == []


def test_leap_that_stays_below_the_start_is_silent():
    assert findings(with_norms([50.0, *QUIET[1:], 12.0, 15.0])) == []


def test_short_history_is_silent():
    assert findings(with_norms([*QUIET[:5], 12.0, 15.0])) == []


def test_growth_over_depth_with_large_updates_is_reported_at_the_first_layer():
    (finding,) = findings(growing())
    assert (finding.layer, finding.value) == ("d0", pytest.approx(2000.0))
    assert (finding.evidence["kind"], finding.evidence["last_layer"]) == ("depth", "d3")


def test_growth_below_the_threshold_is_silent():
    assert findings(growing([499.0, 1e2, 1e1, 0.5])) == []


def test_growth_with_small_updates_is_silent():
    assert findings(growing(update=0.01)) == []


def test_growth_at_one_check_is_silent():
    assert findings(growing(only=(4,))) == []


def test_broken_loss_is_explained_by_the_last_sound_check():
    (finding,) = findings(with_alarm(growing(epochs=0)))
    assert (finding.layer, finding.severity) == ("d0", "error")


def test_broken_loss_after_a_sound_check_without_growth_is_silent():
    assert findings(with_alarm(deep_run(deep_facts(4), epochs=0))) == []


def test_clipping_all_the_time_gets_a_note():
    run = with_norms([2.0] * 13)
    run = replace(run, facts=replace(run.facts, optimizer=replace(ADAM, clipnorm=1.0)))
    (finding,) = findings(run)
    assert (finding.severity, finding.value, finding.evidence["clipnorm"]) == ("info", 1.0, 1.0)


def test_clipping_now_and_then_is_silent():
    run = with_norms([0.5, 2.0] * 6)
    assert findings(replace(run, facts=replace(run.facts, optimizer=replace(ADAM, clipnorm=1.0)))) == []


def test_solved_task_is_silent():
    assert findings(change_output(growing(), accuracy=1.0)) == []


def test_missing_gradients_are_not_judged():
    run = growing()
    for facts in run.facts.variables:
        run = change_variable(run, facts.path, has_gradient=None, gradient_rms=None)
    with pytest.raises(NotJudged, match="no gradient was taken"):
        findings(run)


def test_too_short_a_run_is_not_judged():
    with pytest.raises(NotJudged, match="2 probed checks"):
        findings(growing(epochs=1))


@pytest.mark.parametrize("optimizer", [SGD, ADAM, None])
def test_healthy_run_is_silent(optimizer):
    assert findings(deep_run(deep_facts(optimizer=optimizer), epochs=12)) == []
