"""Healthy models of every kind get no alarm; `HEALTHY_SEEDS=3` trains each of them with three seeds."""

import os

import pytest

pytest.importorskip("keras")

from benchmarks.healthy.judge import FAMILIES
from benchmarks.healthy.run import MAX_WARNINGS, judge, summary
from benchmarks.workers import run_all

SEEDS = int(os.environ.get("HEALTHY_SEEDS", "1"))


@pytest.fixture(scope="module")
def outcomes():
    return run_all(judge, [(name, seed) for name in FAMILIES for seed in range(SEEDS)])


@pytest.mark.slow
def test_no_healthy_model_is_called_broken(outcomes):
    assert [(one.family, one.seed, one.alarms) for one in outcomes if one.alarms] == []
    assert [(one.family, one.seed, one.passing) for one in outcomes if one.passing] == []


@pytest.mark.slow
def test_healthy_models_are_rarely_warned_about(outcomes):
    warned = [(one.family, one.seed, [found.message for found in one.warnings]) for one in outcomes if one.warnings]
    assert summary(outcomes)["warnings_per_run"] <= MAX_WARNINGS, warned


@pytest.mark.slow
def test_healthy_models_are_healthy(outcomes):
    assert [(one.family, one.seed, one.score, one.usual) for one in outcomes if one.score < one.usual] == []


@pytest.mark.slow
def test_no_part_of_deepdebug_fails_on_a_healthy_model(outcomes):
    assert [(one.family, one.skipped) for one in outcomes if one.skipped] == []


def test_the_families_asked_for_are_there():
    assert FAMILIES.keys() >= {
        "mlp", "cnn", "residual_cnn", "lstm", "stacked_gru", "transformer", "autoencoder", "regression_mlp",
        "multi_label", "imbalanced", "transfer", "warmup_cosine", "early_stopped", "converged", "mixed_precision",
    }  # fmt: skip
