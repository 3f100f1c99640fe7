from dataclasses import replace

import pytest

from deepdebug.detectors.dropped_mask import DroppedMask
from deepdebug.errors import NotJudged
from tests.detectors.static_runs import layer, with_layers
from tests.factory import dense, healthy_run

HEAD = dense("head", 3, "softmax")
WORDS = layer(
    "words", "Embedding", "embedding", output_shape=(20, 8), config={"mask_zero": True, "supports_masking": True}
)
OWN = layer("own", "MyLayer", "other", output_shape=(20, 8), config={"supports_masking": False})
PASSING = replace(OWN, name="passing", config={"supports_masking": True})


def lstm(receives_mask=None, **changes):
    config = {} if receives_mask is None else {"receives_mask": receives_mask}
    return layer("lstm", "LSTM", "recurrent", config=config, **changes)


def detect(*layers):
    return list(DroppedMask().detect(with_layers(*layers, HEAD)))


def test_layer_that_drops_the_mask_is_named():
    (finding,) = detect(WORDS, PASSING, OWN, lstm(receives_mask=False))
    assert finding.message == (
        "The mask of layer 'words' is lost in layer 'own' and does not reach the recurrent layer 'lstm'"
    )
    assert (finding.layer, finding.severity) == ("own", "warn")


def test_masking_layer_counts():
    masking = layer("masking", "Masking", "reshape", output_shape=(20, 8), config={"supports_masking": True})
    assert len(detect(masking, OWN, lstm())) == 1


def test_mask_that_does_not_arrive_is_reported_without_a_place():
    (finding,) = detect(WORDS, lstm(receives_mask=False))
    assert finding.message == "The mask of layer 'words' does not reach the recurrent layer 'lstm'"
    assert finding.layer == "lstm"


def test_mask_that_arrives_is_silent():
    assert detect(WORDS, OWN, lstm(receives_mask=True)) == []


def test_layers_that_pass_the_mask_are_silent():
    assert detect(WORDS, PASSING, lstm()) == []


def test_embedding_without_a_mask_is_silent():
    assert detect(replace(WORDS, config={"mask_zero": False}), OWN, lstm(receives_mask=False)) == []


def test_decoder_behind_an_encoder_is_silent():
    repeat = layer("repeat", "RepeatVector", "reshape", output_shape=(20, 8), config={"supports_masking": False})
    decoder = replace(lstm(receives_mask=False), name="decoder")
    assert detect(WORDS, lstm(receives_mask=True), repeat, decoder) == []


def test_mask_ends_with_the_time_axis():
    pooling = layer("pool", "GlobalAveragePooling1D", "pooling", output_shape=(8,), config={"supports_masking": False})
    repeat = layer("repeat", "RepeatVector", "reshape", output_shape=(20, 8), config={"supports_masking": False})
    assert detect(WORDS, pooling, repeat, lstm(receives_mask=False)) == []


def test_recurrent_layer_that_two_ways_lead_to_is_reported_once():
    first, second = (replace(OWN, name=name, inputs=("words",)) for name in ("first", "second"))
    assert len(detect(WORDS, first, second, lstm(receives_mask=False, inputs=("first", "second")))) == 1


def test_data_flow_that_is_not_known_is_not_judged():
    run = with_layers(WORDS, OWN, lstm(), HEAD)
    layers = tuple(replace(one, inputs=None) for one in run.facts.layers)
    with pytest.raises(NotJudged, match="data flow"):
        list(DroppedMask().detect(replace(run, facts=replace(run.facts, layers=layers))))


def test_healthy_run_is_silent():
    assert list(DroppedMask().detect(healthy_run())) == []
