import math
import statistics
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepdebug.detectors import weights
from deepdebug.errors import NotJudged
from tests.detectors.deep import change_observations, deep_facts, deep_run, layer, with_profile
from tests.factory import change_variable, classifier_facts, dense, healthy_run, kernel


def test_weights_that_were_not_read_are_not_judged():
    run = change_observations(healthy_run(), variables=())
    with pytest.raises(NotJudged, match="weights were not read"):
        weights.pairs(run, run.latest)


def test_model_without_weights_has_no_pairs():
    run = healthy_run(facts=classifier_facts(variables=()))
    assert weights.pairs(run, run.latest) == []


def test_frozen_layers_are_not_trained():
    facts = classifier_facts()
    frozen = replace(facts, layers=(replace(facts.layers[0], trainable=False), facts.layers[1]))
    run = healthy_run(facts=frozen)
    assert [one.layer for one, _ in weights.trained(run, run.latest)] == ["head"]


@pytest.mark.parametrize(
    ("role", "shape", "expected"),
    [
        ("kernel", (4, 8), True),
        ("w", (4, 8), True),
        ("kernel", (8,), False),
        ("bias", (2, 24), False),
        ("embeddings", (100, 8), False),
        ("position_embeddings", (100, 8), False),
    ],
)
def test_kernels_are_matrices_that_are_no_bias_and_no_table(role, shape, expected):
    assert weights.is_kernel(kernel("any", shape, role=role)) is expected


def test_gradients_of_a_custom_train_step_are_not_judged():
    facts = classifier_facts()
    run = healthy_run(facts=replace(facts, fit=replace(facts.fit, custom_train_step=True)))
    with pytest.raises(NotJudged, match="train_step"):
        weights.require_gradients(run, run.latest)


def test_missing_gradients_are_not_judged():
    run = healthy_run()
    for facts in run.facts.variables:
        run = change_variable(run, facts.path, has_gradient=None, gradient_rms=None)
    with pytest.raises(NotJudged, match="no gradient was taken"):
        weights.require_gradients(run, run.latest)


def test_profile_is_in_flow_order_with_the_larger_kernel_of_a_layer():
    facts = classifier_facts(
        layers=(dense("first"), layer("rnn", "LSTM", "recurrent"), dense("head", 3, "softmax")),
        variables=(
            kernel("head"),
            kernel("rnn"),
            kernel("rnn", path="model/rnn/recurrent_kernel", role="recurrent_kernel"),
            kernel("first"),
        ),
    )
    run = with_profile(healthy_run(facts=facts), [4.0, 1.0, 2.0, 3.0])
    profile = weights.gradient_profile(run, run.latest)
    assert [one.layer for one in profile] == ["first", "rnn", "head"]
    assert [one.relative for one in profile] == pytest.approx([3.0, 2.0, 4.0])


def test_kernels_without_a_gradient_do_not_enter_the_median_update():
    run = change_variable(healthy_run(), "model/hidden/kernel", gradient_rms=0.0, update_rms=1e-12)
    assert weights.median_update(run, run.latest) == pytest.approx(-3.0)


def test_share_of_living_kernels():
    run = change_variable(healthy_run(), "model/hidden/kernel", gradient_rms=0.0)
    assert weights.alive_share(run, run.latest) == 0.5
    assert weights.alive_share(run, change_observations(run, variables=run.latest.variables[:1]).latest) == 0.0


def test_no_update_at_all_has_no_median():
    run = healthy_run()
    for facts in run.facts.variables:
        run = change_variable(run, facts.path, update_rms=None)
    assert weights.median_update(run, run.latest) is None


@given(st.lists(st.floats(1e-8, 1e3), min_size=4, max_size=4))
def test_median_update_is_the_median_of_the_ratios(ratios):
    run = deep_run(deep_facts(4), epochs=1)
    for facts, ratio in zip(run.facts.variables, ratios, strict=True):
        run = change_variable(run, facts.path, rms=0.5, update_rms=0.5 * ratio)
    assert weights.median_update(run, run.latest) == pytest.approx(math.log10(statistics.median(ratios)), abs=1e-6)


@given(st.floats(1e-8, 10.0), st.floats(-12.0, 6.0))
def test_suggested_learning_rate_stays_within_a_factor_of_100(rate, update):
    suggested = weights.suggested_learning_rate(rate, update)
    assert 0.0099 <= suggested / rate <= 100.1


def test_suggested_learning_rate_makes_the_update_one_per_mille():
    assert weights.suggested_learning_rate(0.5, -1.5) == pytest.approx(0.5 * 10**-1.5)
    assert weights.suggested_learning_rate(None, -1.5) is None


def test_float16_layers_are_recognised():
    half = replace(classifier_facts().layers[0], config={"compute_dtype": "float16"})
    assert weights.is_half_precision(healthy_run(facts=classifier_facts(layers=(half,))))
    assert not weights.is_half_precision(healthy_run())
