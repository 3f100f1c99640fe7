import pytest

from deepdebug.detectors.dead_units import DeadUnits
from deepdebug.errors import NotJudged
from tests.factory import change_layer, healthy_run


def test_dead_layer_is_reported_with_its_share():
    run = change_layer(healthy_run(), "hidden", dead_fraction=0.75)
    (finding,) = DeadUnits().detect(run)
    assert (finding.layer, finding.value, finding.severity) == ("hidden", 0.75, "warn")


def test_share_below_the_threshold_is_silent():
    run = change_layer(healthy_run(), "hidden", dead_fraction=0.39)
    assert list(DeadUnits().detect(run)) == []


def test_one_bad_check_is_not_enough():
    run = change_layer(healthy_run(5), "hidden", only=(4,), dead_fraction=1.0)
    assert list(DeadUnits().detect(run)) == []


def test_wholly_dead_layer_is_fatal():
    run = change_layer(healthy_run(), "hidden", dead_fraction=1.0)
    (finding,) = DeadUnits().detect(run)
    assert finding.severity == "fatal"


def test_too_short_a_run_is_not_judged():
    with pytest.raises(NotJudged, match="2 probed checks"):
        list(DeadUnits().detect(healthy_run(1)))
