"""What is measured for and against a cause besides its findings; each test is a pure function of a case.

Weights are our first settings, not yet calibrated: 2 for a test that settles the matter, 1 for a hint.
"""

from __future__ import annotations

import math

from deepdebug.detectors import flow, gates, weights
from deepdebug.detectors.invalid_accuracy import REGRESSION_LOSSES
from deepdebug.detectors.progress import newest_skill
from deepdebug.detectors.validation import validation_skill
from deepdebug.diagnosis.case import Case, Evidence
from deepdebug.facts import LEARNING_FAMILIES
from deepdebug.observation import Run

SATURATING = ("sigmoid", "tanh", "hard_sigmoid", "softsign", "softmax")
DEEP = 6
BLIND_INPUT_USE, SEEING_INPUT_USE = 0.02, 0.1
NO_SKILL = 0.02
NEAR_START = 0.1  # share of its size by which a kernel that has hardly moved has
BROKEN_CODES = ("DD103", "DD202", "DD301")


def ill_scaled_data(case: Case) -> Evidence | None:
    """Speak for ill-scaled inputs, or exonerate them."""
    return _from_answer(case, "ImproperData", {"DD411"})


def ill_scaled_weights(case: Case) -> Evidence | None:
    """Speak for a wrong initialisation, or exonerate it."""
    return _from_answer(case, "WeightInitialization", {"DD209", "DD210"})


def _from_answer(case: Case, test: str, named_by: set[str]) -> Evidence | None:
    """Return the answer of a test as evidence; where a finding names the cause, it is the better measurement."""
    answer = case.answers[test]
    if answer.holds is None or (named_by & case.codes and not answer.holds):
        return None
    strength = 1.0 + min(1.0, abs(float(answer.numbers.get("decades") or 0.0)))
    return Evidence(strength if answer.holds else -2.0, answer.text)


def died_in_training(case: Case) -> Evidence | None:
    """Speak for too large steps when units that fired at the start are dead now; no step kills what is dead before."""
    share = _dead_at_start(case)
    if share is None:
        return None
    text = f"{share[1]:.0%} of the units of layer '{share[2]}' were dead before training, {share[0]:.0%} now"
    return Evidence(1.0 if share[1] < 0.5 * share[0] else -3.0, text)


def dead_from_start(case: Case) -> Evidence | None:
    """Speak for the initialisation when the units were dead before any step, against it when they died later."""
    evidence = died_in_training(case)
    return None if evidence is None else Evidence(-evidence.weight, evidence.text)


def _dead_at_start(case: Case) -> tuple[float, float, str] | None:
    """Return the dead share now and before training, and the layer, of the deadest layer among the findings."""
    dead = [one for one in case.findings if one.code == "DD101" and one.value is not None]
    if not dead or not case.run.observations or case.run.observations[0].epoch >= 0:
        return None
    worst = max(dead, key=lambda one: one.value or 0.0)
    for layer in case.run.observations[0].layers:
        if layer.name == worst.layer and layer.dead_fraction is not None:
            return worst.value or 0.0, layer.dead_fraction, layer.name
    return None


def saturating_layers(case: Case) -> Evidence | None:
    """Speak for the hidden activations when several of them are flat at both ends."""
    names = hidden_layers(case.run, SATURATING)
    if len(names) >= 2:
        return Evidence(1.0, f"{len(names)} hidden layers end in a sigmoid, tanh or alike, which shrinks gradients")
    if not names and not case.codes & {"DD101", "DD102"}:
        return Evidence(-1.5, "no hidden layer ends in a sigmoid or tanh")
    return None


def hidden_layers(run: Run, activations: tuple[str, ...]) -> tuple[str, ...]:
    """Return the layers with one of these activations, in data-flow order, outputs, gates and attention left out."""
    heads = flow.output_layers(run.facts)
    return tuple(
        layer.name
        for layer in run.facts.layers
        if layer.activation in activations
        and layer.family in ("dense", "convolution", "activation")
        and layer.name not in heads
    )


def deep_and_plain(case: Case) -> Evidence | None:
    """Speak for the depth when many layers follow each other with neither normalisation nor a skip connection."""
    layers = case.run.facts.layers
    depth = sum(layer.family in LEARNING_FAMILIES for layer in layers)
    helped = any(layer.family in ("normalization", "merge") for layer in layers)
    if depth >= DEEP and not helped:
        return Evidence(1.0, f"{depth} learning layers follow each other with no normalisation and no skip connection")
    return Evidence(-0.5, f"{depth} learning layers" + (", with normalisation or skip connections" if helped else ""))


def disconnected_variables(case: Case) -> Evidence | None:
    """Speak for a broken graph when the loss does not depend on a trainable variable, else against it."""
    cut = cut_off_layers(case.run)
    if cut:
        return Evidence(2.0, f"the loss does not depend on the weights of {', '.join(map(repr, cut[:5]))}")
    known = [one.has_gradient for seen in case.run.probed[-1:] for one in seen.variables]
    return Evidence(-3.0, "the loss depends on every trainable variable") if any(known) else None


def cut_off_layers(run: Run) -> tuple[str, ...]:
    """Return the layers with a trainable variable that the loss does not depend on."""
    cut = {one.path for seen in run.probed[-1:] for one in seen.variables if one.has_gradient is False}
    names = [facts.layer or facts.path for facts in run.facts.trainable_variables() if facts.path in cut]
    return tuple(dict.fromkeys(names))


def broken_at_the_start(case: Case) -> Evidence | None:
    """Speak against every step when a value was not finite before the first of them."""
    early = [one for one in case.findings if one.code in BROKEN_CODES and one.epoch < 0]
    if not early:
        return None
    return Evidence(-5.0, f"{early[0].code} was seen before the first update, so that no step has caused it")


def finite_weights(case: Case) -> Evidence | None:
    """Speak for an operation that overflows when the weights are finite, against it when they are not."""
    seen = [one for one in case.run.observations if one.variables][-1:]
    if not seen:
        return None
    if broken_at_the_start(case) is not None:
        return Evidence(2.0, "values were not finite before the first update")
    poisoned = [one.path for one in seen[0].variables if one.non_finite]
    if poisoned:
        return Evidence(-1.0, f"the weights '{poisoned[0]}' are not finite either")
    return Evidence(1.0, "all weights are finite")


def negative_loss(case: Case) -> Evidence | None:
    """Speak for labels outside of what the loss takes when the loss is negative, else against them."""
    values = [one.value for one in case.findings if one.code == "DD301" and one.value is not None]
    if any(value < 0 and math.isfinite(value) for value in values):
        return Evidence(2.0, "the loss is negative, which it cannot be for labels in the range it expects")
    return Evidence(-5.0, "the loss is not negative")


def frozen_model(case: Case) -> Evidence | None:
    """Speak for frozen layers when DD203 names them, or when no variable is trainable; else against them."""
    named = [one for one in case.findings if one.code == "DD203" and one.evidence.get("cause") == "frozen"]
    if named and named[0].layer is not None:
        return Evidence(4.0, f"layer '{named[0].layer}' is frozen")
    if case.run.facts.trainable_variables() or not case.run.facts.variables:
        return Evidence(-5.0, "some weights are trainable")
    return Evidence(2.0, f"none of the {len(case.run.facts.variables)} weight variables is trainable")


def input_blind(case: Case) -> Evidence | None:
    """Speak for labels that do not follow from the inputs when the prediction makes no use of them.

    What a model has learned of its training rows says nothing where it holds for no other rows.
    """
    if not_for_others(case.run):
        return Evidence(1.5, "what is learned of the training rows holds for no validation row")
    used = case.run.probed[-1].input_use if case.run.probed else None
    if used is None or BLIND_INPUT_USE < used < SEEING_INPUT_USE:
        return None
    text = f"moving the labels to other rows changes the loss by {abs(used):.1%}"
    return Evidence(1.0 if used <= BLIND_INPUT_USE else -2.0, text)


def not_for_others(run: Run) -> bool:
    """Tell whether a model with skill on the training rows has none on the validation data."""
    unseen, skill = validation_skill(run), newest_skill(run)
    return unseen is not None and unseen <= NO_SKILL and skill is not None and skill > NO_SKILL


def hardly_moved(case: Case) -> Evidence | None:
    """Speak against labels that cannot be learned when the weights still stand near their start: nobody has tried."""
    moved = distance_from_start(case.run)
    if moved is None or moved >= NEAR_START:
        return None
    return Evidence(-2.0, f"the median kernel has moved by {moved:.2g} of its size since the start")


def distance_from_start(run: Run) -> float | None:
    """Return how far the median kernel has moved since the start, relative to its size, after 200 updates."""
    now = next((seen for seen in reversed(run.observations) if seen.variables), None)
    return None if now is None or run.latest.step < gates.SURE_UPDATES else weights.median_moved(run, now)


def regression(case: Case) -> Evidence | None:
    """Speak for a misplaced accuracy metric when the labels are not classes."""
    losses = [output.loss.kind for output in case.run.facts.outputs if output.loss.kind != "none"]
    if losses and all(kind in REGRESSION_LOSSES for kind in losses):
        return Evidence(2.0, f"the loss {losses[0]} is one for numbers, of which accuracy counts exact hits only")
    return None


def partial_skill(case: Case) -> Evidence | None:
    """Speak for too small a model when it has learned something and no more, against it when nothing or all.

    What holds for no other rows is no more than learned by heart, for which the model is large enough.
    """
    if not_for_others(case.run):
        return Evidence(-1.0, "what is learned of the training rows holds for no validation row")
    skill = case.run.probed[-1].skill if case.run.probed else None
    if skill is None:
        return None
    text = f"the skill against the best constant is {skill:.2g}"
    return Evidence(0.5 if skill > NO_SKILL and not gates.converged(case.run) else -0.5, text)
