"""Judging a run check by check: the core that the callback and `deepdebug diagnose` share.

The callback asks the detectors after every observation and adds the verdict to a `FindingLog`; `replay` does the same
with a recorded run, so both give the same findings.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import get_args

from deepdebug.detectors.registry import Arrange, Detector, Verdict, judge
from deepdebug.facts import DataFacts, Facts
from deepdebug.observation import Run
from deepdebug.records import SEVERITIES, Confidence, Diagnosis, Finding, Severity, Skipped
from deepdebug.report.report import Report

CONFIDENCES: tuple[Confidence, ...] = get_args(Confidence)
RECENT_CHECKS = 3  # our first setting, not yet calibrated
Key = tuple[str, str | None, str | None]  # code, layer and subject
LaterData = Sequence[tuple[int, DataFacts]]
logger = logging.getLogger("deepdebug")


class FindingLog:
    """The verdicts of successive checks, merged.

    Two findings are the same when code, layer and subject agree. The epoch and step of the first sighting are kept; the
    rest follows the most severe sighting, and among equally severe ones the most confident. A symptom that went away by
    itself, such as a validation loss that rose for some epochs and then fell below its old minimum, ends as "info".

    Args:
        first_hit_wins: Keep only the first finding of all and judge nothing after it, as the published DeepDiagnosis
            program does. Defaults to `False`.
    """

    def __init__(self, first_hit_wins: bool = False) -> None:
        self._first_hit_wins = first_hit_wins
        self._findings: dict[Key, Finding] = {}
        self._sightings: dict[Key, Finding] = {}
        self._recent: dict[Key, deque[Severity]] = {}
        self._judged: set[str] = set()
        self._not_judged: dict[str, Skipped] = {}

    def add(self, verdict: Verdict, *, again: bool = False) -> tuple[Finding, ...]:
        """Merge one more verdict.

        Args:
            verdict: The verdict.
            again: Whether it is about a moment that was judged before, as at the end of the training. Defaults to
                `False`.

        Returns:
            The findings that are new or have become more severe or surer.
        """
        if self.closed:
            return ()
        self._judged |= verdict.judged
        self._not_judged.update({skipped.check: skipped for skipped in verdict.skipped})
        self._remember(verdict, again)
        changed = {}
        for finding in self._heard(verdict):
            if self._is_news(finding):
                key = _key(finding)
                known = self._findings.get(key, finding)
                changed[key] = self._findings[key] = replace(finding, epoch=known.epoch, step=known.step)
        return tuple(changed.values())

    def _remember(self, verdict: Verdict, again: bool) -> None:
        now = {_key(finding): finding for finding in verdict.findings}
        self._sightings |= now
        for key in {*self._recent, *now}:
            if key[0] in verdict.judged:
                seen = now.get(key)
                recent = self._recent.setdefault(key, deque(maxlen=RECENT_CHECKS))
                if again and recent:
                    recent.pop()
                recent.append("info" if seen is None else seen.severity)

    def settle(self) -> None:
        """Lower the findings that have passed or weakened to what they are now; called when the training has ended.

        What counts is the worst severity in the newest `RECENT_CHECKS` checks of its detector, "info" where it did not
        find the symptom. Fatal findings stay.
        """
        for key, finding in self._findings.items():
            recent = self._recent.get(key, deque())
            is_lasting = finding.severity == "fatal" or self._first_hit_wins
            if is_lasting or len(recent) < RECENT_CHECKS:
                continue
            worst = max(recent, key=SEVERITIES.index)
            if SEVERITIES.index(worst) < SEVERITIES.index(finding.severity):
                self._findings[key] = _weakened(finding, worst, self._sightings[key].epoch)

    def has_news(self, verdict: Verdict) -> bool:
        """Tell whether `add` would return anything; nothing is merged."""
        return any(self._is_news(finding) for finding in self._heard(verdict))

    def _heard(self, verdict: Verdict) -> tuple[Finding, ...]:
        if self.closed:
            return ()
        return verdict.findings[:1] if self._first_hit_wins else verdict.findings

    def _is_news(self, finding: Finding) -> bool:
        known = self._findings.get(_key(finding))
        return known is None or _rank(finding) > _rank(known)

    @property
    def closed(self) -> bool:
        """Whether no further verdict can change anything."""
        return self._first_hit_wins and bool(self._findings)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The merged findings, the most severe first, then in the order of first sighting."""
        return tuple(sorted(self._findings.values(), key=lambda finding: -SEVERITIES.index(finding.severity)))

    @property
    def judged(self) -> tuple[str, ...]:
        """Codes of the detectors that could judge at least once, in order."""
        return tuple(sorted(self._judged))

    @property
    def skipped(self) -> tuple[Skipped, ...]:
        """The detectors that could never judge, each with its last reason, in the order of their codes."""
        return tuple(self._not_judged[code] for code in sorted(self._not_judged) if code not in self._judged)


def _key(finding: Finding) -> Key:
    return finding.code, finding.layer, finding.subject


def _weakened(finding: Finding, severity: Severity, last_epoch: int) -> Finding:
    evidence = {**finding.evidence, "last_seen_epoch": last_epoch}
    message = f"{finding.message}; last seen at epoch {last_epoch}, it has passed since"
    return replace(
        finding, severity=severity, message=message if severity == "info" else finding.message, evidence=evidence
    )


def _rank(finding: Finding) -> tuple[int, int]:
    return SEVERITIES.index(finding.severity), CONFIDENCES.index(finding.confidence)


def replay(
    run: Run,
    detectors: Sequence[Detector],
    *,
    facts: Facts | None = None,
    later_data: LaterData = (),
    first_hit_wins: bool = False,
    arrange: Arrange | None = None,
    after: Callable[[Run, FindingLog], object] | None = None,
) -> FindingLog:
    """Judge a recorded run as it was judged live: once after every observation, and once more when it has finished.

    Args:
        run: The whole run.
        detectors: The detectors to ask.
        facts: What was known at the first check. Defaults to `None`: all that is known of the run.
        later_data: Facts about the data that came after the first check, in order of arrival: how many observations
            had been made by then, and the facts. Defaults to `()`.
        first_hit_wins: See `FindingLog`. Defaults to `False`.
        arrange: See `judge`. Defaults to `None`.
        after: Is told of the run and the verdicts so far after every check. Defaults to `None`.

    Returns:
        The merged verdicts.
    """
    log = FindingLog(first_hit_wins)
    for known in _checks(run, facts or run.facts, dict(later_data)):
        if log.closed:
            break
        log.add(judge(known, detectors, arrange), again=known.finished)
        if after is not None:
            after(known, log)
    if run.finished:
        log.settle()
    return log


def _checks(whole: Run, facts: Facts, arrivals: Mapping[int, DataFacts]) -> Iterator[Run]:
    """Yield the run as it was known at every check."""
    count = len(whole.observations)
    for number in range(count):
        facts = _with_data(facts, arrivals.get(number))
        yield replace(whole.until(number + 1), facts=facts)
    if whole.finished and count:
        yield replace(whole, facts=_with_data(facts, arrivals.get(count)))


def _with_data(facts: Facts, data: DataFacts | None) -> Facts:
    return facts if data is None else replace(facts, data=data)


def conclude(
    run: Run,
    log: FindingLog,
    detectors: Sequence[Detector],
    diagnose: Callable[[Run, tuple[Finding, ...]], tuple[Diagnosis, ...]],
    *,
    preset: str = "default",
    skipped: Sequence[Skipped] = (),
    seconds: float | None = None,
) -> Report:
    """Turn the merged verdicts into a report; a diagnosis that fails is left out with its reason.

    Args:
        run: The whole run.
        log: The merged verdicts about it.
        detectors: The detectors that were asked.
        diagnose: Groups findings by cause.
        preset: Name of the preset in use. Defaults to `"default"`.
        skipped: Other parts that were left out, such as the probe. Defaults to `()`.
        seconds: Seconds that deepdebug spent. Defaults to `None`: not known.

    Returns:
        The report.
    """
    left_out = [*log.skipped, *skipped]
    diagnoses: tuple[Diagnosis, ...] = ()
    try:
        diagnoses = diagnose(run, log.findings)
    except Exception as error:  # findings without causes are worth more than no report
        logger.debug("the diagnosis failed", exc_info=True)
        left_out.append(Skipped("diagnosis", f"grouping by cause failed: {type(error).__name__}: {error}"))
    return Report(
        run=replace(run, observations=tuple(run.observations), passed=tuple(run.passed)),
        findings=log.findings,
        diagnoses=diagnoses,
        skipped=tuple(left_out),
        judged=log.judged,
        symptoms={detector.code: detector.symptom for detector in detectors},
        seconds=seconds,
        preset=preset,
    )
