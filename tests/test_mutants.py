"""Programs with one known fault each are found, and the first diagnosis acts on the fault."""

import os

import pytest

pytest.importorskip("keras")

from benchmarks.mutants.judge import MUTANTS
from benchmarks.mutants.run import judge, summary
from benchmarks.workers import run_all

SEEDS = int(os.environ.get("MUTANT_SEEDS", "1"))


@pytest.fixture(scope="module")
def outcomes():
    return run_all(judge, [(name, seed) for name in MUTANTS for seed in range(SEEDS)])


@pytest.mark.slow
def test_no_fault_stays_hidden(outcomes):
    assert summary(outcomes)["missed"] == []


@pytest.mark.slow
def test_every_fault_that_is_found_is_understood(outcomes):
    wrong = [
        (one.mutant, one.seed, one.cause, one.action) for one in outcomes if one.is_found and not one.is_understood
    ]
    assert wrong == []
