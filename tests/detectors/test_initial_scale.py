import math

import pytest

from deepdebug.detectors.initial_scale import recommended_std, usual_stds
from tests.detectors.deep import chain, deep_facts, layer
from tests.factory import dense, kernel

HE_OF_8 = 0.5
GLOROT_OF_8 = math.sqrt(2 / 16)


@pytest.mark.parametrize(
    ("activation", "expected"),
    [("relu", HE_OF_8), ("gelu", HE_OF_8), ("selu", math.sqrt(1 / 8)), ("tanh", GLOROT_OF_8), ("linear", GLOROT_OF_8)],
)
def test_recommended_value_follows_the_activation(activation, expected):
    facts = deep_facts(4, activation)
    assert recommended_std(facts, facts.variables[1]) == pytest.approx(expected)


def test_recommended_value_follows_the_activation_behind_a_normalisation():
    facts = chain(
        dense("d0", activation="linear"),
        layer("norm", "BatchNormalization", "normalization"),
        layer("relu", "ReLU", "activation", activation="relu"),
        dense("d1", 3, "softmax"),
    )
    assert recommended_std(facts, facts.variables[0]) == pytest.approx(HE_OF_8)


def test_usual_values_are_those_of_the_published_initialisations():
    assert usual_stds(kernel("any", (50, 150)))[:3] == pytest.approx((0.2, math.sqrt(1 / 50), 0.1))
