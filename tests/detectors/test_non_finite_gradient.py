from dataclasses import replace

import pytest

from deepdebug.detectors.non_finite_gradient import NonFiniteGradient
from deepdebug.errors import NotJudged
from tests.detectors.deep import change_observations, deep_facts, deep_run, with_alarm
from tests.factory import change_layer, change_variable, healthy_run


def poisoned(*layers, only=(4,), run=None):
    run = run or deep_run(deep_facts(4))
    for layer in layers:
        run = change_variable(run, f"model/{layer}/kernel", only, gradient_non_finite=0.5)
    return run


def test_poisoned_gradient_nearest_to_the_loss_is_named():
    (finding,) = NonFiniteGradient().detect(poisoned("d0", "d1"))
    assert (finding.layer, finding.value, finding.severity, finding.location) == ("d1", 0.5, "fatal", "DW")
    assert finding.evidence["variables_affected"] == 2


def test_finite_forward_pass_and_weights_are_told():
    (finding,) = NonFiniteGradient().detect(poisoned("d1"))
    assert (finding.evidence["forward_finite"], finding.evidence["weights_finite"]) == (True, True)
    assert "the forward pass was finite" in finding.message


def test_broken_forward_pass_and_weights_are_told():
    run = change_layer(poisoned("d1"), "d2", non_finite=0.1)
    (finding,) = NonFiniteGradient().detect(change_variable(run, "model/d2/kernel", non_finite=1.0))
    assert (finding.evidence["forward_finite"], finding.evidence["weights_finite"]) == (False, False)


def test_gradient_norm_before_is_told():
    run = change_observations(poisoned("d1", only=(3, 4)), only=(3, 4), gradient_norm=float("inf"))
    (finding,) = NonFiniteGradient().detect(change_observations(run, only=(2,), gradient_norm=55.0))
    assert (finding.evidence["gradient_norm_before"], finding.evidence["last_finite_epoch"]) == (55.0, 2)


def test_gradient_with_which_it_began_is_kept_when_all_are_poisoned_later():
    run = poisoned("d0", "d1", "d2", "d3", run=poisoned("d1", only=(3, 4)))
    (finding,) = NonFiniteGradient().detect(run)
    assert (finding.layer, finding.epoch) == ("d1", 3)


def test_alarm_in_the_first_epoch_is_enough():
    run = with_alarm(deep_run(deep_facts(4), epochs=0))
    (finding,) = NonFiniteGradient().detect(poisoned("d0", only=(0,), run=run))
    assert finding.severity == "fatal"


def half_precision(run):
    layers = tuple(replace(layer, config={"compute_dtype": "float16"}) for layer in run.facts.layers)
    return replace(run, facts=replace(run.facts, layers=layers))


def test_overflow_of_a_float16_gradient_alone_is_a_warning():
    (finding,) = NonFiniteGradient().detect(half_precision(poisoned("d1")))
    assert finding.severity == "warn"


def test_float16_gradient_behind_a_broken_forward_pass_is_fatal():
    run = change_layer(poisoned("d1"), "d2", non_finite=0.1)
    (finding,) = NonFiniteGradient().detect(half_precision(run))
    assert finding.severity == "fatal"


def test_finite_gradients_are_silent():
    assert list(NonFiniteGradient().detect(healthy_run())) == []


def test_missing_gradients_are_not_judged():
    run = healthy_run()
    for facts in run.facts.variables:
        run = change_variable(
            run, facts.path, has_gradient=None, gradient_rms=None, gradient_non_finite=None, update_rms=None
        )
    with pytest.raises(NotJudged, match="no gradient was taken"):
        list(NonFiniteGradient().detect(run))


def test_custom_train_step_is_not_judged():
    run = poisoned("d1")
    fit = replace(run.facts.fit, custom_train_step=True)
    with pytest.raises(NotJudged, match="train_step"):
        list(NonFiniteGradient().detect(replace(run, facts=replace(run.facts, fit=fit))))
