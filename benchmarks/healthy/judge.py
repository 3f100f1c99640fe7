"""Trains one healthy model under `Diagnose` and tells what was found."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import Any

import keras

from benchmarks.healthy import images, regimes, sequences, tabular  # noqa: F401  (each registers its families)
from benchmarks.healthy.family import FAMILIES, Training
from deepdebug import Diagnose, Finding
from deepdebug.detectors import judge as judge_run
from deepdebug.observation import Run
from deepdebug.presets import find_preset

ALARMS = ("error", "fatal")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one training.

    Args:
        family: Name of the family.
        seed: Seed.
        score: Score on the rows held back.
        usual: Score that the family usually reaches.
        findings: What deepdebug found.
        passing: Codes of the alarms given at some check, whether they lasted or not.
        skipped: Parts of deepdebug that were left out, other than single checks, with the reason.
        seconds: Seconds for building, training and scoring.
        own_seconds: Seconds of these spent in deepdebug.
    """

    family: str
    seed: int
    score: float
    usual: float
    findings: tuple[Finding, ...]
    passing: tuple[str, ...]
    skipped: tuple[str, ...]
    seconds: float
    own_seconds: float

    @property
    def alarms(self) -> tuple[Finding, ...]:
        """The findings that call a healthy model broken."""
        return tuple(finding for finding in self.findings if finding.severity in ALARMS)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings of severity "warn"."""
        return tuple(finding for finding in self.findings if finding.severity == "warn")


def judge(name: str, seed: int) -> Outcome:
    """Build and train the family of that name with the seed."""
    started = time.perf_counter()
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    family = FAMILIES[name]
    training = family.build(seed)
    doctor = watch(training)
    x, labels = training.test
    score = family.score(_numpy(training.model(x, training=False)), labels)
    report = doctor.report
    checks = {one.check for one in report.checks_not_run}
    failed = [one for one in report.skipped if one.check not in checks or "failed" in one.reason]
    return Outcome(
        family=name,
        seed=seed,
        score=score,
        usual=family.usual,
        findings=report.findings,
        passing=_alarms_on_the_way(report.run),
        skipped=tuple(f"{one.check}: {one.reason}" for one in failed),
        seconds=time.perf_counter() - started,
        own_seconds=report.seconds or 0.0,
    )


def _alarms_on_the_way(run: Run) -> tuple[str, ...]:
    """Return the codes of the alarms of every check, which a user of `action="raise"` would have met."""
    detectors = find_preset("default").detectors(None, ())
    checks = [run.until(count) for count in range(1, len(run.observations))]
    found = [finding for check in [*checks, run] for finding in judge_run(check, detectors).findings]
    return tuple(sorted({finding.code for finding in found if finding.severity in ALARMS}))


def _numpy(predictions: Any) -> Any:
    return keras.tree.map_structure(keras.ops.convert_to_numpy, predictions)


def watch(training: Training, *, may_fail: bool = False, **options: Any) -> Diagnose:
    """Train under a `Diagnose`, silently, and return it.

    Args:
        training: The training.
        may_fail: Whether `fit` may raise, as it does on some backends for labels or word numbers out of range. Defaults
            to `False`.
        **options: Arguments of `Diagnose`.
    """
    doctor = Diagnose(verbose=0, **options)
    fit = dict(training.fit)
    callbacks = [*fit.pop("callbacks", []), doctor]
    with contextlib.suppress(Exception) if may_fail else contextlib.nullcontext():
        training.model.fit(training.x, training.y, callbacks=callbacks, verbose=0, **fit)
    return doctor
