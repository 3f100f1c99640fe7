from dataclasses import replace

import pytest

from deepdebug.detectors.constant_softmax import ConstantSoftmax
from deepdebug.errors import NotJudged
from deepdebug.facts import Facts
from deepdebug.observation import Run
from tests.detectors.static_runs import class_numbers, layer, one_output, with_layers
from tests.factory import dense, healthy_run


def test_output_of_one_unit_is_reported_with_its_fix():
    (finding,) = ConstantSoftmax().detect(one_output("softmax", "binary_crossentropy", class_numbers(2), (1,)))
    assert finding.layer == "head"
    assert finding.message == "Layer 'head' applies softmax over one unit, whose output is the constant 1: use sigmoid"
    assert (finding.severity, finding.confidence) == ("error", "certain")


def test_one_unit_is_reported_for_a_custom_loss_too():
    (finding,) = ConstantSoftmax().detect(one_output("softmax", "custom", None, (1,)))
    assert finding.layer == "head"


def test_attention_score_of_one_unit_is_reported():
    score = replace(dense("score", 1, "softmax"), output_shape=(20, 1))
    (finding,) = ConstantSoftmax().detect(with_layers(dense("hidden"), score, dense("head", 3, "softmax")))
    assert finding.layer == "score"


def test_softmax_over_the_axis_of_positions_is_silent():
    softmax = layer("weights", "Softmax", "activation", activation="softmax", output_shape=(20, 1), config={"axis": 1})
    assert list(ConstantSoftmax().detect(with_layers(dense("hidden"), softmax, dense("head", 3, "softmax")))) == []


def test_softmax_layer_over_the_last_axis_is_reported():
    softmax = layer("weights", "Softmax", "activation", activation="softmax", output_shape=(20, 1), config={"axis": -1})
    run = with_layers(dense("hidden"), softmax, dense("head", 3, "softmax"))
    assert [finding.layer for finding in ConstantSoftmax().detect(run)] == ["weights"]


def test_softmax_over_an_axis_that_is_not_known_is_silent():
    softmax = layer("weights", "Softmax", "activation", activation="softmax", output_shape=(20, 1))
    assert list(ConstantSoftmax().detect(with_layers(softmax, dense("head", 3, "softmax")))) == []


def test_two_units_are_silent():
    assert list(ConstantSoftmax().detect(one_output("softmax", "categorical_crossentropy", None, (2,)))) == []


def test_healthy_run_is_silent():
    assert list(ConstantSoftmax().detect(healthy_run())) == []


def test_model_that_could_not_be_read_is_not_judged():
    with pytest.raises(NotJudged, match="could not be read"):
        list(ConstantSoftmax().detect(Run(Facts("model"))))
