"""Detectors of activations, weights and gradients meet runs with pieces missing: they stay silent and do not crash."""

from dataclasses import replace

import pytest

from deepdebug.detectors.registry import find_rule, judge
from deepdebug.facts import Facts, FitFacts
from deepdebug.observation import LayerObservation, Observation, Run, VariableObservation
from tests.detectors.deep import change_observations, layer, moving
from tests.factory import change_variable, classifier_facts, healthy_run

CODES = (
    "DD101", "DD102", "DD103", "DD105", "DD106", "DD107", "DD201", "DD202", "DD203", "DD204", "DD205", "DD206",
    "DD207", "DD208", "DD209", "DD210", "DD211",
)  # fmt: skip
GRADIENT_CODES = ("DD202", "DD204", "DD205", "DD206", "DD207", "DD208")


def without_gradients(run):
    for facts in run.facts.variables:
        run = change_variable(
            run, facts.path, has_gradient=None, gradient_non_finite=None, gradient_rms=None, gradient_max=None,
            gradient_zero_fraction=None, update_rms=None,
        )  # fmt: skip
    return change_observations(run, gradient_norm=None)


def without_flow(run):
    layers = tuple(replace(layer, inputs=None, family="other", activation="unknown") for layer in run.facts.layers)
    return replace(run, facts=replace(run.facts, layers=layers, outputs=()))


def light(run):
    """Only metrics and weights, as where no data could be found."""
    return change_observations(
        without_gradients(run), rows=0, loss=None, permuted_loss=None, penalty=None, layers=(), outputs=()
    )


def bare(facts):
    seen = [Observation(epoch, (epoch + 1) * 100, rows=64) for epoch in range(-1, 6)]
    return Run(facts, seen)


def strange_names(run):
    seen = LayerObservation("ghost#2", row_spread=0.0)
    variable = VariableObservation("ghost/kernel", moved=0.0, gradient_rms=0.0, has_gradient=True)
    return change_observations(run, layers=(seen,), variables=(variable,))


def with_batch_norm(run):
    norm = layer("norm", "BatchNormalization", "normalization", inputs=("hidden",))
    return replace(run, facts=replace(run.facts, layers=(*run.facts.layers, norm)))


HEALTHY = moving(healthy_run(6))
RUNS = {
    "no gradient": without_gradients(HEALTHY),
    "no optimizer": replace(HEALTHY, facts=replace(HEALTHY.facts, optimizer=None)),
    "no flow": without_flow(HEALTHY),
    "no layers known": replace(HEALTHY, facts=replace(HEALTHY.facts, layers=(), outputs=())),
    "no labels": change_observations(HEALTHY, outputs=(), loss=None, permuted_loss=None),
    "no probe": light(HEALTHY),
    "numbers missing": bare(classifier_facts()),
    "nothing known": bare(Facts("model")),
    "other names": strange_names(HEALTHY),
    "before training": replace(HEALTHY, observations=HEALTHY.observations[:1]),
    "no start": replace(HEALTHY, observations=HEALTHY.observations[1:]),
    "custom train step": replace(HEALTHY, facts=replace(HEALTHY.facts, fit=FitFacts(custom_train_step=True))),
    "batch normalization": with_batch_norm(HEALTHY),
    "finished": replace(HEALTHY, finished=True),
}


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS.keys())
def test_missing_pieces_raise_no_alarm_and_break_no_detector(run, code):
    verdict = judge(run, [find_rule(code)()])
    assert verdict.findings == ()
    assert [skipped.reason for skipped in verdict.skipped if "the detector failed" in skipped.reason] == []


@pytest.mark.parametrize("code", GRADIENT_CODES)
@pytest.mark.parametrize("missing", ["no gradient", "custom train step", "no probe"])
def test_gradient_checks_say_that_they_did_not_judge(missing, code):
    verdict = judge(RUNS[missing], [find_rule(code)()])
    assert verdict.judged == frozenset()


@pytest.mark.parametrize("code", CODES)
def test_reasons_say_what_would_make_the_check_run(code):
    reasons = [one.reason for run in RUNS.values() for one in judge(run, [find_rule(code)()]).skipped]
    assert reasons
    assert all(len(reason) > 20 for reason in reasons)
