from dataclasses import replace

import pytest

from deepdebug.detectors import flow
from deepdebug.facts import LossFacts
from tests.detectors.deep import chain, layer
from tests.factory import dense


def residual():
    """input -> a -> b -> sum(a, b) -> head, and a layer "side" that nothing uses."""
    facts = chain(dense("a"), dense("b"), layer("sum", "Add", "merge"), dense("head", 3, "softmax"))
    add = replace(facts.layers[2], inputs=("a", "b"))
    return replace(facts, layers=(*facts.layers[:2], add, facts.layers[3], dense("side", inputs=("a",))))


def unknown_flow():
    facts = residual()
    return replace(facts, layers=tuple(replace(one, inputs=None) for one in facts.layers))


@pytest.mark.parametrize(("call", "name"), [("dense", "dense"), ("dense#2", "dense"), ("no#way", "no#way")])
def test_calls_of_shared_layers_lose_their_number(call, name):
    assert flow.base_name(call) == name


def test_upstream_follows_both_branches():
    assert flow.upstream(residual(), "sum") == {"a", "b", "sum"}


def test_upstream_of_an_unknown_flow_is_unknown():
    assert flow.upstream(unknown_flow(), "sum") is None


def test_upstream_stops_at_named_model_inputs():
    facts = chain(dense("a"))
    facts = replace(facts, layers=(replace(facts.layers[0], inputs=("input:left", "input:right")),))
    assert flow.upstream(facts, "a") == {"a"}


def test_name_that_is_no_layer_makes_the_flow_unknown():
    facts = chain(dense("a"))
    assert flow.upstream(replace(facts, layers=(replace(facts.layers[0], inputs=("ghost",)),)), "a") is None


def test_consumers_are_the_layers_fed_directly():
    assert [one.name for one in flow.consumers(residual(), "a")] == ["b", "sum", "side"]


def test_reaching_passes_reshaping_layers_only():
    facts = chain(dense("a"), layer("flat", "Flatten", "reshape"), layer("bn", "BatchNormalization", "normalization"))
    assert flow.reaches(facts, "a", ("BatchNormalization",)) is True
    facts = chain(dense("a"), dense("b"), layer("bn", "BatchNormalization", "normalization"))
    assert flow.reaches(facts, "a", ("BatchNormalization",)) is False
    assert flow.reaches(unknown_flow(), "a", ("Add",)) is None


def test_layer_feeding_the_output_feeds_a_loss():
    assert flow.feeds_a_loss(residual(), "b") is True


def test_side_layer_feeds_no_loss():
    assert flow.feeds_a_loss(residual(), "side") is False


def test_layer_of_an_output_without_a_loss_feeds_no_loss():
    facts = residual()
    free = replace(facts.outputs[0], name="free", layer="side", activation_layer="side", loss=LossFacts("none"))
    assert flow.feeds_a_loss(replace(facts, outputs=(*facts.outputs, free)), "side") is False


def test_unknown_flow_leaves_open_what_feeds_a_loss():
    assert flow.feeds_a_loss(unknown_flow(), "side") is None


def test_last_layer_is_the_output_where_outputs_are_not_known():
    assert flow.output_layers(replace(residual(), outputs=())) == {"side"}


def test_layers_are_sorted_by_flow_with_unknown_ones_last():
    assert flow.by_flow(residual(), {"head": 1, "ghost": 2, "a": 3}) == ["a", "head", "ghost"]
