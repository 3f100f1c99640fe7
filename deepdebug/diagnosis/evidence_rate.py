"""What is measured for and against the learning rate as a cause; each test is a pure function of a case."""

from __future__ import annotations

from deepdebug.detectors import gates, weights
from deepdebug.diagnosis.case import Case, Evidence
from deepdebug.diagnosis.evidence import NEAR_START, distance_from_start
from deepdebug.diagnosis.tree import learning_rate

# Our first settings, not yet calibrated, above what is published: Adadelta is 1 in its paper (Zeiler 2012, section 3).
MAX_USUAL_RATE = {"SGD": 1.0, "Adadelta": 10.0, "Adagrad": 1.0, "Ftrl": 1.0}
MAX_USUAL_ADAPTIVE_RATE = 0.1
MIN_USUAL_RATE = 1e-6


def large_updates(case: Case) -> Evidence | None:
    """Speak for a learning rate that is too high when updates are large, against it when they are not."""
    return _from_updates(case, "too large", "DD207")


def small_updates(case: Case) -> Evidence | None:
    """Speak for a learning rate that is too low when updates are small, against it when they are not."""
    return _from_updates(case, "too small", "DD208")


def _from_updates(case: Case, side: str, named_by: str) -> Evidence | None:
    answer = case.answers["TuneLearn"]
    is_for = answer.numbers.get("side") == side
    if (
        answer.holds is None
        or (named_by in case.codes and not is_for)
        or (side == "too small" and "DD205" in case.codes)
    ):
        return None
    if is_for:
        return Evidence(1.0 + min(1.0, float(answer.numbers["decades"] or 0)), answer.text)
    return Evidence(-3.0 if answer.holds else -2.0, answer.text)


def unusual_high_rate(case: Case) -> Evidence | None:
    """Speak for a learning rate that is too high when it lies above what its optimizer is used with, or below 0."""
    rate, optimizer = learning_rate(case.run), case.run.facts.optimizer
    if rate is None or optimizer is None:
        return None
    if rate < 0:
        return Evidence(5.0, f"the learning rate {rate:.3g} is negative: each update raises the loss")
    most = MAX_USUAL_RATE.get(optimizer.name, MAX_USUAL_ADAPTIVE_RATE)
    if rate < most:
        return None
    return Evidence(
        1.0, f"the learning rate {rate:.3g} reaches the upper end of what {optimizer.name} is used with ({most:.3g})"
    )


def unusual_low_rate(case: Case) -> Evidence | None:
    """Speak for a learning rate that is too low when it lies below what any optimizer is used with."""
    rate = learning_rate(case.run)
    if rate is None or not 0 <= rate <= MIN_USUAL_RATE or gates.learning_rate_run_out(case.run):
        return None
    return Evidence(1.0, f"the learning rate {rate:.3g} is below the usual range (from {MIN_USUAL_RATE:.0e})")


def slow_pace(case: Case) -> Evidence | None:
    """Speak for a learning rate that is too low when weights stand near their start though there is a gradient."""
    moved = distance_from_start(case.run)
    if moved is None or moved >= NEAR_START or lost_gradient(case) is not None:
        return None
    return Evidence(2.0, f"in {case.run.latest.step} updates the median kernel has moved by {moved:.2g} of its size")


def lost_gradient(case: Case) -> Evidence | None:
    """Speak against the learning rate where the gradient is lost on its way: then updates are small for that reason."""
    now = next((seen for seen in reversed(case.run.observations) if seen.variables), None)
    still = [] if now is None else [facts for facts, seen in weights.kernels(case.run, now) if seen.gradient_rms == 0]
    if still:
        return Evidence(-2.0, f"the gradient of '{still[0].path}' is exactly 0, whatever the step")
    return (
        Evidence(-2.0, "the gradient shrinks from layer to layer, and the updates with it")
        if "DD205" in case.codes
        else None
    )


def rate_run_out(case: Case) -> Evidence | None:
    """Speak for a schedule that ends too early when the learning rate has run out, else against it."""
    if gates.learning_rate_run_out(case.run):
        return Evidence(2.0, f"the learning rate has fallen to {learning_rate(case.run):.3g}, below 1 % of its largest")
    return Evidence(-5.0, "the learning rate has not run out")
