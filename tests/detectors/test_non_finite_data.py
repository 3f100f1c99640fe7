import pytest

from deepdebug.detectors.non_finite_data import NonFiniteData
from deepdebug.detectors.registry import judge
from deepdebug.errors import NotJudged
from deepdebug.facts import LossFacts
from deepdebug.judging import FindingLog
from tests.detectors.static_runs import class_numbers, layer, numbers, one_output, standardised, with_data, with_layers
from tests.factory import dense, healthy_run


def test_nan_in_an_input_is_fatal_and_placed():
    run = with_data(inputs=(standardised(non_finite=3, first_non_finite="row 17, column 3"),))
    (finding,) = NonFiniteData().detect(run)
    assert finding.message == ("Input 'input' holds 3 values that are NaN or infinite, the first at row 17, column 3")
    assert (finding.severity, finding.value, finding.location) == ("fatal", 3.0, "DATA")


def test_nan_in_the_labels_is_fatal():
    run = with_data(labels=(class_numbers(non_finite=1, first_non_finite="row 5"),))
    (finding,) = NonFiniteData().detect(run)
    assert finding.message == "The labels 'output' hold 1 value that is NaN or infinite, the first at row 5"
    assert finding.severity == "fatal"


def test_nan_labels_of_a_custom_loss_are_a_warning():
    run = one_output("linear", "custom", numbers(non_finite=4, first_non_finite="row 0"), (1,))
    assert run.facts.outputs[0].loss == LossFacts("custom", "custom")
    assert [finding.severity for finding in NonFiniteData().detect(run)] == ["warn"]


def test_nan_in_the_validation_labels_is_an_error():
    run = with_data(validation_labels=(numbers(non_finite=4, first_non_finite="row 0"),))
    assert [finding.severity for finding in NonFiniteData().detect(run)] == ["error"]


def test_nan_that_a_layer_of_the_user_receives_is_a_warning():
    impute = layer("impute", "Impute", "other", activation="unknown")
    data = with_data(inputs=(standardised(non_finite=3, first_non_finite="row 17, column 3"),)).facts.data
    run = with_layers(impute, dense("head", 3, "softmax"), data=data)
    assert [finding.severity for finding in NonFiniteData().detect(run)] == ["warn"]


def test_objects_are_fatal():
    run = with_data(inputs=(standardised(numeric=False, dtype="object"),))
    assert [finding.severity for finding in NonFiniteData().detect(run)] == ["fatal"]


def test_text_for_a_preprocessing_layer_is_silent():
    data = with_data(inputs=(standardised(numeric=False, dtype="object"),)).facts.data
    vectors = layer("vectors", "TextVectorization", "preprocessing")
    assert list(NonFiniteData().detect(with_layers(vectors, dense("head", 3, "softmax"), data=data))) == []


def test_finite_data_are_silent():
    assert list(NonFiniteData().detect(with_data())) == []


def test_data_that_were_not_examined_are_not_judged():
    with pytest.raises(NotJudged, match="not examined"):
        list(NonFiniteData().detect(healthy_run()))


def test_trouble_in_input_and_labels_stays_two_findings_in_the_log():
    run = with_data(inputs=(standardised(non_finite=3),), labels=(class_numbers(non_finite=1),))
    log = FindingLog()
    log.add(judge(run, (NonFiniteData(),)))
    assert [one.subject for one in log.findings] == ["input 'input'", "the labels 'output'"]
