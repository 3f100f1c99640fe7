"""Facts read from real models, and fixes run on these models."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import keras
import numpy as np

from deepdebug.detectors.registry import Detector
from deepdebug.diagnosis.case import Case
from deepdebug.diagnosis.fixes import remedy
from deepdebug.diagnosis.tree import improper_data, tune_learn, weight_initialization
from deepdebug.facts import FitFacts
from deepdebug.model.layers import input_names
from deepdebug.model.observer import Observer
from deepdebug.model.sample import Sample, named_arrays
from deepdebug.observation import Run
from deepdebug.observe.data import describe_data
from deepdebug.observe.data_flow import with_data_flow
from deepdebug.records import Finding, Fix

ROWS = 12


def normal(*shape: int) -> Any:
    return np.random.default_rng(0).normal(size=(ROWS, *shape)).astype("float32")


def whole(low: int, high: int, *shape: int) -> Any:
    """Whole numbers from `low` to `high`, both of which occur."""
    return (np.arange(ROWS * int(np.prod(shape))) % (high - low + 1) + low).reshape(ROWS, *shape)


def read(model: keras.Model, x: Any, y: Any) -> Run:
    """What is known of a compiled model and its data before the first update."""
    are_texts = keras.tree.flatten(y)[0].dtype.kind == "U"  # of which some backends make no tensor
    observer = Observer(model, FitFacts("arrays", rows=ROWS, batch_size=4), Sample(x, None if are_texts else y))
    names = [output.name for output in observer.facts.outputs]
    data = describe_data(named_arrays(x, input_names(model)), named_arrays(y, names), complete=True)
    return Run(with_data_flow(replace(observer.facts, data=data)))


def seen_once(model: keras.Model, x: Any, y: Any) -> Run:
    """The same with the observation before the first update."""
    sample = Sample(x, y)
    observer = Observer(model, FitFacts("arrays", rows=ROWS, batch_size=4), sample)
    return replace(read(model, x, y), observations=[observer.observe(-1, "begin", {}, sample)])


def case_of(run: Run, *findings: Finding) -> Case:
    answers = (improper_data(run), weight_initialization(run), tune_learn(run))
    return Case(run, findings, {answer.test: answer for answer in answers})


def found_by(detector: Detector, run: Run) -> Finding:
    """The one finding of a detector."""
    (finding,) = detector.detect(run)
    return finding


def fix_of(cause: str, run: Run, *findings: Finding) -> Fix:
    return remedy(cause, case_of(run, *findings)).fix


def execute(snippet: str, **names: Any) -> dict[str, Any]:
    """Run a snippet where `keras`, `np` and these names exist; return all names afterwards."""
    names = {"keras": keras, "np": np} | names
    exec(compile(snippet, "<fix>", "exec"), names)  # noqa: S102  the code under test is our own text
    return names


def train(names: dict[str, Any]) -> float:
    """Train the model of these names for one epoch; return the loss."""
    fitted = names["model"].fit(names["x_train"], names["y_train"], batch_size=4, verbose=0)
    return float(fitted.history["loss"][-1])
