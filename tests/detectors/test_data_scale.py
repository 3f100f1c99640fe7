from dataclasses import replace

import pytest

from deepdebug.detectors.data_scale import DataScale
from deepdebug.errors import NotJudged
from tests.detectors.deep import unskilled, with_alarm
from tests.detectors.static_runs import layer, standardised, with_data
from tests.factory import change_output, classifier_facts, dense, healthy_run

LARGE = standardised(median_absolute=500.0, minimum=-3000.0, maximum=3000.0)
PIXELS = standardised(
    shape=(28, 28, 1), integer=True, minimum=0.0, maximum=255.0, median_absolute=0.0, scale_ratio=1.0, features=1
)
ONE_LARGE = standardised(scale_ratio=1.0, median_absolute=0.0, largest_median=5e4, maximum=9e4)
UNEVEN = standardised(scale_ratio=5e4, maximum=1e5, extreme_features=("3: 5e+04",))


def detect(one, *layers, **data):
    head = dense("head", 3, "softmax", (layers[-1].name,)) if layers else None
    facts = classifier_facts(layers=(*layers, head)) if head else None
    return list(DataScale().detect(with_data(facts, inputs=(one,), **data)))


def test_large_values_are_reported_with_their_median():
    (finding,) = detect(LARGE)
    assert finding.message == (
        "Input 'input' has a median absolute value of 500, which layer 'hidden' receives as it is"
    )
    assert (finding.severity, finding.value, finding.threshold) == ("warn", 500.0, 10.0)


def test_features_of_different_size_are_reported():
    (finding,) = detect(UNEVEN)
    assert finding.value == 5e4
    assert finding.evidence["largest_ranges"] == "3: 5e+04"


def test_one_large_feature_beside_small_ones_is_reported():
    (finding,) = detect(ONE_LARGE)
    assert "A feature of input 'input' has a median absolute value of 5e+04" in finding.message
    assert (finding.value, finding.threshold) == (5e4, 100.0)


def test_feature_the_size_of_an_age_is_silent():
    assert detect(replace(ONE_LARGE, largest_median=100.0)) == []


def test_largest_feature_of_an_older_recording_is_not_known():
    assert detect(replace(ONE_LARGE, largest_median=None)) == []


def test_bright_pixel_beside_black_ones_counts_as_a_pixel():
    (finding,) = detect(replace(PIXELS, shape=(784,), features=784, largest_median=250.0))
    assert "pixels from 0 to 255" in finding.message


def test_quartiles_of_a_small_first_batch_are_not_compared():
    assert detect(UNEVEN, rows=19, complete=False) == []
    assert len(detect(UNEVEN, rows=20, complete=False)) == 1


def test_raw_pixels_are_reported_though_most_are_black():
    (finding,) = detect(PIXELS)
    assert "pixels from 0 to 255" in finding.message


def test_large_values_are_an_error_once_the_model_collapses():
    run = with_data(healthy_run().facts, inputs=(LARGE,))
    learning, collapsed = (
        healthy_run(facts=run.facts),
        change_output(unskilled(healthy_run(facts=run.facts)), row_spread=0.0),
    )
    assert [one.severity for one in DataScale().detect(learning)] == ["warn"]
    assert [one.severity for one in DataScale().detect(collapsed)] == ["error"]
    assert [one.severity for one in DataScale().detect(with_alarm(learning))] == ["error"]


def test_median_at_the_threshold_is_silent():
    assert detect(standardised(median_absolute=10.0)) == []


def test_ratio_at_the_threshold_is_silent():
    assert detect(standardised(scale_ratio=1000.0, maximum=1e5)) == []


def test_small_features_beside_normal_ones_are_silent():
    assert detect(standardised(scale_ratio=5e4)) == []


def test_small_whole_numbers_are_silent():
    assert detect(replace(PIXELS, maximum=16.0, median_absolute=4.0)) == []


@pytest.mark.parametrize("one", [LARGE, UNEVEN, PIXELS, ONE_LARGE], ids=["large", "uneven", "pixels", "one"])
class TestLeftOut:
    def test_normalised_inside_the_model(self, one):
        assert detect(replace(one, normalized_by="normalization")) == []

    def test_embedding(self, one):
        assert detect(one, layer("hidden", "Embedding", "embedding", inputs=("input",))) == []

    def test_frozen_layer(self, one):
        assert detect(one, replace(dense("hidden", inputs=("input",)), trainable=False)) == []

    def test_no_layer_that_learns(self, one):
        assert detect(replace(one, first_learning_layer=None)) == []

    def test_layer_of_the_users_own_before(self, one):
        own = layer("own", "Scale", "other", activation="unknown", inputs=("input",))
        assert detect(one, own, dense("hidden", inputs=("own",))) == []

    def test_arithmetic_with_a_number_before(self, one):
        centred = layer("subtract", "Subtract", "merge", inputs=("input",))
        scaled = layer("divide", "Divide", "merge", inputs=("subtract",))
        assert detect(one, centred, scaled, dense("hidden", inputs=("divide",))) == []

    def test_arithmetic_behind_a_cast(self, one):
        cast = layer("cast", "Cast", "reshape", inputs=("input",))
        scaled = layer("divide", "Divide", "merge", inputs=("cast",))
        assert detect(one, cast, scaled, dense("hidden", inputs=("divide",))) == []

    def test_category_encoding_before(self, one):
        encoding = layer("encode", "CategoryEncoding", "preprocessing", inputs=("input",))
        assert detect(one, encoding, dense("hidden", inputs=("encode",))) == []


@pytest.mark.parametrize("kind", ["Add", "Concatenate"])
def test_joining_with_another_input_does_not_scale(kind):
    join = layer("join", kind, "merge", inputs=("input:input", "input:other"))
    assert len(detect(LARGE, join, dense("hidden", inputs=("join",)))) == 1


def test_augmentation_does_not_scale():
    flip = layer("flip", "RandomFlip", "preprocessing", inputs=("input",))
    assert len(detect(PIXELS, flip, dense("hidden", inputs=("flip",)))) == 1


def test_common_scale_is_taken_out_by_a_normalisation_behind():
    linear = dense("hidden", activation="linear", inputs=("input",))
    norm = layer("norm", "BatchNormalization", "normalization", inputs=("hidden",))
    assert detect(LARGE, linear, norm) == []
    assert len(detect(UNEVEN, linear, norm)) == 1
    assert len(detect(ONE_LARGE, linear, norm)) == 1


def test_text_input_is_silent():
    assert detect(standardised(numeric=False, median_absolute=None)) == []


def test_standardised_data_are_silent():
    assert list(DataScale().detect(with_data())) == []


def test_data_that_were_not_examined_are_not_judged():
    with pytest.raises(NotJudged, match="not examined"):
        list(DataScale().detect(healthy_run()))
