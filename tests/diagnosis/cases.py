"""Findings and runs built by hand for the tests of the diagnosis."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from deepdebug.facts import DataFacts, Facts, InputFacts, LabelFacts, LossFacts, OptimizerFacts, OutputFacts
from deepdebug.observation import Run
from deepdebug.records import Finding
from tests.factory import classifier_facts, dense, kernel, observation

WHERE = {"DD1": "FW", "DD2": "DW", "DD3": "M", "DD4": "CONFIG"}
AT_WEIGHTS = ("DD201", "DD203", "DD209", "DD210")


def finding(code: str, severity: str = "warn", layer: str | None = None, **changes: Any) -> Finding:
    base = Finding(
        code=code, symptom=f"symptom-{code.lower()}", abbreviation="XX", severity=severity, confidence="strong",
        layer=layer, location="W" if code in AT_WEIGHTS else WHERE.get(code[:3], "M"), epoch=4, step=500, value=0.9,
        threshold=0.5, message=f"{code} measured 0.9", healthy="below 0.5",
    )  # fmt: skip
    return replace(base, **changes)


def inputs(**changes: Any) -> InputFacts:
    base = InputFacts(
        "input", (4,), "float32", minimum=-2.0, maximum=2.0, features=4, median_absolute=0.7, scale_ratio=1.5,
        first_learning_layer="hidden",
    )  # fmt: skip
    return replace(base, **changes)


def labels(**changes: Any) -> LabelFacts:
    base = LabelFacts(
        "output", (3,), "float32", 3200, integer=True, minimum=0.0, maximum=1.0, distinct=2, one_hot=True,
        rows_sum_to_one=True, class_counts=(1066, 1067, 1067),
    )  # fmt: skip
    return replace(base, **changes)


def class_labels(**changes: Any) -> LabelFacts:
    """Labels that are whole numbers, one per row."""
    base = labels(shape=(), one_hot=False, rows_sum_to_one=False, maximum=2.0, distinct=3)
    return replace(base, **changes)


def data(input_changes: dict[str, Any] | None = None, label: LabelFacts | None = None) -> DataFacts:
    return DataFacts(3200, True, (inputs(**(input_changes or {})),), (label or labels(),))


def facts_with(activation: str, loss: str, units: int = 3, hidden: str = "relu", **changes: Any) -> Facts:
    """A two-layer model with this last activation and loss."""
    output = OutputFacts("output", "head", activation, "head", (units,), LossFacts(loss, loss))
    base = classifier_facts(
        layers=(dense("hidden", activation=hidden, inputs=("input",)), dense("head", units, activation, ("hidden",))),
        variables=(kernel("hidden"), kernel("head", (8, units))),
        outputs=(output,),
        data=data(),
    )
    return replace(base, **changes)


def sgd(rate: float) -> OptimizerFacts:
    return OptimizerFacts("SGD", rate, momentum=0.0)


def history(facts: Facts, ratio: float | None = 1e-3, std: float = 0.5, epochs: int = 5, **changes: Any) -> Run:
    """A run whose kernels start at `std` and whose updates move them by `ratio` of their size at every check."""
    seen = []
    for epoch in range(-1, epochs):
        base = observation(facts, epoch, **changes)
        update = None if ratio is None else ratio * 0.3
        variables = tuple(replace(one, std=std, update_rms=update) for one in base.variables)
        seen.append(replace(base, variables=variables))
    return Run(facts, seen)
