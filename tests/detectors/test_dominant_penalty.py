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


def driven_to_zero(penalty, skill=0.0, start=18.0):
    run = penalised(penalty, skill=skill)
    begin = replace(run.observations[0], loss=20.0, penalty=start)
    return replace(run, observations=[begin, *run.observations[1:]])


def test_penalty_that_has_driven_the_weights_to_zero_is_an_error():
    (finding,) = findings(driven_to_zero(0.1))
    assert (finding.severity, finding.value) == ("error", 0.9)
    assert "90% of the loss before training (18 of 20)" in finding.message


@pytest.mark.parametrize("changes", [{"penalty": 0.19}, {"skill": 0.1}, {"start": 9.0}])
def test_weights_that_keep_their_size_or_their_skill_are_silent(changes):
    assert findings(driven_to_zero(**{"penalty": 0.1, **changes})) == []


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
