from dataclasses import replace

import pytest

from deepdebug.detectors.dominant_penalty import DominantPenalty
from deepdebug.errors import NotJudged
from tests.detectors.loss_runs import loss_run
from tests.factory import healthy_run

LOSSES = [2.0] * 5


def findings(run):
    return list(DominantPenalty().detect(run))


def penalised(penalty, skill=0.2, only=range(5)):
    run = loss_run(LOSSES, skill=skill)
    seen = [replace(one, penalty=penalty) if one.epoch in only else one for one in run.observations]
    return replace(run, observations=seen)


def test_penalty_above_half_of_the_loss_is_a_warning():
    (finding,) = findings(penalised(1.2))
    assert (finding.severity, finding.value) == ("warn", 0.6)
    assert "60% of the loss (1.2 of 2)" in finding.message


def test_penalty_of_half_the_loss_is_silent():
    assert findings(penalised(1.0)) == []


def test_two_checks_are_not_enough():
    assert findings(penalised(1.2, only=(3, 4))) == []


def test_model_that_has_learned_half_is_given_advice():
    assert [finding.severity for finding in findings(penalised(1.2, skill=0.6))] == ["info"]


def test_model_that_has_learned_its_task_is_silent():
    assert findings(penalised(1.9, skill=0.91)) == []


def test_loss_that_is_not_above_zero_is_silent():
    run = penalised(1.2)
    assert findings(replace(run, observations=[replace(seen, loss=-1.0) for seen in run.observations])) == []


def test_healthy_run_is_silent():
    assert findings(healthy_run(5)) == []


@pytest.mark.parametrize("changes", [{"penalty": None}, {"loss": None}])
def test_unknown_penalty_is_not_judged(changes):
    run = healthy_run(5)
    with pytest.raises(NotJudged, match="penalty"):
        findings(replace(run, observations=[replace(seen, **changes) for seen in run.observations]))


def test_unknown_skill_is_not_judged():
    with pytest.raises(NotJudged, match="best constant"):
        findings(penalised(1.2, skill=None))
