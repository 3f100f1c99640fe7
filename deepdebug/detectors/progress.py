"""How far a run has come: its losses, whether it has learned anything, and findings about it as a whole."""

from __future__ import annotations

import math

from deepdebug.detectors import gates
from deepdebug.errors import NotJudged
from deepdebug.observation import Observation, Run

# our first settings, not yet calibrated
NO_SKILL = 0.02
GOOD_SKILL = 0.5
GOOD_FALL = 0.3
MIN_INPUT_USE = 0.05
MIN_INNER_CHECKS = 10


def epoch_losses(run: Run, least: int) -> list[float]:
    """Return the finite training losses of the epochs, oldest first.

    Raises:
        NotJudged: When there are fewer than `least`.
    """
    losses = [loss for loss in run.series("loss") if math.isfinite(loss)]
    if len(losses) < least:
        raise NotJudged(f"needs the training loss of {least} epochs, has {len(losses)}")
    return losses


def loss_history(run: Run, least: int) -> list[float]:
    """Return the epoch losses or, in a run of few epochs, the probe losses of the checks inside the epochs.

    Raises:
        NotJudged: When there are too few of both.
    """
    try:
        return epoch_losses(run, least)
    except NotJudged as reason:
        inner = [seen.loss for seen in gates.warm_probes(run) if seen.trigger in ("batch", "epoch")]
        losses = [loss for loss in inner if loss is not None and math.isfinite(loss)]
        if len(losses) < MIN_INNER_CHECKS:
            raise NotJudged(f"{reason}, and {MIN_INNER_CHECKS} checks inside the epochs would do as well") from None
        return losses


def require_warm(run: Run) -> None:
    """Check that the newest observation lies behind the warm-up.

    Raises:
        NotJudged: When it does not.
    """
    if not gates.is_warm(run, run.latest):
        raise NotJudged(f"needs {gates.warm_up_updates(run):.0f} updates and one epoch, has {run.latest.step} updates")


def newest_probe(run: Run) -> Observation | None:
    """Return the newest observation for which the model was probed, or `None`."""
    return next((seen for seen in reversed(run.observations) if seen.rows), None)


def newest_skill(run: Run) -> float | None:
    """Return the skill at the newest probe, or `None` where it is not known."""
    newest = newest_probe(run)
    return None if newest is None else newest.skill


def by_chance(seen: Observation) -> float:
    """Return the skill that few rows may show by chance, for a first look; the second look, on more rows, decides."""
    return 0.0 if seen.confirmed or not seen.rows else 1 / seen.rows


def uses_input(seen: Observation) -> bool:
    """Tell whether the loss is known to grow when labels are moved to other rows."""
    return seen.input_use is not None and seen.input_use > MIN_INPUT_USE + by_chance(seen)


def lacks_skill(seen: Observation, skill: float | None, max_skill: float = NO_SKILL) -> bool:
    """Tell whether predictions beat no constant and do not depend on the input either.

    A model trained with class weights may lose to a constant by the plain loss and yet use its input.
    """
    return skill is not None and skill <= max_skill + by_chance(seen) and not uses_input(seen)


def settled_checks(run: Run, count: int, min_updates: int = gates.SURE_UPDATES) -> list[Observation]:
    """Return the newest `count` probes after `min_updates` updates.

    Raises:
        NotJudged: When there are fewer, or while the learning rate is still being warmed up.
    """
    checks = gates.last_checks(run, count, max(min_updates, gates.warm_up_updates(run)))
    if gates.learning_rate_rising(run, count):
        raise NotJudged(f"needs {count} checks after the warm-up of the learning rate")
    return checks


def has_learned(run: Run) -> bool:
    """Tell whether a flat loss may be the plateau of a model that has learned.

    So it is when the skill is at least `GOOD_SKILL`, or when the loss has fallen by `GOOD_FALL` from its start and the
    model is not known to do no better than a constant.
    """
    probe = newest_probe(run)
    skill = None if probe is None else probe.skill
    if probe is not None and skill is not None:
        if skill >= GOOD_SKILL or lacks_skill(probe, skill):
            return skill >= GOOD_SKILL
        if run.observations[0].epoch < 0 and _fell(run.observations[0].loss, probe.loss):
            return True
    losses = run.series("loss")
    return bool(losses) and _fell(losses[0], losses[-1])


def _fell(before: float | None, after: float | None) -> bool:
    return before is not None and after is not None and before > 0 and after <= (1 - GOOD_FALL) * before


def starting_loss(run: Run) -> float | None:
    """Return the loss before training: that of the probe, or of the first epoch where the two cannot be compared.

    So it is where rows or classes are weighted, and for cross-entropies behind a softmax or sigmoid: training may take
    them from logits, without a limit, while the probe's probabilities are clipped.
    """
    first, fit = run.observations[0], run.facts.fit
    is_clipped = any(
        output.activation in ("softmax", "sigmoid") and output.loss.kind.endswith("crossentropy")
        for output in run.facts.outputs
    )
    is_comparable = not (is_clipped or fit.class_weight or fit.sample_weight)
    if is_comparable and first.epoch < 0 and first.loss is not None and math.isfinite(first.loss):
        return first.loss
    losses = run.series("loss")
    return losses[0] if losses and math.isfinite(losses[0]) else None
