"""What the original model says about the images to choose from, before anybody knows what is right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from deepdebug.hudd.tested import FailureRule, judged_classes, judged_values
from deepdebug.retraining.arms import Pool
from deepdebug.retraining.asked import TrainSettings
from deepdebug.retraining.assigning import Chosen, Ints

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers of the original model.

    Args:
        columns: Names of the classes, or of what is predicted.
        is_class: Whether it is a classifier.
        rule: When an answer is a failure: "label", or "loss" with a threshold of its own.
        scores: Array of shape (images, outputs): before the last activation.
        outputs: Array of shape (images, outputs): as the model gives them.
    """

    columns: tuple[str, ...]
    is_class: bool
    rule: FailureRule
    scores: Array
    outputs: Array

    def wrong(self, rows: Ints, right: Array) -> npt.NDArray[np.bool_]:
        """Return which images the model gets wrong, shape (rows,).

        Args:
            rows: The images.
            right: What is right about them: classes of shape (rows,), or values of shape (rows, outputs).
        """
        if not len(rows):
            return np.zeros(0, np.bool_)
        names = [str(row) for row in rows]
        if self.is_class:
            return judged_classes(names, self.columns, self.scores[rows], right, self.rule).failed
        return judged_values(names, self.columns, self.outputs[rows], right, self.rule).failed

    def pool(
        self,
        chosen: Chosen,
        wrong: Callable[[Ints], npt.NDArray[np.bool_]],
        *,
        training: int,
        settings: TrainSettings,
        weights: str = "uniform",
        marked: Ints | None = None,
    ) -> Pool:
        """Return what the plans of all arms are made from.

        Args:
            chosen: The unsafe set, marked images included.
            wrong: Says which images the model gets wrong; asks labels.
            training: Number of images of the training set.
            settings: How is trained.
            weights: How HUDD's bag is drawn, see `balanced_bag`. Defaults to "uniform".
            marked: Images that nobody can label, as rows. Defaults to `None`: none.
        """
        marked = np.zeros(0, np.int64) if marked is None else marked
        usable = chosen.without(marked)
        return Pool(
            training=training,
            improvement=len(self.scores),
            unsafe=usable,
            bag_size=int(np.unique(usable.clusters, return_counts=True)[1].max(initial=0)),
            scores=self.scores if self.is_class else None,
            wrong=wrong,
            validation=settings.validation,
            weights=weights,
            marked=marked,
            drawn=len(chosen),
        )
