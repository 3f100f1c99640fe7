from dataclasses import replace

import pytest

from deepdebug.detectors.embedding_range import EmbeddingRange
from deepdebug.errors import NotJudged
from deepdebug.facts import DataFacts
from tests.detectors.static_runs import layer, standardised, with_layers
from tests.factory import dense, healthy_run

IDS = standardised(shape=(50,), integer=True, minimum=0.0, maximum=999.0, median_absolute=120.0)


def words(rows=1000, **config):
    return layer("words", "Embedding", "embedding", config={"input_dim": rows, "mask_zero": False, **config})


def detect(ids, *layers, complete=True):
    data = DataFacts(1000, complete, ids if isinstance(ids, tuple) else (ids,))
    return list(EmbeddingRange().detect(with_layers(*(layers or (words(),)), dense("head", 3, "softmax"), data=data)))


def test_id_beyond_the_table_is_fatal():
    (finding,) = detect(replace(IDS, maximum=1000.0))
    assert finding.message == "Input 'input' has ids from 0 to 1000, but the table of embedding 'words' has 1000 rows"
    assert (finding.severity, finding.layer, finding.value, finding.threshold) == ("fatal", "words", 1000.0, 1000.0)


def test_largest_id_that_fits_is_silent():
    assert detect(IDS) == []


def test_negative_id_is_fatal():
    assert [finding.severity for finding in detect(replace(IDS, minimum=-1.0))] == ["fatal"]


def test_fractions_are_an_error():
    assert [finding.severity for finding in detect(replace(IDS, integer=False))] == ["error"]


def test_table_of_which_most_is_not_used_is_mentioned():
    (finding,) = detect(replace(IDS, distinct=99))
    assert finding.message == (
        "The table of embedding 'words' has 1000 rows, of which the ids of the training data use 99 (9.9%)"
    )
    assert finding.severity == "info"


def test_table_of_which_a_tenth_is_used_is_silent():
    assert detect(replace(IDS, distinct=100)) == []


def test_largest_id_bounds_the_use_where_ids_were_not_counted():
    (finding,) = detect(replace(IDS, maximum=49.0))
    assert finding.message.endswith("use 50 (5.0%)")


def test_rest_of_the_table_may_come_with_the_rest_of_a_pipeline():
    assert detect(replace(IDS, maximum=49.0, distinct=50), complete=False) == []


def test_padding_without_a_mask_is_mentioned():
    assert [finding.severity for finding in detect(replace(IDS, median_absolute=0.0))] == ["info"]


def test_padding_with_a_mask_is_silent():
    assert detect(replace(IDS, median_absolute=0.0), words(mask_zero=True)) == []


def test_input_of_that_name_is_meant_where_there_are_several():
    other = standardised("numbers", minimum=-4.0)
    words_of_text = replace(words(), inputs=("input:text",))
    (finding,) = detect((other, replace(IDS, name="text", maximum=5000.0)), words_of_text)
    assert finding.message.startswith("Input 'text' has ids")


def test_ids_that_a_layer_changes_are_silent():
    assert detect(replace(IDS, maximum=1e6), layer("hash", "Hashing", "preprocessing"), words()) == []


def test_model_without_embeddings_is_silent():
    assert list(EmbeddingRange().detect(healthy_run())) == []


def test_data_that_were_not_examined_are_not_judged():
    with pytest.raises(NotJudged, match="not examined"):
        list(EmbeddingRange().detect(with_layers(words(), dense("head", 3, "softmax"))))
