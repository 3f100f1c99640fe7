from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepdebug.detectors.vanishing_gradient import VanishingGradient
from deepdebug.errors import NotJudged
from tests.detectors.deep import (
    ADAM,
    SGD,
    change_observations,
    deep_facts,
    deep_run,
    fading,
    unskilled,
    with_profile,
)
from tests.factory import change_output, change_variable


def vanishing(relatives=None, optimizer=SGD, only=None, depth=8, **changes):
    run = deep_run(deep_facts(depth, optimizer=optimizer))
    return with_profile(run, relatives or fading(depth), only, **{"update_rms": 1e-9, **changes})


def findings(run):
    return list(VanishingGradient().detect(run))


def test_fading_gradient_is_reported_at_the_first_layer():
    (finding,) = findings(vanishing())
    assert (finding.layer, finding.severity, finding.location) == ("d0", "warn", "DW")
    assert finding.value == pytest.approx(0.2**7)
    assert finding.evidence["slope"] == pytest.approx(np.log10(0.2))


def test_untrained_model_makes_it_an_error():
    (finding,) = findings(unskilled(vanishing()))
    assert finding.severity == "error"


def test_first_attenuating_layer_on_the_way_back_is_told():
    relatives = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-2, 1e-2, 1e-2]
    (finding,) = findings(vanishing(relatives))
    assert finding.evidence["first_attenuating_layer"] == "d4"
    assert finding.evidence["attenuating_activation"] == "sigmoid"
    assert "fades from layer 'd4' on" in finding.message


def test_slow_fading_is_silent():
    assert findings(vanishing(fading(8, per_layer=0.55))) == []


def test_single_step_in_the_profile_is_silent():
    assert findings(vanishing([1e-7, 1e-2, 1e-2, 1e-2, 1e-2, 1e-2, 1e-2, 1e-2])) == []


def test_even_profile_of_a_residual_network_is_silent():
    assert findings(vanishing([1e-2, 2e-2, 1e-2, 5e-3, 1e-2, 2e-2, 1e-2, 1e-2])) == []


def test_adam_makes_up_for_a_gradient_far_above_its_epsilon():
    assert findings(vanishing([one * 100 for one in fading(8)], ADAM)) == []


def test_adam_cannot_make_up_for_a_gradient_near_its_epsilon():
    assert len(findings(vanishing([one * 0.1 for one in fading(8)], ADAM))) == 1


def test_sgd_with_a_large_enough_update_is_silent():
    assert findings(vanishing(update_rms=1e-5)) == []


def test_sgd_without_a_measured_update_is_judged_by_its_learning_rate():
    run = vanishing(update_rms=None)
    assert len(findings(run)) == 1
    assert findings(change_observations(run, learning_rate=10.0)) == []


def test_gradient_of_zero_is_lost_for_every_optimizer():
    (finding,) = findings(vanishing([0.0, *fading(8)[1:]], ADAM))
    assert finding.value == 0.0


def test_shallow_model_is_silent():
    assert findings(vanishing(fading(3, per_layer=0.01), depth=3)) == []


def test_two_of_three_checks_suffice():
    assert len(findings(vanishing(only=(2, 4)))) == 1


def test_one_check_is_not_enough():
    assert findings(vanishing(only=(4,))) == []


def test_solved_task_is_silent():
    assert findings(change_output(vanishing(), accuracy=1.0)) == []


def test_learning_rate_that_has_run_out_is_not_judged():
    with pytest.raises(NotJudged, match="below 1 %"):
        findings(change_observations(vanishing(), only=(4,), learning_rate=1e-6))


def test_frozen_layers_are_left_out_of_the_profile():
    run = vanishing([0.0, 1e-2, 1e-2, 1e-2, 1e-2, 1e-2, 1e-2, 1e-2])
    variables = (replace(run.facts.variables[0], trainable=False), *run.facts.variables[1:])
    assert findings(replace(run, facts=replace(run.facts, variables=variables))) == []


def test_missing_gradients_are_not_judged():
    run = vanishing()
    for facts in run.facts.variables:
        run = change_variable(run, facts.path, has_gradient=None, gradient_rms=None)
    with pytest.raises(NotJudged, match="no gradient was taken"):
        findings(run)


def test_unknown_order_of_layers_is_not_judged():
    run = vanishing()
    with pytest.raises(NotJudged, match="order of the layers"):
        findings(replace(run, facts=replace(run.facts, layers=())))


def test_too_short_a_run_is_not_judged():
    with pytest.raises(NotJudged, match="2 probed checks"):
        findings(deep_run(epochs=1))


@pytest.mark.parametrize("optimizer", [SGD, ADAM, None])
def test_healthy_run_is_silent(optimizer):
    assert findings(deep_run(deep_facts(optimizer=optimizer))) == []


@settings(max_examples=30)
@given(st.floats(0.01, 1.0), st.floats(0.01, 1.0))
def test_faster_fading_never_removes_the_finding(one, other):
    faster, slower = sorted((one, other))
    found = [findings(vanishing(fading(6, per_layer=rate), depth=6)) for rate in (slower, faster)]
    assert len(found[0]) <= len(found[1])
