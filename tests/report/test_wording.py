import math
from dataclasses import replace

import pytest

from deepdebug.observation import Run
from deepdebug.report import wording
from tests.factory import classifier_facts, healthy_run
from tests.golden.cases import HOSTILE, data_scale, dead_units, invalid_loss, with_findings


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"), ("word", "word"), (math.nan, "NaN"), (math.inf, "inf"), (-math.inf, "-inf"), (0.0, "0"),
        (0.000123456, "0.000123"), (1.5e-9, "1.5e-09"), (12.345, "12.3"), (2345.6, "2346"), (1234567.0, "1234567"),
        (1.5e12, "1.5e+12"), (-3, "-3"),
    ],
)  # fmt: skip
def test_numbers_have_three_significant_digits(value, text):
    assert wording.number(value) == text


def test_place_names_layer_and_location():
    assert wording.place(replace(dead_units(), layer="hidden")) == "layer 'hidden', output"
    assert wording.place(data_scale()) == "data"


def test_moment_before_the_first_update_is_said_in_words():
    assert wording.moment(data_scale()) == "before training"
    assert wording.moment(invalid_loss()) == "epoch 3, update 400"


def test_line_holds_code_place_time_message_and_numbers():
    line = wording.line(replace(dead_units(), layer="hidden"))
    assert line == (
        "DD101 dead-units, error, layer 'hidden', output, epoch 1, update 200: 93.8 % of the units output zero for all "
        "512 probe rows (measured 0.938, threshold 0.4)"
    )


def test_line_of_a_hostile_layer_name_stays_one_printable_line():
    assert "\n" not in wording.line(dead_units())
    assert "\x1b" not in wording.line(dead_units())


def test_control_characters_are_replaced_and_line_ends_kept():
    assert wording.printable("a\x1b[31m\r\n\tb\x00") == "a\ufffd[31m\ufffd\n\tb\ufffd"


def test_finding_without_a_number_has_no_measurement():
    assert wording.measured(replace(dead_units(), value=None)) == ""


def test_cause_of_an_explained_finding_is_found():
    cause = wording.cause_of(dead_units(), with_findings())
    assert cause is not None
    assert cause.fault == "learning rate too high"
    assert wording.cause_of(data_scale(), with_findings()) is None


def test_status_of_an_unfinished_run_says_so():
    report = replace(with_findings(), run=healthy_run(5))
    assert wording.status(report) == "5 of 10 epochs, numbered from 0, 500 updates; the run did not reach its end"


def test_status_without_observations_counts_nothing():
    report = replace(with_findings(), run=Run(classifier_facts(), (), finished=True))
    assert wording.status(report) == "0 of 10 epochs, numbered from 0, 0 updates"


def test_check_without_a_known_name_is_named_by_its_code():
    assert wording.check_name("DD204", with_findings()) == "DD204 zero-gradient"
    assert wording.check_name("DD999", with_findings()) == "DD999"


def test_unknown_action_is_written_as_it_is():
    assert wording.action("MSG3") == "change the learning rate (MSG3)"
    assert wording.action("NEW") == "NEW"


def test_hostile_name_is_hostile_enough_to_test_with():
    assert {"<", "\n", "\x1b", "%", "[", "$"} <= set(HOSTILE)
