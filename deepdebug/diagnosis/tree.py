"""The tests of the decision tree of DeepDiagnosis (ICSE 2022), each mended to measure what its name says.

A test is a pure function of a run. `holds` tells whether it incriminates its subject; `None`: it could not be taken.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median

from deepdebug.detectors import gates, weights
from deepdebug.detectors.data_scale import DataScale
from deepdebug.detectors.initial_scale import recommended_std, usual_stds
from deepdebug.detectors.learning_rate_too_high import LearningRateTooHigh
from deepdebug.detectors.learning_rate_too_low import LearningRateTooLow
from deepdebug.detectors.symmetric_weights import comes_trained, start_of
from deepdebug.detectors.weight_scale import WeightScale
from deepdebug.errors import NotJudged
from deepdebug.facts import InputFacts, VariableFacts
from deepdebug.observation import Run, VariableObservation
from deepdebug.records import Finding, Number

MIN_VARIANCE, MAX_VARIANCE = 1e-5, 10.0  # DeepDiagnosis (ICSE 2022), taken from SageMaker Debugger's TensorVariance
NOT_FINITE = 12.0  # decades off that a start value with NaN or infinite elements counts for
MAX_FIRST_UPDATE = 0.0  # log10; our first setting, not yet calibrated: a first step as large as the weights
UPDATE_CHECKS, RECENT = 3, 10


@dataclass(frozen=True, slots=True)
class Answer:
    """What one test of the tree said.

    Args:
        test: Name of the test.
        holds: Whether the test incriminates its subject; `None` when it could not be taken.
        text: The reason, as a sentence without a full stop.
        numbers: The measured numbers by name.
    """

    test: str
    holds: bool | None
    text: str
    numbers: Mapping[str, Number] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """The test and its answer as one line of `Diagnosis.path`."""
        word = {True: "yes", False: "no", None: "not known"}[self.holds]
        return f"{self.test}? {word}: {self.text}"


def satisfied_condition(run: Run, finding: Finding) -> Answer:
    """Say which row of the tree a finding enters: its symptom, where it shows and how deep in the model."""
    names = [layer.name for layer in run.facts.layers]
    where = {"FW": "the output", "W": "the weights", "DW": "the gradient"}.get(finding.location, "the run")
    numbers: dict[str, Number] = {"layers": len(names)}
    if finding.layer in names:
        numbers["position"] = names.index(finding.layer) + 1
        where += f" of layer '{finding.layer}', {numbers['position']} of {len(names)}"
    elif finding.layer:
        where += f" of layer '{finding.layer}'"
    where = {"M": "the metrics", "DATA": "the data", "CONFIG": "the configuration"}.get(finding.location, where)
    text = f"{finding.code} {finding.symptom} in {where}"
    return Answer("SatisfiedCondition", True, text + _against(finding), numbers)


def _against(finding: Finding) -> str:
    if finding.value is None:
        return ""
    bound = "" if finding.threshold is None else f" against {finding.threshold:.3g}"
    return f" ({finding.value:.3g}{bound})"


def improper_data(run: Run) -> Answer:
    """Tell whether the inputs are badly scaled at the first layer that learns from them.

    DeepDiagnosis asks whether all inputs lie within [-1, 1]. That accuses standardised data, and data that a layer of
    the model rescales, so the scale is judged where the first weights meet it, by the rule of DD411.
    """
    test = "ImproperData"
    try:
        found = list(DataScale().detect(run))
    except NotJudged as reason:
        return Answer(test, None, str(reason))
    if found:
        worst = max(found, key=_decades)
        return Answer(test, True, worst.message, {**worst.evidence, "decades": _decades(worst)})
    ranges = [_range(one) for one in run.facts.data.inputs] if run.facts.data is not None else []
    return Answer(test, False, "; ".join(ranges[:3]) or "no input with numbers", {"decades": 0.0})


def _decades(finding: Finding) -> float:
    """Return by how many decades a finding exceeds its threshold."""
    return math.log10(max((finding.value or 0.0) / (finding.threshold or 1.0), 1.0))


def _range(one: InputFacts) -> str:
    """Say how an input is scaled."""
    if one.minimum is None or one.maximum is None:
        return f"input '{one.name}' holds no numbers"
    middle = "" if one.median_absolute is None else f", median absolute value {one.median_absolute:.3g}"
    rescaled = "" if one.normalized_by is None else f", rescaled by layer '{one.normalized_by}'"
    return f"input '{one.name}' has values from {one.minimum:.3g} to {one.maximum:.3g}{middle}{rescaled}"


def weight_initialization(run: Run) -> Answer:
    """Tell whether the weights started at a wrong scale.

    DeepDiagnosis asks whether the variance of any weights leaves [1e-5, 10], at the time of the symptom. Here the start
    is judged, against the standard deviations recommended for the layer's fans; the published bounds serve where these
    are not known.
    """
    test = "WeightInitialization"
    try:
        start = start_of(run)
    except NotJudged as reason:
        return Answer(test, None, str(reason))
    if comes_trained(start):
        return Answer(test, False, f"the model starts with a skill of {start.skill or 0.0:.3g}, so it comes trained")
    judged = [(facts, seen, _start_decades(facts, seen)) for facts, seen in weights.kernels(run, start)]
    if not judged:
        return Answer(test, None, "no trainable weight matrix was seen")
    if not any(decades for _, _, decades in judged):
        return Answer(test, False, f"all {len(judged)} weight matrices start with a usual standard deviation")
    facts, seen, decades = max(judged, key=lambda one: abs(one[2]))
    wanted = recommended_std(run.facts, facts) if _has_recommendation(facts) else None
    held = "" if wanted is None else f" where {wanted:.3g} is recommended"
    text = f"'{facts.path}' starts with a standard deviation of {seen.std:.3g}{held}"
    numbers = {"std": seen.std, "recommended": wanted, "decades": decades, "variable": facts.path, "layer": facts.layer}
    return Answer(test, True, text, numbers)


def _has_recommendation(facts: VariableFacts) -> bool:
    return facts.role == "kernel" and bool(facts.fan_in) and bool(facts.fan_out)


def _start_decades(facts: VariableFacts, seen: VariableObservation) -> float:
    """Return by how many decades a start value leaves the accepted band, signed; 0 inside it."""
    if seen.non_finite:
        return NOT_FINITE
    low, high = math.sqrt(MIN_VARIANCE), math.sqrt(MAX_VARIANCE)
    if _has_recommendation(facts):
        stds = usual_stds(facts)
        low, high = min(stds) / WeightScale.max_small_factor, max(stds) * WeightScale.max_factor
    if low <= seen.std <= high or seen.std == 0:
        return 0.0
    return math.log10(seen.std / (low if seen.std < low else high))


def tune_learn(run: Run) -> Answer:
    """Tell whether one optimizer step changes the weights by too much or too little.

    DeepDiagnosis estimates lr * norm(gradient) / norm(weights). Here the update that the optimizer really makes is
    measured, per variable, and the median taken: over the newest checks with a gradient above 0. A network that has
    died, or whose weights have grown out of proportion, is judged by the first step, which did it.
    """
    recent = _recent_medians(run)[-UPDATE_CHECKS:]
    first = _first_median(run)
    is_first = first is not None and (not recent or first > max(MAX_FIRST_UPDATE, *recent))
    if not recent and first is None:
        return Answer("TuneLearn", None, "no update with a gradient above 0 was measured")
    update = first if is_first and first is not None else median(recent)
    optimizer = run.facts.optimizer
    rescales = optimizer is not None and optimizer.epsilon
    least = LearningRateTooLow.min_log10_update if rescales else LearningRateTooLow.min_log10_update_sgd
    most = LearningRateTooHigh.max_log10_update
    side = "too large" if update > most else "too small" if update < least else ""
    numbers: dict[str, Number] = {
        "update_ratio": 10**update,
        "side": side,
        "decades": max(update - most, least - update, 0.0),
        "learning_rate": learning_rate(run),
    }
    which = "the first" if is_first else "one"
    healthy = f"healthy: {10**least:.0e} to {10**most:.0e}"
    text = f"{which} update moves the weights by {10**update:.3g} of their size ({healthy})"
    return Answer("TuneLearn", bool(side), text, numbers)


def _recent_medians(run: Run) -> list[float]:
    """Return the median log10 update ratios of recent checks, oldest first."""
    later = [seen for seen in run.observations[-RECENT:] if seen.epoch >= 0 and seen.variables]
    found = [weights.median_update(run, seen) for seen in later]
    return [one for one in found if one is not None]


def _first_median(run: Run) -> float | None:
    """Return the median log10 update ratio before training."""
    start = run.observations[0] if run.observations else None
    return weights.median_update(run, start) if start is not None and start.epoch < 0 and start.variables else None


def learning_rate(run: Run) -> float | None:
    """Return the learning rate in force, or the compiled one where it was not read in training."""
    if run.observations:
        return gates.optimizer_learning_rate(run)
    return run.facts.optimizer.learning_rate if run.facts.optimizer is not None else None
