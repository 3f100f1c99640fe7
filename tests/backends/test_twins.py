"""Every symptom on a real model, on whichever backend runs: the sick program is reported, its repaired twin is not."""

import warnings

import pytest

from deepdebug.detectors import all_rules
from tests.backends.programs import report_of
from tests.backends.trainings import BACKEND
from tests.backends.twins import TWINS

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _programs_may_warn():
    """The sick programs are warned about by Keras too, as by one that destroys a mask."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def symptoms(program):
    return {finding.code for finding in report_of(program).findings}


def possible(twin):
    if BACKEND in twin.impossible:
        pytest.skip(twin.impossible[BACKEND])


def test_every_detector_has_a_twin():
    assert [twin.code for twin in TWINS] == [
        rule.code for rule in all_rules() if rule.__module__.startswith("deepdebug.")
    ]


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.code)
def test_sick_program_is_reported(twin):
    possible(twin)
    assert twin.code in symptoms(twin.sick)


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.code)
def test_repaired_program_is_not(twin):
    report = report_of(twin.mended)
    assert twin.code not in symptoms(twin.mended)
    assert not [skipped for skipped in report.skipped if "failed" in skipped.reason]


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.code)
def test_first_diagnosis_of_the_sick_program_acts_on_its_fault(twin):
    possible(twin)
    assert report_of(twin.sick).diagnoses[0].action in twin.actions
