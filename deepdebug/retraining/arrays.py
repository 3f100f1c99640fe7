"""Choosing what to label and retraining, on arrays in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from deepdebug.errors import ImageError, UsageError
from deepdebug.hudd.arrays import Result, labelled_images
from deepdebug.hudd.images import ArrayImages
from deepdebug.retraining.answers import Answers
from deepdebug.retraining.arms import Plan, check_fair, plan
from deepdebug.retraining.asked import Choice, Retraining
from deepdebug.retraining.assigning import Chosen
from deepdebug.retraining.filling import refuse_empty
from deepdebug.retraining.looking import Looker, Seen, clustered_views, member_vectors
from deepdebug.retraining.quotas import quotas
from deepdebug.retraining.records import run_name
from deepdebug.retraining.running import Material, Outcome, carry_out, check_same_start
from deepdebug.retraining.selecting import select
from deepdebug.retraining.steps import fixed_rule
from deepdebug.retraining.training import Train

Array = npt.NDArray[Any]
Rows = npt.NDArray[np.int64]
Labels = npt.ArrayLike | Callable[[Rows], npt.ArrayLike]
EMBEDDING = "embedding"


@dataclass(frozen=True, slots=True)
class UnsafeSet:
    """The images that are worth labelling.

    Args:
        chosen: Their rows in the array of images, the cluster of each from 0, and its distance to it.
        scores: Array of shape (images, outputs): what the model says about all images, before its last activation.
        outputs: Array of shape (images, outputs): as the model gives them.
    """

    chosen: Chosen
    scores: Array
    outputs: Array


def unsafe_set(found: Result, x: npt.ArrayLike, choice: Choice | None = None, batch_size: int = 64) -> UnsafeSet:
    """Choose the images that look like the failures; nothing is known of their labels.

    Args:
        found: The failures, from `hudd.run`.
        x: Array of shape (N, ...): images as the model takes them.
        choice: How they are chosen. Defaults to `None`: by `Choice()`, half of them as in the paper.
        batch_size: Images that go through the model together. Defaults to 64.

    Raises:
        UsageError: When an image is not finite, or no cluster has two failures.

    Example:

    >>> from deepdebug import hudd
    >>> found = hudd.run(model, x_test, y_test)  # doctest: +SKIP
    >>> hudd.unsafe_set(found, x_unlabelled).chosen.images  # doctest: +SKIP
    """
    choice, asked = choice or Choice(), found.asked
    images = ArrayImages(x, batch_size=batch_size)
    views = clustered_views([one for one in asked.views if one.name != EMBEDDING], found.analysis)
    sketched = asked.settings.normalise if found.heatmaps.map is not None else None
    members, scales = member_vectors(views, sketched, asked.settings.layers)
    looker = Looker(asked.subject, asked.settings, scales)
    batches = [looker(images, batch) for batch in images.batches(range(len(images.names)), _must_be_finite)]
    seen = Seen(*(np.concatenate([getattr(one, name) for one in batches]) for name in ("vectors", "scores", "outputs")))
    sizes = [len(group.members) for group in found.analysis.groups]
    wanted = quotas(sizes, len(asked.tested.images), len(images.names), choice.quota, choice.factor)
    scores = seen.scores if asked.labelled.classes else None
    chosen = select(choice.mode, wanted, vectors=seen.vectors, scores=scores, members=members, labels=found.labels)
    return UnsafeSet(chosen, seen.scores, seen.outputs)


@dataclass(frozen=True, slots=True)
class Run:
    """One retraining.

    Args:
        plan: What was labelled and trained on.
        outcome: The model, how it was trained, and what it says about the test set.
    """

    plan: Plan
    outcome: Outcome

    @property
    def accuracy(self) -> float | None:
        """Share of the test set that the model gets right; `None` where the retraining diverged."""
        return self.outcome.accuracy


def retrain(
    found: Result,
    training: tuple[npt.ArrayLike, npt.ArrayLike],
    improvement: tuple[npt.ArrayLike, Labels],
    *,
    arms: str | Sequence[str] = ("HUDD",),
    runs: int = 1,
    asked: Retraining | None = None,
    choice: Choice | None = None,
    train: Train | None = None,
    batch_size: int = 64,
) -> list[Run]:
    """Choose images, have them labelled, retrain, and test what came of it.

    Args:
        found: The failures, from `hudd.run`, whose images are the test set.
        training: The training set, as `hudd.run` takes images and labels.
        improvement: Images to choose from, and their labels: an array, or a function that is given the rows of images
            and returns the labels of these alone.
        arms: Some of "HUDD", "BL1", "BL2" and "entropy". Defaults to HUDD alone.
        runs: Retrainings of each arm. Defaults to 1.
        asked: How it is done; its `arms` and `runs` do not count. Defaults to `None`: as `deepdebug hudd retrain` does.
        choice: How images are chosen. Defaults to `None`: by `Choice()`, half of them as in the paper.
        train: A function of your own, which takes a compiled copy of the model with the original weights and a `Data`
            of batches, and returns the trained model. Defaults to `None`: `fit` with early stopping.
        batch_size: Images that go through the model together. Defaults to 64.

    Returns:
        The runs, arm by arm, in the order above.

    Raises:
        UsageError: When arrays and model do not fit together.

    Example:

    >>> from deepdebug import hudd
    >>> found = hudd.run(model, x_test, y_test)  # doctest: +SKIP
    >>> runs = hudd.retrain(found, (x_train, y_train), (x_more, y_more), arms=["HUDD", "BL2"])  # doctest: +SKIP
    >>> [one.accuracy for one in runs]  # doctest: +SKIP
    """
    arms = (arms,) if isinstance(arms, str) else tuple(arms)
    wanted = Retraining(arms, runs) if asked is None else replace(asked, arms=arms, runs=runs)
    model = found.asked.subject.model
    known = labelled_images(model, *training, found.asked.labelled.classes, batch_size)
    x = np.asarray(improvement[0])
    label = _labeller(found, improvement[1], x)
    material = _material(found, known.expected, np.asarray(training[0]), x)
    unsafe = unsafe_set(found, x, choice, batch_size)
    refuse_empty(unsafe.chosen)
    tested, rule = found.asked.tested, fixed_rule(found.asked.rule, found.asked.tested)
    answers = Answers(tested.columns, bool(found.asked.labelled.classes), rule, unsafe.scores, unsafe.outputs)

    def wrong(rows: Rows) -> npt.NDArray[np.bool_]:
        return answers.wrong(rows, label(rows))

    pool = answers.pool(
        unsafe.chosen, wrong, training=len(known.expected), settings=wanted.settings, weights=wanted.weights
    )
    plans = [plan(pool, arm, run, wanted.seed) for arm in wanted.arms for run in range(1, wanted.runs + 1)]
    check_fair(plans)
    found_runs = [Run(one, carry_out(one, label(one.labelled), material, wanted.settings, own=train)) for one in plans]
    check_same_start({run_name(one.plan.arm, one.plan.run): one.outcome.start for one in found_runs})
    return found_runs


def _material(found: Result, expected: Array, training: Array, improvement: Array) -> Material:
    model = found.asked.subject.model
    return Material(
        model=lambda: copy_of(model),
        training=lambda rows: training[rows],
        expected=expected,
        improvement=lambda rows: improvement[rows],
        test=found.asked.labelled,
        rule=fixed_rule(found.asked.rule, found.asked.tested),
    )


def copy_of(model: keras.Model) -> keras.Model:
    """Return a copy with weights of its own, compiled as the model is.

    Args:
        model: A built model.
    """
    found = keras.models.clone_model(model)
    found.set_weights(model.get_weights())
    if model.compiled:
        found.compile_from_config(model.get_compile_config())
    return found


def _labeller(found: Result, labels: Labels, x: Array) -> Callable[[Rows], Array]:
    """Return what says which labels images have, in the form of the labels of the test set."""
    model, classes = found.asked.subject.model, found.asked.labelled.classes
    if not callable(labels) and len(np.asarray(labels)) != len(x):
        raise UsageError(f"There are {len(np.asarray(labels))} labels for {len(x)} images to choose from.")

    def of(rows: Rows) -> Array:
        said = labels(rows) if callable(labels) else np.asarray(labels)[rows]
        return labelled_images(model, x[rows], said, classes, 1).expected if len(rows) else np.zeros(0, np.int64)

    return of


def _must_be_finite(_number: int, error: ImageError) -> None:
    raise error
