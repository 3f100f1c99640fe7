"""What validation losses are to be held against."""

from __future__ import annotations

import math

import numpy as np

from deepdebug.detectors import trends
from deepdebug.detectors.metric_names import accuracy_name
from deepdebug.detectors.progress import starting_loss
from deepdebug.detectors.static import BINARY, PLAIN_CROSS_ENTROPIES
from deepdebug.observation import Run

MIN_ROWS = 50  # our first setting, not yet calibrated
MIN_GAIN = 0.2  # of what lies above the share of the commonest class; our first setting, checked on `benchmarks.zoo`
SOUND_START = 2.0  # times the loss of the best constant; our first setting, checked on `benchmarks.zoo`


def validation_losses(run: Run) -> list[float]:
    """Return the finite validation losses of the epochs without the penalty of the weights, oldest first.

    Penalties fall while a model is trained; between two observations they are taken to change evenly.
    """
    validated = [seen for seen in run.epochs if math.isfinite(seen.metrics.get("val_loss", math.nan))]
    losses = [seen.metrics["val_loss"] for seen in validated]
    known = [(seen.step, seen.penalty) for seen in run.observations if seen.penalty is not None]
    if not any(penalty for _, penalty in known):
        return losses
    steps, penalties = zip(*known, strict=True)
    taken = np.interp([seen.step for seen in validated], steps, penalties)
    return [loss - float(penalty) for loss, penalty in zip(losses, taken, strict=True)]


def validation_rows(run: Run) -> int:
    """Return how many validation labels were examined, over all outputs."""
    data = run.facts.data
    return sum(labels.rows for labels in data.validation_labels) if data is not None else 0


def validation_skill(run: Run) -> float | None:
    """Return 1 - the smallest validation loss / `validation_yardstick`; `None` where one of them is not known."""
    losses, yardstick = validation_losses(run), validation_yardstick(run)
    return 1 - min(losses) / yardstick if losses and yardstick is not None else None


def has_become_too_sure(run: Run, yardstick: float) -> bool:
    """Tell whether a model finds more than the commonest class in the validation data, and is too sure of its errors.

    Its loss can be worse than that of a constant then (Guo et al., "On calibration of modern neural networks", ICML
    2017). A loss that has been far above it from the start is another matter: there scales or weights are at fault.

    Args:
        run: The run.
        yardstick: The loss of the best constant on the validation labels.
    """
    start, penalty = starting_loss(run), run.observations[0].penalty or 0.0
    is_sound = start is not None and start - penalty <= SOUND_START * yardstick
    return is_sound and (validation_gain(run) or 0.0) >= MIN_GAIN


def validation_gain(run: Run) -> float | None:
    """Return how far the newest validation accuracy is on the way from the share of the commonest class to 1.

    0 where it may be above that share by chance; `None` without one plain accuracy and classes.
    """
    name, data = accuracy_name(run.latest.metrics, validation=True), run.facts.data
    if name is None or data is None or len(data.validation_labels) != 1:
        return None
    counts = data.validation_labels[0].class_counts
    if not counts or ("binary" in name and len(counts) > 2):  # over single columns, most of which are 0
        return None
    rows, accuracy = sum(counts), run.latest.metrics[name]
    commonest = max(counts) / rows
    if not math.isfinite(accuracy) or commonest == 1:
        return None
    is_chance = trends.wilson_interval(accuracy, rows)[0] <= commonest
    return 0.0 if is_chance else (accuracy - commonest) / (1 - commonest)


def validation_yardstick(run: Run) -> float | None:
    """Return the loss of the best constant on the validation labels, where these and the loss tell it."""
    outputs, data, fit = run.facts.outputs, run.facts.data, run.facts.fit
    if len(outputs) != 1 or data is None or len(data.validation_labels) != 1 or fit.class_weight or fit.sample_weight:
        return None
    labels, kind = data.validation_labels[0], outputs[0].loss.kind
    if labels.rows < MIN_ROWS:
        return None
    if kind in PLAIN_CROSS_ENTROPIES and labels.class_counts and (kind in BINARY) == (outputs[0].units == 1):
        shares = [count / sum(labels.class_counts) for count in labels.class_counts if count]
        return -sum(share * math.log(share) for share in shares) or None
    return {"mean_squared_error": labels.variance, "mean_absolute_error": labels.median_deviation}.get(kind) or None
