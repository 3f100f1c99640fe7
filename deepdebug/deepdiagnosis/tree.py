"""The tree of DeepDiagnosis (ICSE 2022): from a symptom and its place to one message, the first test that holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from deepdebug.deepdiagnosis.checks import kernels
from deepdebug.detectors import flow
from deepdebug.detectors.static import CATEGORICAL, SPARSE
from deepdebug.diagnosis.tree import Answer, satisfied_condition
from deepdebug.observation import Observation, Run
from deepdebug.records import Diagnosis, Finding, Fix

MIN_VARIANCE, MAX_VARIANCE = 1e-5, 10.0  # DeepDiagnosis (ICSE 2022)
TARGET_RATIO, MAX_FACTOR = 1e-3, 100.0  # DeepDiagnosis (ICSE 2022)
Test = Callable[[Run, Observation], Answer]
Message = tuple[str, str]


def weight_initialization(run: Run, seen: Observation) -> Answer:
    """Tell whether the variance of some layer's weights leaves [1e-5, 10]."""
    variances = {facts.path: _variance(facts.shape, one.std) for facts, one in kernels(run, seen)}
    for path, variance in variances.items():
        if not MIN_VARIANCE <= variance <= MAX_VARIANCE:
            return Answer("WeightInitialization", True, f"the weights '{path}' have a variance of {variance:.3g}")
    return Answer("WeightInitialization", False, f"the variances of {len(variances)} weights lie within 1e-5 and 10")


def _variance(shape: tuple[int, ...], std: float) -> float:
    size = 1
    for axis in shape:
        size *= axis
    return std**2 * size / max(size - 1, 1)


def improper_data(run: Run, seen: Observation) -> Answer:
    """Tell whether some input value lies outside [-1, 1]."""
    inputs = run.facts.data.inputs if run.facts.data is not None else ()
    lows = [one.minimum for one in inputs if one.minimum is not None]
    highs = [one.maximum for one in inputs if one.maximum is not None]
    if not lows or not highs:
        return Answer("ImproperData", None, "the inputs were not examined")
    low, high = min(lows), max(highs)
    return Answer("ImproperData", low < -1 or high > 1, f"the inputs lie within {low:.3g} and {high:.3g}")


def tune_learn(run: Run, seen: Observation) -> Answer:
    """Tell whether learning rate * norm(gradient) / norm(weights) of some layer leaves [1e-5, 1e-1]."""
    rate = seen.learning_rate
    if rate is None:
        return Answer("TuneLearn", None, "the learning rate was not read")
    for facts, one in kernels(run, seen):
        if one.relative_gradient is None:
            continue
        ratio = rate * one.relative_gradient
        if not TARGET_RATIO / MAX_FACTOR <= ratio <= TARGET_RATIO * MAX_FACTOR:
            text = f"learning rate times gradient is {ratio:.3g} of the weights '{facts.path}'"
            return Answer("TuneLearn", True, text)
    return Answer("TuneLearn", False, "learning rate times gradient lies within 1e-05 and 0.1 of all weights")


MESSAGES: dict[str, Message] = {
    "ImproperData": ("MSG0", "Normalise the data"),
    "WeightInitialization": ("MSG4", "Change the weight initialisation"),
    "TuneLearn": ("MSG3", "Change the learning rate"),
}
OPTIMIZER: Message = ("TRAIN", "Change the optimizer")
MISSING: Message = ("MSG2", "Add a dropout layer or a missing activation function")
DEPTH: Message = ("MSG5", "Add or delete a layer, or change a sigmoid activation function")
LOSS: Message = ("MSG1", "Change the loss function, or the last activation function")
ROWS: dict[tuple[str, str], tuple[tuple[Test, ...], Message]] = {
    ("DNS", "FW"): ((improper_data, weight_initialization, tune_learn), MISSING),
    ("SAS", "FW"): ((improper_data, weight_initialization, tune_learn), MISSING),
    ("UCS", "FW"): ((weight_initialization, tune_learn), OPTIMIZER),
    ("UCS", "W"): ((weight_initialization, tune_learn), OPTIMIZER),
    ("UCS", "DW"): ((weight_initialization, tune_learn), OPTIMIZER),
    ("VGS", "DW"): ((tune_learn,), DEPTH),
    ("LNDS", "M"): ((weight_initialization, improper_data, tune_learn), OPTIMIZER),
    ("ANIS", "M"): ((weight_initialization, improper_data, tune_learn), OPTIMIZER),
    ("ILS", "M"): ((tune_learn,), OPTIMIZER),
    ("IAS", "M"): ((tune_learn,), OPTIMIZER),
}


def diagnose(run: Run, findings: Sequence[Finding]) -> tuple[Diagnosis, ...]:
    """Return the message for the first symptom, if there is one; the program ends there.

    Args:
        run: The run.
        findings: What the detectors of this preset found in it.
    """
    if not findings:
        return ()
    first = findings[0]
    tests, default = _row(run, first)
    seen = next((one for one in run.epoch_observations if one.epoch == first.epoch), run.latest)
    answers, message = [satisfied_condition(run, first)], default
    for test in tests:
        answers.append(test(run, seen))
        if answers[-1].holds:
            message = MESSAGES[answers[-1].test]
            break
    action, fault = message
    return (
        Diagnosis(
            fault=fault,
            action=action,
            confidence=first.confidence,
            findings=(first,),
            fix=Fix(f"{fault}.", ""),
            supporting=(first.message, *(answer.text for answer in answers[1:] if answer.holds)),
            contradicting=tuple(answer.text for answer in answers[1:] if answer.holds is False),
            path=(*(answer.line for answer in answers), f"{action}: {fault}"),
            silence=f'Diagnose(ignore=["{first.code}"])',
        ),
    )


def _row(run: Run, finding: Finding) -> tuple[tuple[Test, ...], Message]:
    """Return the tests for a symptom at its place, and the message when none of them holds."""
    names = [layer.name for layer in run.facts.layers]
    name = flow.base_name(finding.layer or "")
    place = names.index(name) if name in names else len(names) - 1
    if finding.abbreviation == "ORS":
        return (), _range_message(run, finding)
    if finding.abbreviation in ("ILS", "IAS") and _ends_linear(run):
        return (), ("MSG2", f"Change the activation function of layer '{_last(run)}'")
    if finding.abbreviation != "NS":
        return ROWS[finding.abbreviation, finding.location]
    following = names[place + 1] if place + 1 < len(names) else name
    activation: Message = ("MSG2", f"Change the activation function of layer '{following}'")
    if finding.location != "DW":
        return (weight_initialization, improper_data, tune_learn), activation
    learning = [facts.layer for facts, _ in kernels(run, run.latest)]
    return (), LOSS if learning[:1] == [name] else activation


def _range_message(run: Run, finding: Finding) -> Message:
    output = next((one for one in run.facts.outputs if finding.layer in (one.activation_layer, one.layer)), None)
    if output is not None and output.loss.kind in (*CATEGORICAL, *SPARSE):
        return "MSG2", f"Change the activation function of layer '{finding.layer}' to softmax"
    return "MSG2", f"Change the activation function of layer '{finding.layer}' to the range of the labels"


def _ends_linear(run: Run) -> bool:
    return bool(run.facts.outputs) and run.facts.outputs[-1].activation == "linear"


def _last(run: Run) -> str | None:
    return run.facts.outputs[-1].layer
