"""What the model of a family sees, and the arms that go by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from benchmarks.hudd.rq2.job import CEILING
from benchmarks.hudd.rq2.material import Family, Pictured
from deepdebug.hudd.clusters import cluster
from deepdebug.hudd.explaining import HeatmapSettings, Labelled, Subject, ask, explain_failures
from deepdebug.hudd.heatmap_layers import heatmap_layers
from deepdebug.hudd.images import ArrayImages
from deepdebug.hudd.tested import Tested, judged_classes, judged_values
from deepdebug.hudd.viewing import views_of
from deepdebug.retraining.arms import Plan, Pool, plan
from deepdebug.retraining.asked import TrainSettings
from deepdebug.retraining.assigning import assign
from deepdebug.retraining.looking import Looker, member_vectors
from deepdebug.retraining.nearness import nearness
from deepdebug.retraining.quotas import quotas
from deepdebug.retraining.running import Material, carry_out
from deepdebug.simulate.training import SCALE

Arrays = Mapping[str, npt.NDArray[Any]]
BATCH = 256


def see(family: Family, model: keras.Model, folder: Path) -> dict[str, npt.NDArray[Any]]:
    """Group the failures in the test set and look at the improvement set, as `deepdebug hudd assign` does.

    Args:
        family: The family.
        model: Its model.
        folder: Where heatmaps may lie.

    Returns:
        `failed` and `labels` of the test pictures (-1 for those that do not fail), `members`, and `vectors`, `scores`
        and `outputs` of the pictures to choose from.
    """
    subject = Subject(model, family.name, "")
    answered = ask(subject, _labelled(family, family.test), family.rule, names=family.outputs)
    settings = HeatmapSettings(heatmap_layers(model))
    if not family.classes:
        settings = HeatmapSettings(heatmap_layers(model), target="worst", reference=family.test.targets)
    images = ArrayImages(family.test.pictures * SCALE, batch_size=BATCH)
    heatmaps = explain_failures(subject, images, answered, settings, folder)
    views = views_of(heatmaps)
    labels = np.full(len(family.test.targets), -1)
    labels[list(answered.failing_rows)] = cluster(views).labels
    members, scales = member_vectors(views)
    looker, others = (
        Looker(subject, settings, scales),
        ArrayImages(family.improvement.pictures * SCALE, batch_size=BATCH),
    )
    seen = [looker(others, batch) for batch in others.batches(range(len(others.names)), _never)]
    parts = {name: np.concatenate([getattr(one, name) for one in seen]) for name in ("vectors", "scores", "outputs")}
    return {"failed": answered.tested.failed, "labels": labels, "members": members, **parts}


class Arms:
    """All arms of a family.

    Args:
        family: The family.
        seen: From `see`.
        model: Loads the model, compiled.
        factor: The selection factor.
        settings: How each is trained. Defaults to those of `deepdebug hudd retrain`.
    """

    def __init__(
        self,
        family: Family,
        seen: Arrays,
        model: Callable[[], keras.Model],
        factor: float,
        settings: TrainSettings | None = None,
    ) -> None:
        self._family, self._seen = family, seen
        self._settings = settings or TrainSettings()
        labels = seen["labels"][seen["failed"]]
        near = nearness(seen["vectors"], seen["members"], labels)
        wanted = quotas(np.bincount(labels).tolist(), len(family.test.targets), len(seen["vectors"]), factor=factor)
        unsafe = assign(near, wanted.tolist())
        self._pool = Pool(
            training=len(family.training.targets),
            improvement=len(family.improvement.targets),
            unsafe=unsafe,
            bag_size=int(np.bincount(unsafe.clusters).max()),
            scores=seen["scores"] if family.classes else None,
            wrong=lambda rows: self._judged(rows).failed,
            validation=self._settings.validation,
        )
        training, improvement = family.training.pictures, family.improvement.pictures
        self._material = Material(
            model,
            lambda rows: training[rows] * SCALE,
            family.training.targets,
            lambda rows: improvement[rows] * SCALE,
            _labelled(family, family.test),
            family.rule,
            family.outputs,
        )

    def run(self, arm: str, number: int, seed: int) -> dict[str, Any]:
        """Retrain once and return everything about it.

        Args:
            arm: Name of the arm.
            number: Of the run, from 1.
            seed: Of all runs.
        """
        planned = self._everything(number, seed) if arm == CEILING else plan(self._pool, arm, number, seed)
        found = carry_out(planned, self._family.improvement.targets[planned.labelled], self._material, self._settings)
        failed, chosen = self._judged(planned.labelled).failed, self._family.improvement.planted
        return {
            "arm": arm,
            "labels": len(planned.labelled),
            "bag": len(planned.bag),
            "clusters": len(np.unique(self._pool.unsafe.clusters)),
            "precision": failed.mean(),
            "chosen": {cause: inside[planned.labelled].mean() for cause, inside in chosen.items()},
            "before": _accuracies(self._seen["failed"], self._family.test),
            "after": None if found.tested is None else _accuracies(found.tested.failed, self._family.test),
            "best_epoch": found.trained.best_epoch,
            "epochs": len(found.trained.curves.get("loss", ())),
            "seconds": found.trained.seconds,
            "note": planned.note,
        }

    def _everything(self, number: int, seed: int) -> Plan:
        """Return the plan of labelling all pictures, each of which is in the bag once."""
        like = plan(self._pool, "BL2", number, seed)
        rows = np.random.default_rng([like.seed, 2]).permutation(self._pool.improvement)
        apart = round(self._pool.validation * len(rows))
        return Plan(
            CEILING, number, like.seed, np.sort(rows), like.training, like.training_apart, rows[apart:], rows[:apart]
        )

    def _judged(self, rows: npt.NDArray[np.int64]) -> Tested:
        names, right = [str(row) for row in rows], self._family.improvement.targets[rows]
        if self._family.classes:
            return judged_classes(names, self._family.classes, self._seen["scores"][rows], right, self._family.rule)
        return judged_values(names, self._family.outputs, self._seen["outputs"][rows], right, self._family.rule)


def _accuracies(failed: npt.NDArray[np.bool_], test: Pictured) -> dict[str, float]:
    """Return the share of right answers over all pictures, and in the region of each cause."""
    return {"all": 1 - failed.mean(), **{cause: 1 - failed[inside].mean() for cause, inside in test.planted.items()}}


def _labelled(family: Family, part: Pictured) -> Labelled:
    return Labelled(ArrayImages(part.pictures * SCALE, batch_size=BATCH), part.targets, family.classes)


def _never(_number: int, error: Exception) -> None:
    raise error
