"""The facts of a run as rows of words, for the tables of the reports."""

from __future__ import annotations

import math

from deepdebug.facts import Facts, InputFacts, LabelFacts, LayerFacts, OutputFacts, Shape
from deepdebug.report.report import Report
from deepdebug.report.wording import number, status

Row = tuple[str, ...]


def facts_rows(report: Report) -> list[Row]:
    """Return name and value of the main facts; what is not known is left out."""
    facts = report.run.facts
    rows = [
        ("Model", facts.model),
        ("Layers", str(len(facts.layers))),
        ("Weights", _weights(facts)),
        ("Outputs", "; ".join(_output(output) for output in facts.outputs)),
        ("Optimizer", _optimizer(facts)),
        ("Data", _data(facts)),
        ("Validation", _validation(facts)),
        ("Training", status(report)),
        ("Versions", versions(report)),
        ("Preset", report.preset),
        ("Time spent", spent(report)),
    ]
    return [(name, value) for name, value in rows if value]


def versions(report: Report) -> str:
    """Name the versions in play."""
    facts = report.run.facts
    known = {"deepdebug": report.version, **{k: v for k, v in facts.versions.items() if k != "deepdebug"}}
    text = ", ".join(f"{name} {version}" for name, version in known.items())
    return f"{text}; backend {facts.backend}" if facts.backend else text


def spent(report: Report) -> str:
    """Say how long deepdebug worked during training; empty where that is not known."""
    return "" if report.seconds is None else f"{number(report.seconds)} s of deepdebug during training"


def layer_rows(facts: Facts) -> list[Row]:
    """Return one row per layer: name, class, activation, output shape, weights, trainable."""
    return [_layer(layer, facts) for layer in facts.layers]


def input_rows(facts: Facts) -> list[Row]:
    """Return one row per model input: name, shape, type, range, median size, constant features, NaN or infinite."""
    return [_input(one) for one in facts.data.inputs] if facts.data else []


def label_rows(facts: Facts) -> list[Row]:
    """Return one row per labelled output: data set, name, shape, type, range, rows, largest and smallest class."""
    if facts.data is None:
        return []
    sets = (("training", facts.data.labels), ("validation", facts.data.validation_labels))
    return [_label(name, one) for name, labels in sets for one in labels]


def _weights(facts: Facts) -> str:
    trainable = sum(math.prod(variable.shape) for variable in facts.trainable_variables())
    frozen = sum(math.prod(variable.shape) for variable in facts.variables) - trainable
    return f"{trainable} trainable, {frozen} not trainable" if facts.variables else ""


def _output(output: OutputFacts) -> str:
    loss = output.loss.name or output.loss.kind
    logits = " from logits" if output.loss.from_logits else ""
    return f"{output.name} {shape(output.shape)}, activation {output.activation}, loss {loss}{logits}"


def _optimizer(facts: Facts) -> str:
    optimizer = facts.optimizer
    if optimizer is None:
        return ""
    rate = "" if optimizer.learning_rate is None else f", learning rate {number(optimizer.learning_rate)}"
    clip = "" if optimizer.clipnorm is None else f", gradient clipped at {number(optimizer.clipnorm)}"
    return f"{optimizer.name}{rate}{' (scheduled)' if optimizer.scheduled else ''}{clip}"


def _data(facts: Facts) -> str:
    fit = facts.fit
    parts = [f"source {fit.source}"]
    if fit.rows is not None:
        parts.append(f"{fit.rows} rows")
    if fit.batch_size is not None:
        parts.append(f"batches of {fit.batch_size}")
    if fit.shuffle is not None:
        parts.append("shuffled" if fit.shuffle else "not shuffled")
    if facts.data is not None:
        parts.append(f"{facts.data.rows} rows examined")
    return ", ".join(parts)


def _validation(facts: Facts) -> str:
    rows = facts.fit.validation_rows
    return facts.fit.validation if rows is None else f"{facts.fit.validation}, {rows} rows"


def _layer(layer: LayerFacts, facts: Facts) -> Row:
    weights = sum(math.prod(variable.shape) for variable in facts.variables if variable.layer == layer.name)
    trainable = ("yes" if layer.trainable else "no") if weights else ""
    return layer.name, layer.kind, layer.activation, shape(layer.output_shape), str(weights), trainable


def _input(one: InputFacts) -> Row:
    scope = f"{number(one.minimum)} to {number(one.maximum)}"
    median = number(one.median_absolute)
    return one.name, shape(one.shape), one.dtype, scope, median, str(one.constant_features), str(one.non_finite)


def _label(data_set: str, one: LabelFacts) -> Row:
    scope = f"{number(one.minimum)} to {number(one.maximum)}"
    counts = f"{max(one.class_counts)} / {min(one.class_counts)}" if one.class_counts else "-"
    return data_set, one.name, shape(one.shape), one.dtype, scope, str(one.rows), counts


def shape(sizes: Shape | None) -> str:
    """Write a shape without the batch axis.

    >>> shape((None, 8)), shape(()), shape(None)
    ('(?, 8)', '()', '?')
    """
    return "?" if sizes is None else "(" + ", ".join("?" if size is None else str(size) for size in sizes) + ")"
