from dataclasses import replace

import pytest

from deepdebug.detectors.missing_nonlinearity import MissingNonlinearity
from deepdebug.errors import NotJudged
from deepdebug.facts import LayerFacts
from tests.detectors.static_runs import layer, with_layers
from tests.factory import dense, healthy_run

HEAD = dense("head", 3, "softmax")
DROPOUT = layer("drop", "Dropout", "dropout", config={"rate": 0.3})
FLATTEN = layer("flat", "Flatten", "reshape")
BATCH_NORM = layer("norm", "BatchNormalization", "normalization")
RELU = layer("relu", "ReLU", "activation", activation="relu")


def linear(name: str = "hidden", before: int = 8, units: int = 8) -> LayerFacts:
    return replace(dense(name, units, "linear"), input_shape=(before,))


def conv(name: str, before: int, filters: int, activation: str = "linear", kind: str = "Conv2D") -> LayerFacts:
    shapes = {"input_shape": (16, 16, before), "output_shape": (16, 16, filters)}
    return layer(name, kind, "convolution", activation=activation, **shapes)


def detect(*layers: LayerFacts):
    return list(MissingNonlinearity().detect(with_layers(*layers)))


def test_two_dense_layers_without_an_activation_are_reported():
    (finding,) = detect(dense("first"), linear(), HEAD)
    assert finding.message == "Layers 'hidden' and 'head' have only linear maps between them"
    assert (finding.layer, finding.severity) == ("hidden", "warn")


def test_model_without_any_activation_before_its_output_is_an_error():
    (finding,) = detect(linear(), HEAD)
    assert finding.severity == "error"


@pytest.mark.parametrize("between", [DROPOUT, FLATTEN, BATCH_NORM], ids=lambda one: one.kind)
def test_linear_maps_between_do_not_help(between):
    assert len(detect(dense("first"), linear(), between, HEAD)) == 1


def test_average_pooling_does_not_help():
    pooling = layer("pool", "GlobalAveragePooling2D", "pooling")
    assert len(detect(conv("conv", 3, 8), pooling, HEAD)) == 1


@pytest.mark.parametrize(
    "between",
    [
        RELU,
        layer("pool", "MaxPooling2D", "pooling"),
        layer("norm", "LayerNormalization", "normalization"),
        layer("own", "MyLayer", "other", activation="unknown"),
    ],
    ids=lambda one: one.kind,
)
def test_non_linear_layers_between_are_silent(between):
    assert detect(conv("conv", 3, 8), between, conv("next", 8, 8, "relu"), FLATTEN, HEAD) == []


def test_batch_normalisation_before_the_activation_is_silent():
    assert detect(linear(), BATCH_NORM, RELU, HEAD) == []


def test_linear_dense_bottleneck_is_mentioned_only():
    (finding,) = detect(dense("first", 64), linear("code", 64, 2), dense("wide", 64), HEAD)
    assert finding.severity == "info"


def test_linear_convolution_bottleneck_is_silent():
    assert detect(conv("squeeze", 96, 24), BATCH_NORM, conv("expand", 24, 144, "relu6"), HEAD) == []


def test_projection_of_an_inverted_residual_may_be_as_wide_as_its_input():
    depthwise = conv("depthwise", 16, 16, "relu", "DepthwiseConv2D")
    assert detect(depthwise, conv("project", 16, 16), conv("expand", 16, 72, "relu"), HEAD) == []


def test_plain_convolutions_of_one_width_are_reported():
    assert len(detect(conv("first", 16, 16), conv("second", 16, 72, "relu"), FLATTEN, HEAD)) == 1


def test_depthwise_and_pointwise_convolution_are_one_design():
    depthwise = conv("depthwise", 16, 16, kind="DepthwiseConv2D")
    assert detect(depthwise, conv("pointwise", 16, 32, "relu"), FLATTEN, HEAD) == []


def test_convolution_before_a_depthwise_one_is_silent():
    depthwise = conv("depthwise", 16, 16, "relu", kind="DepthwiseConv2D")
    assert detect(conv("stem", 3, 16), depthwise, FLATTEN, HEAD) == []


def test_branch_of_a_residual_block_is_silent():
    block = replace(linear("block"), inputs=("first",))
    add = layer("add", "Add", "merge", inputs=("first", "block"))
    assert detect(dense("first"), block, add, HEAD) == []


def test_layer_that_feeds_a_merge_and_a_layer_is_silent():
    add = layer("add", "Add", "merge", inputs=("project", "deeper"))
    assert detect(dense("first"), linear("project"), dense("deeper"), add, HEAD) == []


def test_embedding_before_a_linear_layer_is_silent():
    assert detect(layer("words", "Embedding", "embedding"), FLATTEN, HEAD) == []


def test_dense_before_a_recurrent_layer_is_silent():
    assert detect(linear(), layer("lstm", "LSTM", "recurrent", activation="tanh"), HEAD) == []


def test_frozen_features_before_the_head_are_silent():
    assert detect(replace(linear(), trainable=False), HEAD) == []


def test_pair_that_two_ways_lead_to_is_reported_once():
    drop, flat = (replace(one, inputs=("hidden",)) for one in (DROPOUT, FLATTEN))
    assert len(detect(dense("first"), linear(), drop, flat, replace(HEAD, inputs=("drop", "flat")))) == 1


def test_widths_that_are_not_known_are_no_bottleneck():
    (finding,) = detect(dense("first"), replace(linear(), input_shape=None), HEAD)
    assert finding.severity == "warn"


def test_single_linear_layer_is_silent():
    assert detect(dense("head", 3, "linear")) == []


def test_second_softmax_is_a_warning():
    second = layer("again", "Softmax", "activation", activation="softmax")
    (finding,) = detect(dense("first"), HEAD, second)
    assert (finding.layer, finding.severity) == ("again", "warn")
    assert finding.message == "Layer 'again' applies softmax to the softmax of layer 'head'"


def test_second_relu_is_mentioned_only():
    (finding,) = detect(dense("first"), DROPOUT, RELU, HEAD)
    assert finding.severity == "info"


def test_softmax_over_a_rectified_output_is_a_warning():
    softmax = layer("softmax", "Softmax", "activation", activation="softmax")
    (finding,) = detect(dense("first"), dense("logits", 3), softmax)
    assert finding.evidence["first_layer"] == "logits"


def test_softmax_over_tanh_scores_inside_the_model_is_silent():
    softmax = layer("weights", "Activation", "activation", activation="softmax")
    assert detect(dense("first"), dense("score", 1, "tanh"), FLATTEN, softmax, HEAD) == []


def test_softmax_after_pooling_is_silent():
    pooling = layer("pool", "GlobalAveragePooling2D", "pooling")
    softmax = layer("softmax", "Softmax", "activation", activation="softmax")
    assert detect(conv("maps", 8, 3, "relu"), pooling, softmax) == []


def test_data_flow_that_is_not_known_is_not_judged():
    run = with_layers(linear(), HEAD)
    layers = tuple(replace(one, inputs=None) for one in run.facts.layers)
    with pytest.raises(NotJudged, match="data flow"):
        list(MissingNonlinearity().detect(replace(run, facts=replace(run.facts, layers=layers))))


def test_healthy_run_is_silent():
    assert list(MissingNonlinearity().detect(healthy_run())) == []
