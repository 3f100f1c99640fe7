"""Runs that have not begun, for the detectors of configuration and data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from deepdebug.detectors import Detector
from deepdebug.facts import DataFacts, Facts, FitFacts, InputFacts, LabelFacts, LayerFacts, LossFacts, OutputFacts
from deepdebug.observation import Run
from tests.factory import classifier_facts, dense

ROWS = 1000
CROSS_ENTROPIES = ("categorical_crossentropy", "sparse_categorical_crossentropy", "binary_crossentropy")


def one_output(
    activation: str,
    loss: str,
    labels: LabelFacts | None = None,
    shape: tuple[int | None, ...] = (3,),
    from_logits: bool = False,
    *,
    backend: str = "jax",
    **loss_changes: Any,
) -> Run:
    """A model of two dense layers with this last activation, loss and labels."""
    flag = from_logits if loss in CROSS_ENTROPIES else None
    output = OutputFacts("output", "head", activation, "head", shape, LossFacts(loss, loss, flag, **loss_changes))
    head = replace(dense("head", shape[-1] or 1 if shape else 1, activation, ("hidden",)), output_shape=shape)
    data = DataFacts(ROWS, True, (standardised(),), () if labels is None else (labels,))
    layers = (dense("hidden", inputs=("input",)), head)
    return Run(classifier_facts(layers=layers, outputs=(output,), data=data, backend=backend))


def with_layers(*layers: LayerFacts, fit: FitFacts | None = None, data: DataFacts | None = None) -> Run:
    """A softmax classifier of these layers; each is fed by the one before where it does not say otherwise."""
    names = ["input", *(layer.name for layer in layers)]
    fed = [one if one.inputs else replace(one, inputs=(names[index],)) for index, one in enumerate(layers)]
    facts = classifier_facts(layers=tuple(fed), data=data)
    last = replace(facts.outputs[0], layer=fed[-1].name, activation=fed[-1].activation, activation_layer=fed[-1].name)
    return Run(replace(facts, outputs=(last,), fit=fit or facts.fit))


def with_data(facts: Facts | None = None, fit: FitFacts | None = None, **data: Any) -> Run:
    """A healthy classifier with these `DataFacts`."""
    facts = facts or classifier_facts()
    known = {"inputs": (standardised(),), "labels": (class_numbers(),), **data}
    return Run(replace(facts, fit=fit or facts.fit, data=DataFacts(**{"rows": ROWS, "complete": True, **known})))


def layer(name: str, kind: str, family: str, **changes: Any) -> LayerFacts:
    return LayerFacts(name, kind, family, **changes)


def standardised(name: str = "input", **changes: Any) -> InputFacts:
    """An input as a normalised table has it."""
    base = InputFacts(
        name, (20,), "float32", minimum=-4.0, maximum=4.1, features=20, median_absolute=0.67, scale_ratio=1.2,
        first_learning_layer="hidden",
    )  # fmt: skip
    return replace(base, **changes)


def class_numbers(classes: int = 3, shape: tuple[int, ...] = (), **changes: Any) -> LabelFacts:
    base = LabelFacts(
        "output", shape, "int64", ROWS, integer=True, minimum=0.0, maximum=classes - 1.0, mean=(classes - 1) / 2,
        variance=(classes**2 - 1) / 12, distinct=classes, class_counts=(ROWS // classes,) * classes,
        sorted_fraction=0.02,
    )  # fmt: skip
    return replace(base, **changes)


def one_hot(classes: int = 3, shape: tuple[int, ...] | None = None, **changes: Any) -> LabelFacts:
    base = LabelFacts(
        "output", shape or (classes,), "float32", ROWS, integer=True, minimum=0.0, maximum=1.0, mean=1 / classes,
        variance=0.2, distinct=2, one_hot=True, rows_sum_to_one=True, class_counts=(ROWS // classes,) * classes,
        sorted_fraction=0.02,
    )  # fmt: skip
    return replace(base, **changes)


def multi_hot(columns: int = 3) -> LabelFacts:
    return one_hot(columns, one_hot=False, rows_sum_to_one=False, class_counts=())


def numbers(minimum: float = -2.5, maximum: float = 2.5, shape: tuple[int, ...] = (), **changes: Any) -> LabelFacts:
    """Labels of a regression, spread evenly."""
    base = LabelFacts(
        "output", shape, "float32", ROWS, minimum=minimum, maximum=maximum, mean=(minimum + maximum) / 2,
        variance=(maximum - minimum) ** 2 / 12, median_deviation=(maximum - minimum) / 4, distinct=1001,
    )  # fmt: skip
    return replace(base, **changes)


def severities(run: Run, detectors: Iterable[Detector]) -> dict[str, str]:
    """Return the severity of every finding by code; fails where a detector says something twice."""
    found = [finding for detector in detectors for finding in detector.detect(run)]
    assert len(found) == len({finding.code for finding in found})
    return {finding.code: finding.severity for finding in found}
