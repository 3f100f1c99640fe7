from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepdebug.detectors.initial_scale import recommended_std
from deepdebug.diagnosis.tree import improper_data, satisfied_condition, tune_learn, weight_initialization
from deepdebug.facts import LayerFacts
from deepdebug.observation import Run
from tests.diagnosis.cases import data, finding, history, sgd
from tests.factory import change_variable, classifier_facts, healthy_run, kernel, observation


def scaled(**changes) -> Run:
    return Run(classifier_facts(data=data(changes)))


def test_satisfied_condition_names_symptom_place_and_depth():
    answer = satisfied_condition(healthy_run(), finding("DD101", layer="hidden"))
    assert answer.line == (
        "SatisfiedCondition? yes: DD101 symptom-dd101 in the output of layer 'hidden', 1 of 2 (0.9 against 0.5)"
    )


def test_satisfied_condition_without_a_layer_names_the_metrics():
    answer = satisfied_condition(healthy_run(), finding("DD303", value=None))
    assert answer.text == "DD303 symptom-dd303 in the metrics"


def test_standardised_inputs_beyond_one_are_proper():
    answer = improper_data(scaled(minimum=-4.0, maximum=4.0))
    assert answer.holds is False
    assert "values from -4 to 4" in answer.text


@pytest.mark.parametrize(
    "change", [{"median_absolute": 127.0, "maximum": 255.0}, {"scale_ratio": 5e3, "maximum": 40.0}]
)
def test_large_or_uneven_inputs_are_improper(change):
    assert improper_data(scaled(**change)).holds is True


def test_scale_just_below_the_bound_is_proper():
    assert improper_data(scaled(median_absolute=9.9, scale_ratio=990.0, maximum=40.0)).holds is False


def test_inputs_that_a_layer_rescales_are_proper():
    answer = improper_data(scaled(median_absolute=127.0, normalized_by="rescaling"))
    assert answer.holds is False
    assert "rescaled by layer 'rescaling'" in answer.text


def test_ids_of_an_embedding_are_proper():
    facts = classifier_facts(
        layers=(LayerFacts("hidden", "Embedding", "embedding"),), data=data({"median_absolute": 5000.0})
    )
    assert improper_data(Run(facts)).holds is False


def test_unexamined_inputs_are_not_known():
    answer = improper_data(healthy_run())
    assert answer.holds is None
    assert answer.line.startswith("ImproperData? not known")


def test_start_at_the_recommended_scale_is_accepted():
    assert weight_initialization(history(classifier_facts(), std=0.5)).holds is False


@pytest.mark.parametrize("std", [0.005, 30.0])
def test_start_far_from_the_recommended_scale_is_named_with_its_layer(std):
    run = change_variable(history(classifier_facts()), "model/hidden/kernel", only=(-1,), std=std)
    answer = weight_initialization(run)
    assert answer.holds is True
    assert answer.numbers["layer"] == "hidden"


@given(st.floats(1 / 3.9, 3.9))
def test_start_within_a_factor_of_four_is_accepted(factor):
    facts = classifier_facts(variables=(kernel("hidden", (16, 16)),))
    (path,) = [one.path for one in facts.variables]
    run = change_variable(
        Run(facts, [observation(facts, -1)]), path, std=factor * recommended_std(facts, facts.variables[0])
    )
    assert weight_initialization(run).holds is False


@pytest.mark.parametrize(("std", "holds"), [(0.003, True), (0.004, False), (3.1, False), (3.2, True)])
def test_published_variance_bounds_serve_where_fans_are_not_known(std, holds):
    facts = classifier_facts(variables=(kernel("hidden", role="recurrent_kernel", fan_in=None, fan_out=None),))
    assert weight_initialization(history(facts, std=std)).holds is holds


def test_pretrained_weights_are_not_judged_by_their_scale():
    run = history(classifier_facts(), std=1e-4)
    good = replace(run.observations[0], outputs=(replace(run.observations[0].outputs[0], loss=0.1),))
    run = replace(run, observations=[good, *run.observations[1:]])
    assert weight_initialization(run).holds is False


def test_start_without_a_probe_is_not_known():
    run = history(classifier_facts())
    assert weight_initialization(replace(run, observations=run.observations[1:])).holds is None


def test_poisoned_start_is_wrong():
    run = change_variable(history(classifier_facts()), "model/head/kernel", only=(-1,), non_finite=0.1)
    answer = weight_initialization(run)
    assert (answer.holds, answer.numbers["layer"]) == (True, "head")


@pytest.mark.parametrize(
    ("ratio", "side"), [(0.11, "too large"), (0.09, ""), (1.1e-5, ""), (0.9e-5, "too small"), (33.0, "too large")]
)
def test_update_ratio_outside_its_bounds_incriminates_the_learning_rate(ratio, side):
    answer = tune_learn(history(classifier_facts(), ratio))
    assert (answer.numbers["side"], answer.holds) == (side, bool(side))
    assert answer.numbers["update_ratio"] == pytest.approx(ratio, rel=1e-3)


def test_plain_sgd_may_take_smaller_steps():
    assert tune_learn(history(classifier_facts(optimizer=sgd(1e-3)), 0.5e-5)).holds is False


def test_dead_network_is_judged_by_the_step_that_killed_it():
    run = history(classifier_facts(), 5.0)
    for path in ("model/hidden/kernel", "model/head/kernel"):
        run = change_variable(run, path, only=range(5), gradient_rms=0.0, update_rms=0.0)
    answer = tune_learn(run)
    assert answer.numbers["side"] == "too large"
    assert answer.numbers["update_ratio"] == pytest.approx(5.0, rel=1e-3)


def test_updates_that_were_not_measured_are_not_known():
    assert tune_learn(history(classifier_facts(), None)).holds is None


def test_weights_grown_by_the_first_step_do_not_hide_it():
    run = history(classifier_facts(), 33.0)
    for path in ("model/hidden/kernel", "model/head/kernel"):
        run = change_variable(run, path, only=range(5), rms=1000.0)
    answer = tune_learn(run)
    assert answer.text.startswith("the first update moves the weights by 33 ")
    assert answer.numbers["side"] == "too large"


def test_first_step_that_is_merely_large_does_not_count_against_later_ones():
    run = history(classifier_facts())
    for path in ("model/hidden/kernel", "model/head/kernel"):
        run = change_variable(run, path, only=(-1,), update_rms=0.29)
    assert tune_learn(run).holds is False
