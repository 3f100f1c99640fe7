from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepdebug.detectors.input_blind import InputBlind
from deepdebug.errors import NotJudged
from tests.detectors.deep import change_observations, unskilled
from tests.factory import change_output, healthy_run


def blind(use=0.0, only=None, epochs=5):
    return change_observations(unskilled(healthy_run(epochs)), only, permuted_loss=1.09 / (1 - use))


def test_blind_classifier_is_an_error():
    (finding,) = InputBlind().detect(blind(0.01))
    assert (finding.severity, finding.layer) == ("error", None)
    assert finding.value == pytest.approx(0.01)


def test_input_use_at_the_threshold_is_silent():
    assert list(InputBlind().detect(blind(0.021))) == []


def test_some_skill_makes_it_a_warning():
    (finding,) = InputBlind().detect(change_output(blind(), loss=1.04))
    assert finding.severity == "warn"


def test_unknown_skill_makes_it_a_warning():
    (finding,) = InputBlind().detect(change_output(blind(), constant_loss=None))
    assert finding.severity == "warn"


def test_skilled_model_is_silent():
    assert list(InputBlind().detect(change_output(blind(), loss=0.9))) == []


def test_one_good_check_of_three_is_silent():
    run = change_observations(blind(), only=(3,), permuted_loss=3.0)
    assert list(InputBlind().detect(run)) == []


def test_use_that_grows_is_silent():
    run = blind()
    for epoch in range(5):
        run = change_observations(run, (epoch,), permuted_loss=1.09 / (1 - 0.003 * epoch))
    assert list(InputBlind().detect(run)) == []


def test_first_updates_make_it_a_warning():
    run = blind()
    seen = [replace(one, step=(one.epoch + 1) * 39) for one in run.observations]
    (finding,) = InputBlind().detect(replace(run, observations=seen))
    assert finding.severity == "warn"


def test_penalty_is_left_out():
    run = change_observations(blind(), loss=11.0, permuted_loss=12.0, penalty=10.0)
    assert list(InputBlind().detect(run)) == []


def test_warm_up_of_the_learning_rate_is_silent():
    run = blind()
    seen = [replace(one, learning_rate=1e-6 * 2**index) for index, one in enumerate(run.observations)]
    assert list(InputBlind().detect(replace(run, observations=seen))) == []


@pytest.mark.parametrize("counts", [(), (0, 512)])
def test_regressions_and_constant_labels_are_not_judged(counts):
    with pytest.raises(NotJudged, match="classes"):
        list(InputBlind().detect(change_output(blind(), class_counts=counts)))


def test_unmeasured_permuted_loss_is_not_judged():
    with pytest.raises(NotJudged, match="moved labels"):
        list(InputBlind().detect(change_observations(blind(), permuted_loss=None)))


def test_too_short_a_run_is_not_judged():
    with pytest.raises(NotJudged, match="3 probed checks"):
        list(InputBlind().detect(blind(epochs=2)))


def test_healthy_run_is_silent():
    assert list(InputBlind().detect(healthy_run())) == []


@given(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))
def test_less_use_never_removes_the_finding(one, other):
    less, more = sorted((one, other))
    found = [list(InputBlind().detect(blind(use))) for use in (more, less)]
    assert len(found[0]) <= len(found[1])
