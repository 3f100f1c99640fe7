"""From findings to root causes: every finding ends up in exactly one diagnosis, the likeliest cause first."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from deepdebug.diagnosis.case import Case, Cause, Evidence
from deepdebug.diagnosis.causes import CAUSES, OTHER
from deepdebug.diagnosis.evidence import cut_off_layers
from deepdebug.diagnosis.fixes import remedy
from deepdebug.diagnosis.tree import improper_data, satisfied_condition, tune_learn, weight_initialization
from deepdebug.observation import Run
from deepdebug.records import Confidence, Diagnosis, Finding

SEVERITY_SIZE = {"info": 0.2, "warn": 0.6, "error": 1.0, "fatal": 1.2}  # our first setting, not yet calibrated
CONFIDENCE_SIZE = {"weak": 0.7, "strong": 1.0, "certain": 1.2}  # our first setting, not yet calibrated
STOP_ORDER = ("DD401", "DD201", "DD103", "DD301", "DD202")  # the order in which data flow: the first poisoned place
GRAVE = ("error", "fatal")
LAST_TIER = 2
TIER_STEP = 50.0  # larger than any sum of evidence, so that a higher tier always outranks
STOP_STEP = 20.0  # numbers that are not finite come before other symptoms
NAMING = 3.0  # weight from which a finding names its cause
CONNECTION_CODES = ("DD203", "DD204")
LOWER: dict[Confidence, Confidence] = {"certain": "strong", "strong": "weak", "weak": "weak"}


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A cause with the findings it would explain and the evidence about it."""

    cause: Cause
    case: Case
    evidence: tuple[Evidence, ...]
    score: float
    rank: float


def diagnose(run: Run, findings: Sequence[Finding]) -> tuple[Diagnosis, ...]:
    """Group findings by root cause and rank the causes.

    Stop-class faults and static contradictions come first and take the symptoms that they bring about. What is left
    goes to the cause with the most evidence, which takes its symptoms with it, and so on. Evidence are the findings,
    weighted by how commonly the cause brings them about and by their severity, and measurements for and against.

    Args:
        run: The run.
        findings: What the detectors found in it.

    Returns:
        One diagnosis per root cause, the likeliest first.
    """
    tests = (improper_data(run), weight_initialization(run), tune_learn(run))
    case = Case(run, tuple(findings), {answer.test: answer for answer in tests})
    diagnoses: list[Diagnosis] = []
    while case.findings:
        best = _best_candidate(case)
        diagnoses.append(_conclude(best))
        taken = {id(finding) for finding in best.case.findings}
        case = replace(case, findings=tuple(one for one in case.findings if id(one) not in taken))
    return tuple(sorted(diagnoses, key=lambda one: -one.score))


def _best_candidate(case: Case) -> _Candidate:
    cut_off = cut_off_layers(case.run)
    candidates = [one for cause in CAUSES if (one := _candidate(cause, case, cut_off)) is not None]
    if candidates:
        return max(candidates, key=lambda one: one.rank)
    return _weigh(OTHER, replace(case, findings=case.findings[:1]))


def _candidate(cause: Cause, case: Case, cut_off: tuple[str, ...]) -> _Candidate | None:
    explained = [one for one in case.findings if _explains(cause, one, cut_off)]
    anchors = [one for one in explained if not cause.needs or one.code in cause.needs]
    if not anchors:
        return None
    if cause.per_layer:
        anchors = [one for one in anchors if one.layer == anchors[0].layer]
    if cause.needs:
        is_advice = all(one.severity == "info" for one in anchors)
        others = [] if is_advice else [one for one in explained if one.code not in cause.needs]
        explained = [*anchors, *others]
    return _weigh(cause, replace(case, findings=tuple(explained)))


def _explains(cause: Cause, finding: Finding, cut_off: tuple[str, ...]) -> bool:
    """Tell whether a cause brings about a finding; a layer that is cut off from the loss has no other cause."""
    if finding.code in CONNECTION_CODES and finding.layer in cut_off:
        return cause.name == "disconnected"
    return finding.code in cause.weights


def _weigh(cause: Cause, case: Case) -> _Candidate:
    evidence = tuple(found for test in cause.tests if (found := test(case)) is not None)
    by_code: dict[str, float] = {}
    for finding in case.findings:
        size = cause.weights.get(finding.code, 0.0) * effect_size(finding)
        by_code[finding.code] = max(by_code.get(finding.code, 0.0), size)
    score = sum(by_code.values()) + sum(one.weight for one in evidence)
    rank = score + TIER_STEP * (LAST_TIER - _tier(cause, case))
    if case.codes.intersection(STOP_ORDER):
        rank += STOP_STEP
    if all(finding.severity == "info" for finding in case.findings):
        rank -= TIER_STEP
    return _Candidate(cause, replace(case, findings=_telling_first(cause, case)), evidence, score, rank)


def effect_size(finding: Finding) -> float:
    """Return how much a finding counts: its severity times its confidence."""
    return SEVERITY_SIZE[finding.severity] * CONFIDENCE_SIZE[finding.confidence]


def _tier(cause: Cause, case: Case) -> int:
    """Return the tier of a cause; a static contradiction that is a mere warning competes with the dynamic causes."""
    anchors = [one for one in case.findings if one.code in cause.needs]
    return cause.tier if any(one.severity in GRAVE for one in anchors) else LAST_TIER


def _telling_first(cause: Cause, case: Case) -> tuple[Finding, ...]:
    positions = {layer.name: index for index, layer in enumerate(case.run.facts.layers)}

    def key(finding: Finding) -> tuple[bool, tuple[float, int], float, int]:
        is_stop = finding.code in STOP_ORDER
        stop = (finding.epoch, STOP_ORDER.index(finding.code)) if is_stop else (math.inf, 0)
        size = cause.weights.get(finding.code, 0.0) * effect_size(finding)
        return finding.code not in cause.needs, stop, -size, positions.get(finding.layer or "", -1)

    return tuple(sorted(case.findings, key=key))


def _conclude(best: _Candidate) -> Diagnosis:
    first = best.case.findings[0]
    answer = remedy(best.cause.name, best.case)
    consulted = [best.case.answers[test].line for test in best.cause.consults]
    return Diagnosis(
        fault=answer.fault,
        action=answer.action,
        confidence=_confidence(best),
        findings=best.case.findings,
        fix=answer.fix,
        score=round(best.rank, 3),
        supporting=(first.message, *(one.text for one in best.evidence if one.weight > 0)),
        contradicting=tuple(one.text for one in best.evidence if one.weight < 0),
        path=(
            satisfied_condition(best.case.run, first).line,
            *consulted,
            f"{answer.action}: {answer.fault}",
        ),
        silence=f"Diagnose(ignore=[{_quoted(sorted(best.case.codes))}])",
        cause=best.cause.name,
    )


def _quoted(codes: Iterable[str]) -> str:
    return ", ".join(f'"{code}"' for code in codes)


def _confidence(best: _Candidate) -> Confidence:
    """Return the confidence of the strongest finding, one step lower where contradicting numbers outweigh.

    A symptom can be certain, a cause inferred from symptoms cannot: "certain" takes a finding that names the cause.
    """
    strongest = max((one.confidence for one in best.case.findings), key=lambda one: CONFIDENCE_SIZE[one])
    names_it = [one for one in best.case.findings if best.cause.weights.get(one.code, 0.0) >= NAMING]
    if strongest == "certain" and not any(one.confidence == "certain" for one in names_it):
        strongest = "strong"
    return LOWER[strongest] if best.score < 0 else strongest
