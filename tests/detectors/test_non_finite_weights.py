from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepdebug.detectors.non_finite_weights import NonFiniteWeights
from deepdebug.errors import NotJudged
from tests.detectors.deep import change_observations, deep_facts, deep_run, with_alarm
from tests.factory import change_variable, classifier_facts, healthy_run, kernel


def poisoned(*layers, only=(4,), run=None):
    run = run or deep_run(deep_facts(4))
    for layer in layers:
        run = change_variable(run, f"model/{layer}/kernel", only, non_finite=0.5)
    return run


def test_poisoned_weight_is_fatal():
    (finding,) = NonFiniteWeights().detect(poisoned("d1"))
    assert (finding.layer, finding.value, finding.severity, finding.location) == ("d1", 0.5, "fatal", "W")


def test_first_of_several_in_data_flow_order_is_named():
    facts = classifier_facts(variables=(kernel("head", (8, 3)), kernel("hidden")))
    (finding,) = NonFiniteWeights().detect(poisoned("head", "hidden", run=healthy_run(facts=facts)))
    assert finding.layer == "hidden"
    assert finding.evidence["variables_affected"] == 2


def test_what_came_before_is_told():
    run = change_observations(poisoned("d1", only=(3, 4)), only=(2,), gradient_norm=1e4)
    (finding,) = NonFiniteWeights().detect(run)
    assert finding.evidence["last_finite_epoch"] == 2
    assert finding.evidence["gradient_norm_before"] == 1e4
    assert finding.evidence["learning_rate"] == 1e-3


def test_non_trainable_weights_count():
    facts = classifier_facts(variables=(kernel("hidden", role="moving_mean", trainable=False),))
    (finding,) = NonFiniteWeights().detect(poisoned("hidden", run=healthy_run(facts=facts)))
    assert finding.evidence["trainable"] is False


def test_weight_with_which_it_began_is_kept_when_all_are_poisoned_later():
    run = poisoned("d0", "d1", "d2", "d3", run=poisoned("d2", only=(3, 4)))
    (finding,) = NonFiniteWeights().detect(run)
    assert (finding.layer, finding.epoch, finding.evidence["last_finite_epoch"]) == ("d2", 3, 2)


def test_alarm_in_the_first_epoch_is_enough():
    run = with_alarm(deep_run(deep_facts(4), epochs=0))
    (finding,) = NonFiniteWeights().detect(poisoned("d0", only=(0,), run=run))
    assert finding.evidence["last_finite_epoch"] == -1


def test_weight_that_belongs_to_no_layer_is_named_by_its_path():
    facts = classifier_facts(variables=(replace(kernel("x"), layer=None, path="model/scale"),))
    run = change_variable(healthy_run(facts=facts), "model/scale", non_finite=1.0)
    (finding,) = NonFiniteWeights().detect(run)
    assert finding.layer is None
    assert "'model/scale'" in finding.message


def test_finite_weights_are_silent():
    assert list(NonFiniteWeights().detect(healthy_run())) == []


def test_unread_weights_are_not_judged():
    with pytest.raises(NotJudged, match="weights were not read"):
        list(NonFiniteWeights().detect(change_observations(healthy_run(), variables=())))


@given(st.floats(min_value=0, exclude_min=True, max_value=1))
def test_any_share_is_found(share):
    run = change_variable(healthy_run(), "model/hidden/kernel", non_finite=share)
    assert [one.value for one in NonFiniteWeights().detect(run)] == [share]
