from dataclasses import replace

import pytest

from deepdebug.deepdiagnosis import diagnose, in_loop_order
from deepdebug.observation import Run
from deepdebug.records import Diagnosis
from tests.diagnosis.cases import data, facts_with, finding, history
from tests.factory import classifier_facts

CE = "categorical_crossentropy"
HEALTHY = history(classifier_facts(data=data({"minimum": -1.0, "maximum": 1.0})))
WIDE = history(classifier_facts(data=data({"minimum": 0.0, "maximum": 1.1})))
FLAT_START = history(classifier_facts(data=data({"minimum": 0.0, "maximum": 1.0})), std=1e-3)
FAST = replace(HEALTHY, observations=[replace(one, learning_rate=10.0) for one in HEALTHY.observations])
SYMPTOMS = {
    "DNS": ("DD101", "FW"), "SAS": ("DD102", "FW"), "NS-FW": ("DD103", "FW"), "NS-W": ("DD201", "W"),
    "UCS-FW": ("DD107", "FW"), "UCS-W": ("DD203", "W"), "UCS-DW": ("DD204", "DW"), "VGS": ("DD205", "DW"),
    "LNDS": ("DD303", "M"), "ANIS": ("DD304", "M"), "ILS": ("DD301", "M"), "IAS": ("DD302", "M"),
}  # fmt: skip


def message(run: Run, code: str, abbreviation: str, location: str, layer: str | None = "hidden") -> Diagnosis:
    (diagnosis,) = diagnose(run, [finding(code, layer=layer, abbreviation=abbreviation, location=location)])
    return diagnosis


def action(run: Run, symptom: str) -> str:
    code, location = SYMPTOMS[symptom]
    return message(run, code, symptom.split("-", maxsplit=1)[0], location).action


@pytest.mark.parametrize("symptom", ["DNS", "SAS", "NS-FW", "NS-W", "LNDS", "ANIS"])
def test_data_outside_minus_one_to_one_is_improper(symptom):
    assert action(WIDE, symptom) == "MSG0"


@pytest.mark.parametrize("symptom", ["DNS", "SAS", "NS-FW", "NS-W", "LNDS", "ANIS", "UCS-FW", "UCS-W", "UCS-DW"])
def test_variance_outside_its_bounds_blames_the_initialisation(symptom):
    assert action(FLAT_START, symptom) == "MSG4"


@pytest.mark.parametrize("symptom", SYMPTOMS)
def test_large_step_blames_the_learning_rate(symptom):
    assert action(FAST, symptom) == "MSG3"


@pytest.mark.parametrize(
    ("symptom", "default"),
    [
        ("DNS", "MSG2"), ("SAS", "MSG2"), ("NS-FW", "MSG2"), ("NS-W", "MSG2"), ("UCS-FW", "TRAIN"), ("UCS-W", "TRAIN"),
        ("VGS", "MSG5"), ("LNDS", "TRAIN"), ("ANIS", "TRAIN"), ("ILS", "TRAIN"), ("IAS", "TRAIN"),
    ],
)  # fmt: skip
def test_sound_run_gets_the_default_message(symptom, default):
    assert action(HEALTHY, symptom) == default


def test_numerical_error_in_the_gradient_blames_loss_or_activation_by_place():
    assert message(HEALTHY, "DD202", "NS", "DW", "head").action == "MSG1"
    assert message(HEALTHY, "DD202", "NS", "DW", "hidden").fault == "Change the activation function of layer 'head'"


@pytest.mark.parametrize("symptom", ["ILS", "IAS"])
def test_invalid_metrics_behind_a_linear_layer_blame_its_activation(symptom):
    assert action(history(facts_with("linear", "mean_squared_error", units=1)), symptom) == "MSG2"


@pytest.mark.parametrize(("loss", "word"), [(CE, "softmax"), ("mean_squared_error", "range of the labels")])
def test_output_out_of_range_names_softmax_for_a_cross_entropy_only(loss, word):
    diagnosis = message(history(facts_with("relu", loss)), "DD104", "ORS", "FW", "head")
    assert (diagnosis.action, diagnosis.fault.endswith(word)) == ("MSG2", True)


def test_tests_are_taken_in_the_published_order_until_one_holds():
    path = message(WIDE, "DD303", "LNDS", "M", None).path
    assert [line.split("?")[0] for line in path] == [
        "SatisfiedCondition", "WeightInitialization", "ImproperData", "MSG0: Normalise the data",
    ]  # fmt: skip


def test_loops_run_forward_then_metrics_then_backward():
    places = [
        ("DD203", "head"), ("DD201", "hidden"), ("DD205", "head"), ("DD202", "head"), ("DD304", None), ("DD301", None),
        ("DD107", "hidden"), ("DD103", "head"), ("DD102", "hidden"), ("DD101", "hidden"),
    ]  # fmt: skip
    mixed = [finding(code, layer=layer) for code, layer in places]
    ordered = in_loop_order(HEALTHY, [*mixed, finding("DD203", layer="head", epoch=3)])
    assert [(one.epoch, one.code) for one in ordered] == [
        (3, "DD203"), (4, "DD101"), (4, "DD102"), (4, "DD103"), (4, "DD107"), (4, "DD301"), (4, "DD304"),
        (4, "DD202"), (4, "DD205"), (4, "DD201"), (4, "DD203"),
    ]  # fmt: skip


def test_only_the_first_symptom_gets_a_message():
    (diagnosis,) = diagnose(
        HEALTHY, [finding("DD101", layer="hidden", abbreviation="DNS"), finding("DD303", abbreviation="LNDS")]
    )
    assert [one.code for one in diagnosis.findings] == ["DD101"]


def test_no_symptom_gets_no_message():
    assert diagnose(HEALTHY, []) == ()
