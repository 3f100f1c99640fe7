import pytest

from deepdebug.detectors.label_encoding import LabelEncoding
from deepdebug.errors import NotJudged
from deepdebug.facts import LabelFacts
from tests.detectors.static_runs import class_numbers, numbers, one_hot, one_output

SPARSE, BINARY = "sparse_categorical_crossentropy", "binary_crossentropy"


def detect(*arguments):
    return list(LabelEncoding().detect(one_output(*arguments)))


def test_class_beyond_the_units_is_reported_with_both_numbers():
    (finding,) = detect("softmax", SPARSE, class_numbers(4), (3,))
    assert finding.message == "Output 'head' has labels from 0 to 3, where its 3 units take classes 0 to 2"
    assert (finding.value, finding.location, finding.severity) == (3.0, "DATA", "error")


def test_largest_class_that_fits_is_silent():
    assert detect("softmax", SPARSE, class_numbers(3), (3,)) == []


def test_binary_labels_within_rounding_of_one_are_silent():
    assert detect("sigmoid", BINARY, numbers(-5e-7, 1 + 5e-7), (1,)) == []


def test_binary_labels_just_outside_are_reported():
    assert len(detect("sigmoid", BINARY, numbers(0, 1.01), (1,))) == 1


@pytest.mark.parametrize(("minimum", "maximum"), [(-1.0, 2.0), (0.0, 255.0)])
def test_label_that_may_be_ignored_in_segmentation_is_a_warning(minimum, maximum):
    labels = class_numbers(3, (32, 32), minimum=minimum, maximum=maximum, distinct=4, class_counts=())
    (finding,) = detect("softmax", SPARSE, labels, (32, 32, 3))
    assert finding.severity == "warn"
    assert "ignore_class" in finding.message


def test_several_classes_beyond_the_units_are_an_error_in_segmentation_too():
    labels = class_numbers(8, (32, 32), minimum=0.0, maximum=7.0, distinct=8, class_counts=())
    (finding,) = detect("softmax", SPARSE, labels, (32, 32, 3))
    assert finding.severity == "error"


@pytest.mark.parametrize("dtype", ["<U5", "object"])
def test_text_labels_are_reported(dtype):
    labels = class_numbers(minimum=None, maximum=None, integer=False, dtype=dtype)
    (finding,) = detect("softmax", SPARSE, labels)
    assert finding.message.startswith(f"Output 'head' has labels of type '{dtype}'")


def test_labels_that_are_all_nan_are_left_to_the_check_of_the_data():
    assert detect("softmax", SPARSE, LabelFacts("output", (), "float32", 10, non_finite=10)) == []


def test_missing_labels_are_not_judged():
    with pytest.raises(NotJudged, match="needs the labels"):
        detect("softmax", SPARSE)


def test_one_hot_rows_for_the_categorical_loss_are_silent():
    assert detect("softmax", "categorical_crossentropy", one_hot()) == []
