from dataclasses import replace

import pytest

from deepdebug.detectors.non_finite_activation import NonFiniteActivation
from deepdebug.errors import NotJudged
from deepdebug.facts import DataFacts, InputFacts
from deepdebug.records import Finding
from tests.detectors.deep import change_observations, deep_facts, deep_run, with_alarm
from tests.factory import change_layer, change_variable, healthy_run


def poisoned(first=2, depth=4, only=(4,), run=None):
    """A run whose layers from number `first` on are not finite."""
    run = run or deep_run(deep_facts(depth))
    for index in range(first, depth):
        run = change_layer(run, f"d{index}", only, non_finite=0.25)
    return change_observations(run, only, loss=float("nan"))


def with_inputs(run, non_finite):
    data = DataFacts(100, True, (InputFacts("input", (4,), "float32", non_finite=non_finite),))
    return replace(run, facts=replace(run.facts, data=data))


def only_finding(run) -> Finding:
    (finding,) = NonFiniteActivation().detect(run)
    return finding


def test_first_layer_in_data_flow_order_is_named():
    finding = only_finding(poisoned(first=2))
    assert (finding.layer, finding.value, finding.severity) == ("d2", 0.25, "fatal")
    assert finding.evidence["layers_affected"] == 2


def test_layer_with_finite_input_and_weights_made_the_value():
    finding = only_finding(poisoned(first=2))
    assert (finding.evidence["input_finite"], finding.evidence["weights_finite"]) == (True, True)
    assert "its input was finite and its weights were finite" in finding.message


def test_poisoned_weights_of_the_layer_are_told():
    run = change_variable(poisoned(first=2), "model/d2/kernel", non_finite=0.5)
    assert only_finding(run).evidence["weights_finite"] is False


def test_poisoned_weights_of_another_layer_are_not_its_own():
    run = change_variable(poisoned(first=2), "model/d3/kernel", non_finite=0.5)
    assert only_finding(run).evidence["weights_finite"] is True


def test_poisoned_data_are_told_at_the_first_layer():
    finding = only_finding(with_inputs(poisoned(first=0), 7))
    assert finding.evidence["input_finite"] is False


def test_clean_data_are_told_at_the_first_layer():
    assert only_finding(with_inputs(poisoned(first=0), 0)).evidence["input_finite"] is True


def test_unknown_data_are_told_at_the_first_layer():
    finding = only_finding(poisoned(first=0))
    assert finding.evidence["input_finite"] is None
    assert "its input was not seen" in finding.message


def test_last_finite_epoch_and_the_gradient_before_are_told():
    run = change_observations(poisoned(only=(3, 4)), only=(2,), gradient_norm=77.0)
    evidence = only_finding(run).evidence
    assert (evidence["last_finite_epoch"], evidence["gradient_norm_before"]) == (2, 77.0)
    assert evidence["learning_rate"] == 1e-3


def test_alarm_in_the_first_epoch_is_enough():
    run = deep_run(deep_facts(4), epochs=0)
    broken = change_layer(with_alarm(run), "d3", only=(0,), non_finite=1.0)
    finding = only_finding(broken)
    assert (finding.layer, finding.severity, finding.evidence["last_finite_epoch"]) == ("d3", "fatal", -1)


def test_poison_before_training_is_reported():
    run = change_layer(deep_run(deep_facts(4), epochs=0), "d3", non_finite=1.0)
    assert only_finding(run).epoch == -1


def test_value_that_later_layers_make_finite_again_is_a_warning():
    run = change_layer(deep_run(deep_facts(4)), "d1", non_finite=0.1)
    assert only_finding(run).severity == "warn"


def test_swallowed_value_from_poisoned_weights_is_fatal():
    run = change_layer(deep_run(deep_facts(4)), "d1", non_finite=0.1)
    run = change_variable(run, "model/d1/kernel", non_finite=0.5)
    assert only_finding(run).severity == "fatal"


def test_layer_with_which_it_began_is_kept_when_all_are_poisoned_later():
    run = poisoned(first=2, only=(3,))
    run = change_variable(poisoned(first=0, run=run), "model/d0/kernel", (4,), non_finite=1.0)
    finding = only_finding(run)
    assert (finding.layer, finding.epoch, finding.evidence["weights_finite"]) == ("d2", 3, True)


def test_one_element_is_enough():
    assert list(NonFiniteActivation().detect(change_layer(healthy_run(), "head", non_finite=1e-9)))


def test_finite_layers_are_silent():
    assert list(NonFiniteActivation().detect(healthy_run())) == []


def test_unseen_layers_are_not_judged():
    with pytest.raises(NotJudged, match="needs a probe"):
        list(NonFiniteActivation().detect(change_observations(healthy_run(), layers=())))
