"""Keras code for a very model: its layers, its compiled loss, its optimizer, with what a fix changes.

The code is text for a reader. It uses the names `model`, `x_train` and `y_train` for the user's own objects.
"""

from __future__ import annotations

import json
import keyword
import math
import re
from collections.abc import Mapping

from deepdebug.diagnosis.tree import learning_rate
from deepdebug.facts import Facts, LayerFacts, OutputFacts
from deepdebug.observation import Run

MAX_WIDTH = 88  # columns; what a formatter would leave in one line, and a terminal of 100 columns shows whole
NEW_MODEL = "# build `model` anew first: weights that were trained this way do not recover"
KNOWN_METRICS = ("accuracy", "acc", "mae", "mse", "mean_absolute_error", "mean_squared_error")
KNOWN_OPTIMIZERS = (
    "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Ftrl", "Lamb", "Lion", "Muon", "Nadam", "RMSprop",
    "SGD", "ScheduleFreeAdamW",
)  # fmt: skip
WRAPPERS = ("Bidirectional", "TimeDistributed")  # the settings of the layer inside count
FLAGGED_LOSSES = {
    "binary_crossentropy": "BinaryCrossentropy",
    "binary_focal_crossentropy": "BinaryFocalCrossentropy",
    "categorical_crossentropy": "CategoricalCrossentropy",
    "categorical_focal_crossentropy": "CategoricalFocalCrossentropy",
    "sparse_categorical_crossentropy": "SparseCategoricalCrossentropy",
}


def number(value: float) -> str:
    """Write a number as short Python code for a float, which Keras wants for a learning rate."""
    text = f"{value:.3g}" if math.isfinite(value) else f'float("{value}")'
    return f"{text}.0" if text.isdecimal() else text


def exact(value: float) -> str:
    """Write a number as Python code that gives this very number."""
    return repr(int(value)) if value == int(value) else repr(value)


def round_rate(rate: float) -> float:
    """Round a learning rate to one significant digit, 1 or 3, as people write them."""
    exponent = math.floor(math.log10(rate))
    digit = 3.0 if rate / 10**exponent >= math.sqrt(10) else 1.0
    return float(f"{digit}e{exponent}")


def optimizer_code(run: Run, rate: float | None = None, settings: Mapping[str, str] | None = None) -> str:
    """Return the call that builds the compiled optimizer anew, with another learning rate or further settings."""
    facts, settings = run.facts.optimizer, settings or {}
    name = facts.name if facts is not None and facts.name in KNOWN_OPTIMIZERS else "Adam"
    rate = rate if rate is not None else learning_rate(run)
    arguments = {"learning_rate": number(rate)} if rate else {}
    if facts is not None and facts.name == name and facts.momentum and "momentum" not in settings:
        arguments["momentum"] = number(facts.momentum)
    if facts is not None and facts.clipnorm and "clipnorm" not in settings:
        arguments["clipnorm"] = number(facts.clipnorm)
    return f"keras.optimizers.{name}({_join({**arguments, **settings})})"


def _join(arguments: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in arguments.items())


def loss_code(facts: Facts, changes: Mapping[str, str] | None = None) -> str:
    """Return the `loss` argument as compiled, with the losses of some outputs changed.

    Args:
        facts: The model.
        changes: New loss as code, by name of the output. Defaults to none.
    """
    changes = changes or {}
    if any(output.loss.kind in ("custom", "none") and output.name not in changes for output in facts.outputs):
        return "model.loss"
    losses = {output.name: changes.get(output.name, _one_loss(output)) for output in facts.outputs}
    if len(losses) == 1:
        return next(iter(losses.values()))
    return "{" + ", ".join(f"{quoted(name)}: {loss}" for name, loss in losses.items()) + "}"


def _one_loss(output: OutputFacts) -> str:
    return one_loss_code(output.loss.kind, bool(output.loss.from_logits), output.loss.ignore_class)


def one_loss_code(kind: str, from_logits: bool = False, ignore_class: int | None = None) -> str:
    """Return a loss as code: its name, or the call where it has settings of its own."""
    settings = {"from_logits": "True"} if from_logits else {}
    if ignore_class is not None:
        settings["ignore_class"] = repr(ignore_class)
    if not settings or kind not in FLAGGED_LOSSES:
        return quoted(kind)
    return f"keras.losses.{FLAGGED_LOSSES[kind]}({_join(settings)})"


def compile_code(
    run: Run,
    rate: float | None = None,
    losses: Mapping[str, str] | None = None,
    metrics: str | None = None,
    settings: Mapping[str, str] | None = None,
) -> str:
    """Return the `compile` call of this model with a fix worked in.

    Args:
        run: The run.
        rate: New learning rate. Defaults to `None`: the present one.
        losses: New losses as code, by name of the output. Defaults to none.
        metrics: New metrics as code. Defaults to `None`: those of `KNOWN_METRICS` that the run reports.
        settings: Further arguments of the optimizer, as code. Defaults to none.
    """
    arguments = {"optimizer": optimizer_code(run, rate, settings), "loss": loss_code(run.facts, losses)}
    reported = run.observations[-1].metrics if run.observations else {}
    known = [name for name in KNOWN_METRICS if name in reported]
    if metrics is None and known:
        metrics = f"[{', '.join(map(quoted, known))}]"
    if metrics is not None:
        arguments["metrics"] = metrics
    in_one_line = f"model.compile({_join(arguments)})"
    if len(in_one_line) <= MAX_WIDTH:
        return in_one_line
    return "\n".join(["model.compile(", *(f"    {name}={value}," for name, value in arguments.items()), ")"])


def identifier(name: str) -> str:
    """Return a layer's name as a Python variable name."""
    word = re.sub(r"\W", "_", name.rsplit("/", maxsplit=1)[-1])
    return f"layer_{word}" if not word.isidentifier() or keyword.iskeyword(word) else word


def getter_code(name: str) -> str:
    """Return the expression that finds a layer, also one inside nested models ("outer/inner")."""
    return "model" + "".join(f".get_layer({quoted(part)})" for part in name.split("/"))


def quoted(text: str) -> str:
    """Return a text as a Python string literal in double quotes."""
    return json.dumps(text, ensure_ascii=False)


def layer_code(layer: LayerFacts, changes: Mapping[str, object]) -> str:
    """Return the lines that build a layer anew with changed configuration values."""
    return f"# in place of layer {quoted(layer.name)}\n{_layer_call(layer, changes)}"


def _layer_call(layer: LayerFacts, changes: Mapping[str, object]) -> str:
    name = layer.name.split("/")[-1]
    target = identifier(layer.name)
    is_known = layer.activation != "unknown" or "activation" in changes
    if layer.kind == "Dense" and layer.config.get("units") and is_known:
        given = {"activation": layer.activation} if layer.activation not in ("linear", "unknown") else {}
        flags = {} if layer.config.get("use_bias", True) else {"use_bias": False}
        units = changes.get("units", layer.config["units"])
        rest = {key: value for key, value in (given | flags | dict(changes)).items() if key != "units"}
        arguments = "".join(f", {key}={_literal(value)}" for key, value in rest.items())
        return f"{target} = keras.layers.Dense({units}{arguments}, name={quoted(name)})"
    if layer.family == "activation" and "activation" in changes:
        chosen = _literal(changes["activation"])
        return f"{target} = keras.layers.Activation({chosen}, name={quoted(name)})"
    getter = getter_code(layer.name)
    changed = ", ".join(f'"{key}": {_literal(value)}' for key, value in changes.items())
    if layer.kind not in WRAPPERS:
        return f"{target} = {getter}.__class__.from_config(\n    {getter}.get_config() | {{{changed}}}\n)"
    return (
        f"config = {getter}.get_config()\n"
        'for part in {"layer", "backward_layer"} & config.keys():\n'
        f'    config[part]["config"] |= {{{changed}}}\n'
        f"{target} = {getter}.__class__.from_config(config)"
    )


def _literal(value: object) -> str:
    return quoted(value) if isinstance(value, str) else repr(value)


def layers_code(run: Run, names: tuple[str, ...], changes: Mapping[str, object]) -> str:
    """Return the code for each layer that takes these changes; at most five, the rest named in a comment."""
    layers = [layer for layer in map(run.facts.layer, names) if layer is not None]
    lines = [layer_code(layer, changes) for layer in layers[:5]]
    if len(layers) > 5:
        lines.append("# the same for " + ", ".join(quoted(layer.name) for layer in layers[5:]))
    return "\n".join(lines)
