"""Fixes of the training: learning rate, loss in its stable form, epochs, batches, penalties."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from deepdebug.detectors import flow
from deepdebug.detectors.static import CROSS_ENTROPIES
from deepdebug.diagnosis.case import Case, Remedy
from deepdebug.diagnosis.causes import NUMERIC
from deepdebug.diagnosis.fixes_data import labels_part
from deepdebug.diagnosis.fixes_layers import initializers, weighted_layer
from deepdebug.diagnosis.heads import output_of
from deepdebug.diagnosis.snippets import (
    NEW_MODEL,
    compile_code,
    layer_code,
    number,
    one_loss_code,
    optimizer_code,
    round_rate,
)
from deepdebug.diagnosis.tree import learning_rate
from deepdebug.facts import LayerFacts
from deepdebug.records import Fix

MAX_STEP, MIN_STEP = 100.0, 3.0  # a learning rate is changed by at least the one and at most the other factor
DEFAULT_RATE = 1e-3  # the default of Adam and most other optimizers of Keras
USUAL_RATES = {"SGD": 1e-2, "Adadelta": 1.0}  # the default of Keras; the setting of Adadelta's paper (Zeiler 2012)
DEFAULT_BATCH = 32
ENOUGH_UPDATES = 500  # to see whether a model learns; our first setting


def suggested_rate(case: Case, lower: bool) -> float:
    """Return the learning rate at which one update moves the weights by about 0.1 % of their size.

    Args:
        case: The case, with the answer of TuneLearn.
        lower: Whether to go below the present one, else above.
    """
    rate, optimizer = learning_rate(case.run), case.run.facts.optimizer
    usual = USUAL_RATES.get(optimizer.name if optimizer is not None else "", DEFAULT_RATE)
    if not rate or rate < 0 or (lower and rate >= MAX_STEP * usual):
        return usual
    ratio = case.answers["TuneLearn"].numbers.get("update_ratio")
    factor = (1e-3 / float(ratio)) if ratio else (0.1 if lower else 10.0)
    low, high = (1 / MAX_STEP, 1 / MIN_STEP) if lower else (MIN_STEP, MAX_STEP)
    return round_rate(rate * min(max(factor, low), high))


def _is_scheduled(case: Case) -> bool:
    optimizer = case.run.facts.optimizer
    return optimizer is not None and optimizer.scheduled


def _rate_advice(case: Case, verb: str, rate: float) -> str:
    now = learning_rate(case.run)
    start = "" if now is None else f" from {now:.3g}"
    target = "starting value of the learning rate schedule" if _is_scheduled(case) else "learning rate"
    return f"{verb} the {target}{start} to about {rate:.0e}"


def learning_rate_high(case: Case) -> Remedy:
    """Lower the learning rate, and clip the gradient where numbers have left their range."""
    rate, now = suggested_rate(case, lower=True), learning_rate(case.run)
    is_negative = now is not None and now < 0
    settings = {"clipnorm": "1.0"} if case.codes & NUMERIC.keys() else {}
    advice = (
        f"{_rate_advice(case, 'Raise' if is_negative else 'Lower', rate)}, and start from new weights: these have been "
        "thrown about"
    )
    code = f"{NEW_MODEL}\n{compile_code(case.run, rate, settings=settings)}"
    fault = "learning rate is negative" if is_negative else "learning rate too high"
    return Remedy(fault, "MSG3", Fix(f"{advice}.", code))


def learning_rate_low(case: Case) -> Remedy:
    """Raise the learning rate."""
    rate = suggested_rate(case, lower=False)
    fault = "learning rate is 0" if learning_rate(case.run) == 0 else "learning rate too low"
    return Remedy(fault, "MSG3", Fix(f"{_rate_advice(case, 'Raise', rate)}.", compile_code(case.run, rate)))


def schedule(case: Case) -> Remedy:
    """Let the learning rate end later."""
    rates = [rate for _, rate in case.run.learning_rates if rate]
    largest = max(rates, default=DEFAULT_RATE)
    steps = (case.run.facts.fit.steps_per_epoch or 100) * (case.run.facts.fit.planned_epochs or 10)
    code = (
        f"schedule = keras.optimizers.schedules.CosineDecay({number(largest)}, decay_steps={steps}, alpha=0.01)\n"
        f"optimizer = {optimizer_code(case.run, settings={'learning_rate': 'schedule'})}"
    )
    advice = "The learning rate reaches its end before training does; stretch the schedule over all planned updates."
    return Remedy("learning rate schedule ends too early", "MSG3", Fix(advice, code))


def overflow(case: Case) -> Remedy:
    """Compute the operation that overflows in a stable form."""
    first = case.findings[0]
    output = output_of(case.run.facts, first.layer)
    heads = (output.layer, output.activation_layer) if output is not None else ()
    if output is None or (first.code == "DD103" and first.layer not in heads):
        return _overflow_in_layer(case, first.layer)
    place = f"the loss of output '{output.name}'"
    action = "MSG2" if first.code == "DD103" else "MSG1"
    layer = case.run.facts.layer(output.activation_layer)
    if output.loss.kind not in CROSS_ENTROPIES or layer is None:
        advice = f"Keep {place} finite: clip what enters exp, log or a division, and clip the gradient."
        return Remedy(f"overflow in {place}", action, Fix(advice, compile_code(case.run, settings={"clipnorm": "1.0"})))
    loss = one_loss_code(output.loss.kind, from_logits=True, ignore_class=output.loss.ignore_class)
    code = f"{layer_code(layer, {'activation': 'linear'})}\n{compile_code(case.run, losses={output.name: loss})}"
    advice = f"Compute {place} from logits, which is stable; keep the last layer in float32 under mixed precision."
    return Remedy(f"overflow in {place}", action, Fix(advice, code))


def _overflow_in_layer(case: Case, name: str | None) -> Remedy:
    layer = case.run.facts.layer(flow.base_name(name)) if name else None
    place = f"layer '{name}'" if name else "the model"
    advice = f"Bound the values inside {place}: clip what enters exp, log or a division, or use a bounded activation."
    code = "x = keras.ops.clip(x, -30.0, 30.0)"
    if layer is not None and layer.activation not in ("linear", "unknown"):
        code = layer_code(layer, {"activation": "tanh"})
    return Remedy(f"overflow in {place}", "MSG2", Fix(advice, code))


def oscillation(case: Case) -> Remedy:
    """Smooth the steps."""
    rate = suggested_rate(case, lower=True)
    code = f"{compile_code(case.run, rate)}\n{fit_code(case, batch_size=4 * (batch_size(case)))}"
    advice = "Take smaller or smoother steps: a third of the learning rate, or larger batches."
    return Remedy("steps larger than the noise of the batches allows", "MSG3", Fix(advice, code))


def batch_size(case: Case) -> int:
    """Return the rows per batch, or what Keras takes by default."""
    return case.run.facts.fit.batch_size or DEFAULT_BATCH


def fit_code(case: Case, **arguments: object) -> str:
    """Return a `fit` call with these arguments."""
    given = "".join(f", {name}={value}" for name, value in arguments.items())
    return f"model.fit(x_train, y_train{given})"


def batch_size_fix(case: Case) -> Remedy:
    """Take batches that give enough updates and stable statistics."""
    rows, present = case.run.facts.fit.rows, batch_size(case)
    is_large = rows is None or present > rows / 10
    size = max(4, min(DEFAULT_BATCH, (rows or 320) // 10)) if is_large else DEFAULT_BATCH
    advice = f"Use batches of about {size} rows instead of {present}, for enough updates that are not too noisy."
    return Remedy("unsuitable batch size", "TRAIN", Fix(advice, fit_code(case, batch_size=size)))


def too_few_epochs(case: Case) -> Remedy:
    """Train longer."""
    done = max(len(case.run.epochs), 1)
    epochs = 2 * (case.run.facts.fit.planned_epochs or done)
    advice = "The loss still falls at the end: train longer, with early stopping on the validation loss."
    early = next((one for one in case.findings if one.code == "DD308" and one.severity == "error"), None)
    if early is not None:
        epochs = max(epochs, math.ceil(ENOUGH_UPDATES * done / max(early.step, 1)))
        advice = (
            f"After {early.step} updates a model has hardly begun: train for some hundred, with early stopping on the "
            "validation loss. Smaller batches give more updates per epoch."
        )
    return Remedy("training stopped too early", "TRAIN", Fix(advice, fit_code(case, epochs=epochs)))


def overfitting(case: Case) -> Remedy:
    """Stop at the best epoch and regularise."""
    code = (
        'early = keras.callbacks.EarlyStopping(monitor="val_loss", patience=5, restore_best_weights=True)\n'
        "model.fit(x_train, y_train, validation_split=0.2, callbacks=[early])"
    )
    advice = "Keep the weights of the best epoch; then add weight decay, dropout, augmentation or data."
    return Remedy("overfitting", "REGULARISE", Fix(advice, code))


def penalty(case: Case) -> Remedy:
    """Take out the penalties that outweigh the loss."""
    found = [(layer, _regularizers(layer)) for layer in case.run.facts.layers]
    lines = [layer_code(layer, dict.fromkeys(keys)) for layer, keys in found if keys]
    advice = "Train without the regularisers first; then bring them back with a tenth of their factor or less."
    if not lines:
        advice = "Divide by 10 or more what `add_loss` adds, so that the loss of the predictions counts most."
    code = "\n".join(lines) or "print(model.losses)  # the penalties"
    return Remedy("penalties outweigh the loss", "REGULARISE", Fix(advice, code))


def _regularizers(layer: LayerFacts) -> list[str]:
    return [key for key, value in layer.config.items() if key.endswith("_regularizer") and value is not None]


def initial_loss(case: Case) -> Remedy:
    """Start from small predictions and scaled targets."""
    advice = "Start from predictions of the labels' size: scale regression targets, and start the last layer small."
    output = output_of(case.run.facts, case.findings[0].layer)
    if output is not None and output.loss.kind not in CROSS_ENTROPIES:
        before, part = labels_part(case, output)
        code = f"{before}{part} = ({part} - {part}.mean(axis=0)) / {part}.std(axis=0)"
        return Remedy("targets far from the first predictions", "MSG0", Fix(advice, code))
    layer = weighted_layer(case.run.facts, output.layer if output is not None else None)
    code = "model.summary()"
    if layer is not None:
        code = layer_code(layer, dict.fromkeys(initializers(case.run.facts, layer), "glorot_uniform"))
    return Remedy("first predictions far too confident", "MSG4", Fix(advice, code))


REMEDIES: Mapping[str, Callable[[Case], Remedy]] = {
    "learning_rate_high": learning_rate_high,
    "learning_rate_low": learning_rate_low,
    "schedule": schedule,
    "overflow": overflow,
    "oscillation": oscillation,
    "batch_size": batch_size_fix,
    "too_few_epochs": too_few_epochs,
    "overfitting": overfitting,
    "penalty": penalty,
    "initial_loss": initial_loss,
}
