import pytest

from deepdebug.detectors.constant_data import ConstantData
from deepdebug.errors import NotJudged
from tests.detectors.static_runs import (
    class_numbers,
    layer,
    numbers,
    one_hot,
    one_output,
    standardised,
    with_data,
    with_layers,
)
from tests.factory import dense, healthy_run


def test_labels_of_one_class_are_an_error():
    labels = class_numbers(3, maximum=0.0, variance=0.0, distinct=1, class_counts=(1000,))
    (finding,) = ConstantData().detect(with_data(labels=(labels,)))
    assert finding.message == "The labels of output 'output' are the same for every row"
    assert finding.severity == "error"


def test_one_hot_rows_that_are_all_equal_are_an_error():
    assert len(list(ConstantData().detect(with_data(labels=(one_hot(variance=0.0),))))) == 1


def constant_labels(rows, complete):
    labels = class_numbers(2, maximum=0.0, variance=0.0, distinct=1, class_counts=(rows,), rows=rows)
    return with_data(labels=(labels,), rows=rows, complete=complete)


@pytest.mark.parametrize("rows", [4, 99])
def test_small_batch_in_which_a_rare_class_is_missing_is_not_judged(rows):
    with pytest.raises(NotJudged, match=f"needs 100 rows of data, has seen {rows}"):
        list(ConstantData().detect(constant_labels(rows, complete=False)))


def test_sample_without_a_second_class_is_a_warning():
    (finding,) = ConstantData().detect(constant_labels(100, complete=False))
    assert finding.message == "The labels of output 'output' are the same for all 100 rows that were examined"
    assert (finding.severity, finding.confidence) == ("warn", "strong")


def test_few_rows_that_are_all_there_are_suffice():
    (finding,) = ConstantData().detect(constant_labels(4, complete=True))
    assert (finding.severity, finding.confidence) == ("error", "certain")


def test_rounding_of_the_variance_is_no_variation():
    labels = numbers(0.1, 0.1, variance=2e-34)
    assert len(list(ConstantData().detect(one_output("linear", "mean_squared_error", labels, (1,))))) == 1


def test_small_variation_of_large_targets_is_silent():
    labels = numbers(1.6e9, 1.6e9 + 10, variance=8.3)
    assert list(ConstantData().detect(one_output("linear", "mean_squared_error", labels, (1,)))) == []


def test_placeholder_labels_of_a_custom_loss_are_silent():
    assert list(ConstantData().detect(one_output("linear", "custom", numbers(0, 0), (1,)))) == []


def test_constant_features_are_mentioned():
    (finding,) = ConstantData().detect(with_data(inputs=(standardised(constant_features=2),)))
    assert finding.message == "Input 'input' has 2 of 20 features that are the same in every row"
    assert finding.severity == "info"


def test_input_of_one_value_is_an_error():
    constant = standardised(constant_features=20, minimum=0.0, maximum=0.0)
    (finding,) = ConstantData().detect(with_data(inputs=(constant,)))
    assert finding.severity == "error"


def test_padding_of_a_text_is_silent():
    words = layer("words", "Embedding", "embedding")
    data = with_data(inputs=(standardised(constant_features=8, first_learning_layer="words"),)).facts.data
    assert list(ConstantData().detect(with_layers(words, dense("head", 3, "softmax"), data=data))) == []


def test_single_row_is_silent():
    assert list(ConstantData().detect(with_data(rows=1, inputs=(standardised(constant_features=20),)))) == []


def test_varying_data_are_silent():
    assert list(ConstantData().detect(with_data())) == []


def test_data_that_were_not_examined_are_not_judged():
    with pytest.raises(NotJudged, match="not examined"):
        list(ConstantData().detect(healthy_run()))
