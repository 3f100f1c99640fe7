import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepdebug.detectors.weight_scale import WeightScale
from deepdebug.errors import NotJudged
from tests.detectors.deep import chain, change_observations, deep_facts, deep_run, layer
from tests.factory import change_layer, change_output, change_variable, classifier_facts, dense, healthy_run, kernel

HE_OF_8 = 0.5
GLOROT_OF_8 = math.sqrt(2 / 16)  # the smallest of the usual values, together with that of LeCun


def started(facts=None, epochs=0, **stds):
    run = change_output(deep_run(facts or deep_facts(4, "tanh"), epochs), (-1,), loss=1.1)
    for name, std in stds.items():
        run = change_variable(run, f"model/{name}/kernel", (-1,), std=std)
    return run


def findings(run):
    return list(WeightScale().detect(run))


def test_large_weights_are_a_warning_with_the_recommended_value():
    (finding,) = findings(started(d1=10.0))
    assert (finding.layer, finding.severity, finding.value) == ("d1", "warn", 10.0)
    assert finding.evidence["recommended_std"] == pytest.approx(GLOROT_OF_8)
    assert finding.evidence["factor"] == pytest.approx(20.0)


@pytest.mark.parametrize("std", [HE_OF_8 * 3.99, GLOROT_OF_8 / 3.99])
def test_weights_within_the_factor_are_silent(std):
    assert findings(started(d1=std)) == []


def test_somewhat_small_weights_get_a_note():
    (finding,) = findings(started(d1=GLOROT_OF_8 / 10))
    assert finding.severity == "info"


def test_notes_of_several_layers_make_one():
    (finding,) = findings(started(d0=GLOROT_OF_8 / 10, d1=GLOROT_OF_8 / 20, d2=GLOROT_OF_8 / 10))
    assert (finding.layer, finding.severity, finding.evidence["layers_affected"]) == ("d1", "info", 3)
    assert "and 2 layers more" in finding.message


def test_tiny_weights_are_a_warning():
    (finding,) = findings(started(d1=GLOROT_OF_8 / 41))
    assert finding.severity == "warn"


def test_tiny_weights_in_a_model_with_normalisation_get_a_note():
    facts = chain(
        dense("d0"), layer("norm", "LayerNormalization", "normalization"), dense("d1"), dense("d2", 3, "softmax")
    )
    assert findings(started(facts, d0=1e-4))[0].severity == "info"
    assert findings(started(facts, d0=10.0))[0].severity == "warn"


def test_tiny_last_layer_is_silent():
    assert findings(started(d3=1e-4)) == []


def test_large_last_layer_is_a_warning():
    assert [one.layer for one in findings(started(d3=10.0))] == ["d3"]


def test_constant_kernel_is_left_to_the_symmetry_check():
    assert findings(started(d1=0.0)) == []
    assert findings(started(d1=9e-8)) == []


def test_recurrent_frozen_and_fanless_weights_are_silent():
    facts = deep_facts(4, "tanh")
    first, second, third, last = facts.variables
    variables = (
        replace(first, role="recurrent_kernel"),
        replace(second, trainable=False),
        replace(third, fan_in=None),
        last,
    )
    assert findings(started(replace(facts, variables=variables), d0=10.0, d1=10.0, d2=10.0)) == []


def test_default_initialisation_of_attention_is_silent():
    """Keras counts (8, 64) as the fans of a (512, 8, 64) kernel, which gives it a sixth of the usual value."""
    query = kernel("d1", (512, 8, 64), fan_in=512, fan_out=512)
    facts = deep_facts(4, "tanh")
    facts = replace(facts, variables=(facts.variables[0], query, *facts.variables[2:]))
    assert findings(started(facts, d1=math.sqrt(2 / (512 * (8 + 64))))) == []


def test_narrow_inputs_into_a_wide_layer_by_default_initialisation_are_silent():
    facts = deep_facts(4, "relu")
    facts = replace(facts, variables=(kernel("d0", (2, 512)), *facts.variables[1:]))
    assert findings(started(facts, d0=math.sqrt(2 / 514))) == []


def test_model_that_comes_trained_is_silent():
    assert findings(change_output(started(d1=10.0), (-1,), loss=0.5)) == []


def test_task_that_was_solved_in_spite_of_it_is_silent():
    assert findings(change_output(started(d1=10.0, epochs=3), (2,), accuracy=1.0)) == []


def test_missing_start_is_not_judged():
    run = started(d1=10.0, epochs=3)
    with pytest.raises(NotJudged, match="before the first update"):
        findings(replace(run, observations=run.observations[1:]))
    with pytest.raises(NotJudged, match="before the first update"):
        findings(change_observations(run, variables=()))


def rectifiers(*sizes):
    run = started(deep_facts(len(sizes) + 1, "relu"))
    for index, size in enumerate(sizes):
        run = change_layer(run, f"d{index}", rms=size)
    return run


def test_signal_that_grows_through_rectifiers_is_a_warning():
    (finding,) = findings(rectifiers(1.0, 6.0, 30.0, 101.0))
    assert (finding.layer, finding.value) == ("d3", pytest.approx(101.0))
    assert "the signal grows" in finding.message


def test_signal_that_fades_through_rectifiers_is_a_warning():
    (finding,) = findings(rectifiers(1.0, 0.3, 0.1, 0.0099))
    assert "the signal fades" in finding.message


def test_signal_within_the_ratio_is_silent():
    assert findings(rectifiers(1.0, 6.0, 30.0, 99.0)) == []
    assert findings(rectifiers(1.0, 0.3, 0.1, 0.011)) == []


def test_signal_through_few_layers_is_silent():
    assert findings(rectifiers(1.0, 30.0, 900.0)) == []


def test_signal_through_saturating_layers_is_silent():
    run = change_layer(started(deep_facts(6, "tanh")), "d0", rms=1000.0)
    assert findings(run) == []


def test_healthy_run_is_silent():
    assert findings(healthy_run()) == []
    assert findings(healthy_run(facts=classifier_facts(layers=()))) == []


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 300), st.integers(2, 300), st.integers(0, 2**32 - 1))
def test_he_lecun_and_glorot_draws_are_never_accused(fan_in, fan_out, seed):
    facts = deep_facts(4, "relu")
    facts = replace(facts, variables=(facts.variables[0], kernel("d1", (fan_in, fan_out)), *facts.variables[2:]))
    random = np.random.default_rng(seed)
    for variance in (2 / fan_in, 1 / fan_in, 2 / (fan_in + fan_out)):
        drawn = random.normal(0, math.sqrt(variance), (fan_in, fan_out))
        assert findings(started(facts, d1=max(float(drawn.std()), 0.3 * math.sqrt(variance)))) == []


@given(st.floats(1.0, 1e4), st.floats(1.0, 1e4))
def test_larger_weights_never_remove_the_finding(one, other):
    smaller, larger = sorted((one, other))
    assert len(findings(started(d1=smaller))) <= len(findings(started(d1=larger)))
