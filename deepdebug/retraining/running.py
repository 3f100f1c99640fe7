"""Carries out a plan: trains, keeps the model if it can be used, and tests it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from deepdebug.hudd.explaining import NOT_FINITE, Labelled, NoFiniteAnswer, Subject, ask
from deepdebug.hudd.images import arrays_hash
from deepdebug.hudd.tested import FailureRule, Tested
from deepdebug.retraining.arms import Plan
from deepdebug.retraining.asked import TrainSettings
from deepdebug.retraining.training import Data, Examples, Inputs, Train, Trained, compiled, train, train_by

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Material:
    """What all retrainings share.

    Args:
        model: Loads the model with its original weights, compiled or not.
        training: Returns images of the training set as the model takes them.
        expected: What is right about every image of the training set.
        improvement: Returns images of the improvement set as the model takes them.
        test: The test set.
        rule: When an answer is a failure: "label", or "loss" with a threshold that stays the same before and after.
        outputs: Names of a regression's values. Defaults to none.
    """

    model: Callable[[], keras.Model]
    training: Inputs
    expected: Array
    improvement: Inputs
    test: Labelled
    rule: FailureRule
    outputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a plan.

    Args:
        trained: The model and how it was trained.
        tested: What it says about the test set; `None` where it diverged.
        start: A hash of the weights that it began with.
    """

    trained: Trained
    tested: Tested | None
    start: str

    @property
    def accuracy(self) -> float | None:
        """Share of the test set that it gets right."""
        return None if self.tested is None else 1.0 - float(self.tested.failed.mean())


def carry_out(
    plan: Plan,
    labels: Array,
    material: Material,
    settings: TrainSettings,
    *,
    log_dir: Path | None = None,
    own: Train | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> Outcome:
    """Retrain and test.

    Args:
        plan: What is decided.
        labels: What is right about the labelled images of the plan, in their order.
        material: What all retrainings share.
        settings: How to train.
        log_dir: Folder for the report of `Diagnose`. Defaults to `None`: none is written.
        own: A function that trains instead, to which the settings are of no concern. Defaults to `None`.
        callbacks: More callbacks. Defaults to none.
    """
    # Before the model is made: random layers such as Dropout take their state when they are.
    keras.utils.set_random_seed(plan.seed)
    model = compiled(material.model(), settings, bool(material.test.classes))
    start = arrays_hash(model.get_weights())
    known = _by_row(plan.labelled, labels)
    parts = [
        Examples(material.training, material.expected, plan.training),
        Examples(material.improvement, known, plan.bag),
    ]
    apart = [
        Examples(material.training, material.expected, plan.training_apart),
        Examples(material.improvement, known, plan.bag_apart),
    ]
    data = Data.of(model, parts, apart, settings.batch_size, plan.seed)
    if own is None:
        trained = train(model, data, settings, log_dir=log_dir, callbacks=callbacks)
    else:
        trained = train_by(own, model, data)
    tested = None if trained.diverged else _tested(trained.model, plan.arm, material)
    return Outcome(trained if tested is not None else replace(trained, best_epoch=0), tested, start)


def check_same_start(starts: Mapping[str, str]) -> None:
    """Make sure that all retrainings began with the same weights.

    Args:
        starts: The hash of the weights by the name of the retraining.

    Raises:
        RuntimeError: When they did not, which would be a fault of this program, or of a model that changed meanwhile.
    """
    if len(set(starts.values())) > 1:
        raise RuntimeError(f"the retrainings began with different weights: {dict(starts)}")


def _tested(model: keras.Model, name: str, material: Material) -> Tested | None:
    """Return what a model says about the test set; `None` where an answer is not finite, which nothing would count."""
    try:
        found = ask(Subject(model, name, ""), material.test, material.rule, names=material.outputs)
    except NoFiniteAnswer:
        return None
    return None if any(reason == NOT_FINITE for _, reason in found.left_out) else found.tested


def _by_row(rows: npt.NDArray[np.int64], labels: Array) -> Array:
    """Return labels that can be asked for by row; those of other rows are 0 and never asked for."""
    found = np.zeros((int(rows.max(initial=-1)) + 1, *labels.shape[1:]), labels.dtype)
    found[rows] = labels
    return found
