from dataclasses import replace

import pytest

from deepdebug.detectors.dropped_mask import DroppedMask
from deepdebug.errors import NotJudged
from deepdebug.facts import DataFacts
from tests.detectors.static_runs import layer, standardised, with_layers
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


# ---- rows of padding only

IDS = standardised("ids", shape=(20,), integer=True, minimum=0.0, maximum=99.0, zero_rows=0.0125)
ATTENTION = layer("attends", "MultiHeadAttention", "attention", output_shape=(20, 8))


def detect_empty(*layers, ids=(IDS,), complete=True):
    return list(DroppedMask().detect(with_layers(*layers, HEAD, data=DataFacts(1000, complete, ids))))


@pytest.mark.parametrize("reader", [lstm(), lstm(receives_mask=True), ATTENTION], ids=["lstm", "masked", "attention"])
def test_rows_of_padding_only_are_reported_with_their_share(reader):
    (finding,) = detect_empty(WORDS, PASSING, reader)
    assert finding.message == (
        "1.25 % of the rows of input 'ids' hold padding only, so that the mask leaves nothing of them"
    )
    assert (finding.layer, finding.value, finding.threshold) == ("words", 0.0125, 0.001)
    assert (finding.severity, finding.confidence, finding.location) == ("warn", "certain", "DATA")
    assert finding.evidence == {"cause": "empty_rows"}


def test_a_row_or_two_of_padding_only_are_mentioned():
    assert [one.severity for one in detect_empty(WORDS, lstm(), ids=(replace(IDS, zero_rows=0.001),))] == ["info"]


def test_rows_of_a_sample_are_less_than_certain():
    assert [one.confidence for one in detect_empty(WORDS, lstm(), complete=False)] == ["strong"]


@pytest.mark.parametrize("share", [0.0, None])
def test_rows_with_some_id_are_silent(share):
    assert detect_empty(WORDS, lstm(), ids=(replace(IDS, zero_rows=share),)) == []


@pytest.mark.parametrize(
    "layers",
    [
        (replace(WORDS, config={"mask_zero": False}), lstm()),
        (layer("before", "MyLayer", "other", output_shape=(20,)), WORDS, lstm()),
        (WORDS, layer("pool", "GlobalMaxPooling1D", "pooling", output_shape=(8,))),
        (layer("masking", "Masking", "reshape", output_shape=(20, 1)), lstm()),
    ],
    ids=["no mask", "other ids", "no reader", "no embedding"],
)
def test_rows_of_zeros_that_no_mask_covers_are_silent(layers):
    assert detect_empty(*layers) == []


def test_mask_that_is_lost_leaves_the_rows_as_they_are():
    (finding,) = detect_empty(WORDS, OWN, lstm(receives_mask=False))
    assert finding.layer == "own"


def test_embedding_is_held_against_the_input_that_it_reads():
    other = replace(IDS, name="other", zero_rows=0.0)
    reading = replace(WORDS, inputs=("input:ids",))
    assert len(detect_empty(reading, lstm(), ids=(IDS, other))) == 1
    assert detect_empty(replace(WORDS, inputs=("input:other",)), lstm(), ids=(IDS, other)) == []
