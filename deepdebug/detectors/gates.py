"""When a dynamic verdict may be given: the gates G0 (warm-up), G1 (converged) and G2 (learning rate run out)."""

from __future__ import annotations

import math
from collections.abc import Callable

from deepdebug.errors import NotJudged
from deepdebug.observation import Observation, OutputObservation, Run

WARM_UP_UPDATES = 50  # gate G0, our first setting, not yet calibrated
SURE_UPDATES = 200  # from here on a model that has learned nothing is surely at fault; our first setting
CONVERGED_SKILL = 0.95  # gate G1, our first setting, not yet calibrated
CONVERGED_ACCURACY = 0.995  # gate G1, our first setting, not yet calibrated
PLATEAU_SKILL = 0.5  # gate G1, third clause, our first setting, not yet calibrated
PLATEAU_GAIN = 0.01  # gate G1, third clause, our first setting, not yet calibrated
PLATEAU_RISE = 0.1  # a loss that has risen by more than this is not at rest; our first setting, not yet calibrated
MIN_LEARNING_RATE_SHARE = 0.01  # gate G2, our first setting, not yet calibrated
MOVING_STATISTICS_HALVES = 3.0
ZERO_LOSS = 1e-12
RISEN = 1.01  # factor from which a learning rate counts as raised
DIVERGED = 1.5  # factor over the first loss from which a loss counts as diverging; our first setting


def warm_up_updates(run: Run) -> float:
    """Return the number of updates before which nothing dynamic is judged (gate G0).

    At least `WARM_UP_UPDATES`. A model with BatchNormalization is probed with its moving statistics, which follow the
    real ones only after about 3 / (1 - momentum) updates.
    """
    momenta = [
        float(layer.config.get("momentum") or 0.99)
        for layer in run.facts.layers
        if layer.kind == "BatchNormalization" and layer.trainable
    ]
    settle = max((MOVING_STATISTICS_HALVES / max(1 - momentum, 1e-3) for momentum in momenta), default=0.0)
    return max(WARM_UP_UPDATES, settle)


def is_warm(run: Run, seen: Observation, updates: float | None = None) -> bool:
    """Tell whether `seen` lies behind the warm-up: enough updates, and one epoch or `SURE_UPDATES`.

    Where only one epoch is planned the updates alone decide.

    Args:
        run: The run.
        seen: One of its observations.
        updates: How many updates are enough. Defaults to `None`: those of gate G0.
    """
    has_epoch = seen.trigger == "epoch" or seen.epoch >= 1 or run.facts.fit.epochs == 1
    least = warm_up_updates(run) if updates is None else updates
    return seen.epoch >= 0 and seen.step >= (least if has_epoch else max(least, SURE_UPDATES))


def warm_probes(run: Run) -> list[Observation]:
    """Return the probed observations behind the warm-up, oldest first."""
    least = warm_up_updates(run)
    return [seen for seen in run.observations if seen.rows and is_warm(run, seen, least)]


def last_checks(run: Run, count: int, updates: float | None = None, least: int | None = None) -> list[Observation]:
    """Return the newest probed observations behind the warm-up, oldest first, looking no further back than needed.

    Args:
        run: The run.
        count: How many to return.
        updates: Updates before which nothing counts. Defaults to `None`: those of gate G0.
        least: How many there must be. Defaults to `None`: `count`.

    Raises:
        NotJudged: When there are fewer than `least`, or when weights are no longer finite, which explains all else.
    """
    if any(variable.non_finite for variable in run.latest.variables):
        raise NotJudged("the weights are no longer finite (DD201), so nothing else about them can be judged")
    updates = warm_up_updates(run) if updates is None else updates
    least = count if least is None else least
    checks: list[Observation] = []
    for seen in reversed(run.observations):
        if not is_warm(run, seen, updates) or len(checks) == count:
            break
        if seen.rows:
            checks.append(seen)
    if len(checks) < least:
        or_later = "" if updates >= SURE_UPDATES else f" and one epoch, or after {SURE_UPDATES} updates"
        raise NotJudged(f"needs {least} probed checks after {updates:.0f} updates{or_later}; train longer")
    return checks[::-1]


def fitted_skill(seen: Observation) -> float | None:
    """Return the skill in inference mode or in training mode, whichever is larger.

    While weights move fast, the moving statistics of BatchNormalization lag behind: a model that learns well can look
    unskilled in inference mode.
    """
    constants = [output.constant_loss for output in seen.outputs]
    if seen.skill is None or seen.training_loss is None or len(constants) != 1 or not constants[0]:
        return seen.skill
    return max(seen.skill, 1 - (seen.training_loss - (seen.penalty or 0.0)) / constants[0])


def learned(run: Run) -> bool:
    """Tell whether the newest probe shows a solved task: the first two clauses of gate G1.

    Skill at least `CONVERGED_SKILL`, or probe accuracy at least `CONVERGED_ACCURACY` and not owed to the commonest
    class alone.
    """
    newest = _newest_probe(run)
    if newest is None:
        return False
    classifying = [output for output in newest.outputs if output.accuracy is not None]
    by_accuracy = bool(classifying) and all(
        (output.accuracy or 0.0) >= CONVERGED_ACCURACY and finds_others(output) for output in classifying
    )
    return by_accuracy or (newest.skill is not None and newest.skill >= CONVERGED_SKILL)


def finds_others(output: OutputObservation) -> bool:
    """Tell whether at least half of the rows that the commonest class misses are found; so it is where none is known.

    With rare classes a high accuracy is owed to the commonest class, whatever the model has learned.
    """
    if output.accuracy is None or output.majority is None:
        return True
    return 1 - output.accuracy <= 0.5 * (1 - output.majority)


def plateaued(run: Run) -> bool:
    """Tell whether a useful model has come to rest: the third clause of gate G1.

    Skill at least `PLATEAU_SKILL`, and over the last third of the observed epochs (at least two) the best loss got
    better by less than `PLATEAU_GAIN`, without having risen by more than `PLATEAU_RISE`.
    """
    newest = _newest_probe(run)
    if newest is None or newest.skill is None or newest.skill < PLATEAU_SKILL:
        return False
    losses = [seen.loss for seen in run.epoch_observations if seen.loss is not None and math.isfinite(seen.loss)]
    third = len(losses) // 3
    if third < 2:
        return False
    before, now = min(losses[:-third]), min(losses[-third:])
    return -PLATEAU_RISE * abs(before) < before - now < PLATEAU_GAIN * abs(before)


def converged(run: Run) -> bool:
    """Tell whether the newest probe shows a model that has learned its task or come to rest (gate G1)."""
    return learned(run) or plateaued(run)


def loss_is_zero(seen: Observation) -> bool:
    """Tell whether the loss without penalties is 0: a hinge that is fully satisfied has no gradient and needs none."""
    return seen.loss is not None and abs(seen.loss - (seen.penalty or 0.0)) <= ZERO_LOSS


def _newest_probe(run: Run) -> Observation | None:
    return next((seen for seen in reversed(run.observations) if seen.rows), None)


def learning_rates(run: Run) -> list[float]:
    """Return the learning rates seen, oldest first."""
    return [rate for _, rate in run.learning_rates]


def learning_rate_run_out(run: Run) -> bool:
    """Tell whether the learning rate has fallen below 1 % of the largest one seen (gate G2)."""
    rates = learning_rates(run)
    return bool(rates) and rates[-1] < MIN_LEARNING_RATE_SHARE * max(rates)


def require_learning_rate(run: Run) -> None:
    """Raise `NotJudged` when the learning rate has run out (gate G2): then little moves, and rightly so."""
    if learning_rate_run_out(run):
        raise NotJudged("the learning rate has fallen below 1 % of its largest value, so that nothing moves any more")


def learning_rate_rising(run: Run, checks: int = 3) -> bool:
    """Tell whether the learning rate has been raised within the newest `checks` checks, as in a warm-up."""
    rates = [seen.learning_rate for seen in run.observations[-checks:] if seen.learning_rate is not None]
    return bool(rates) and rates[-1] > RISEN * min(rates)


def broken(run: Run) -> bool:
    """Tell whether the newest observation was made because, or shows that, the loss is no longer finite."""
    newest = run.latest
    losses = [newest.loss, newest.metrics.get("loss")]
    return newest.trigger == "alarm" or any(loss is not None and not math.isfinite(loss) for loss in losses)


def diverging(run: Run) -> bool:
    """Tell whether the loss is broken or lies far above the first one seen."""
    if broken(run):
        return True
    losses = [seen.loss for seen in (run.observations[0], run.latest) if seen.loss is not None]
    if len(losses) < 2 or not math.isfinite(losses[0]):
        epochs = run.epochs
        losses = [seen.metrics["loss"] for seen in (epochs[:1] + epochs[-1:]) if "loss" in seen.metrics]
    return len(losses) == 2 and losses[0] > 0 and losses[1] > DIVERGED * losses[0]


def onset(run: Run, is_poisoned: Callable[[Observation], bool | None]) -> tuple[Observation, Observation | None]:
    """Return the observation with which the present trouble began, and the newest sound one before it.

    Args:
        run: The run; its newest observation shows the trouble.
        is_poisoned: Whether an observation shows it; `None` where that was not seen.
    """
    first = run.latest
    for seen in reversed(run.observations[:-1]):
        poisoned = is_poisoned(seen)
        if poisoned is False:
            return first, seen
        first = seen if poisoned else first
    return first, None


def last_sound(run: Run) -> Observation | None:
    """Return the newest probed observation before the newest one whose loss was finite, be it before training."""
    for seen in reversed(run.observations[:-1]):
        if seen.rows and (seen.loss is None or math.isfinite(seen.loss)):
            return seen
    return None


def optimizer_learning_rate(run: Run, seen: Observation | None = None) -> float | None:
    """Return the learning rate in force (at `seen`, by default now), or the compiled one where it was not read."""
    seen = seen or run.latest
    if seen.learning_rate is not None:
        return seen.learning_rate
    return run.facts.optimizer.learning_rate if run.facts.optimizer else None
