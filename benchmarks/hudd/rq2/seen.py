"""What the model of a family sees, and the arms that go by it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from benchmarks.hudd.rq2.job import CEILING, MODES, OURS
from benchmarks.hudd.rq2.material import Family, Pictured
from deepdebug.hudd.clusters import cluster
from deepdebug.hudd.explaining import HeatmapSettings, Labelled, Subject, ask, explain_failures
from deepdebug.hudd.heatmap_layers import heatmap_layers
from deepdebug.hudd.images import ArrayImages, arrays_hash
from deepdebug.hudd.viewing import views_of
from deepdebug.retraining.answers import Answers
from deepdebug.retraining.arms import Plan, Pool, check_fair, plan
from deepdebug.retraining.asked import TrainSettings
from deepdebug.retraining.looking import Looker, member_vectors
from deepdebug.retraining.quotas import quotas
from deepdebug.retraining.running import Material, Outcome, carry_out, check_same_start
from deepdebug.retraining.selecting import select
from deepdebug.simulate.training import SCALE

BATCH = 256
TEST, UNSEEN = "test", "unseen"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a model sees.

    Args:
        failed: Which pictures of the test it gets wrong.
        unseen_failed: The same of the second test.
        labels: The cluster of every failure.
        members: Short vectors of the failures.
        vectors: Those of the pictures to choose from.
        scores: What it says about these before its last activation.
        outputs: As it gives them.
    """

    failed: npt.NDArray[np.bool_]
    unseen_failed: npt.NDArray[np.bool_]
    labels: npt.NDArray[np.intp]
    members: npt.NDArray[np.float32]
    vectors: npt.NDArray[np.float32]
    scores: npt.NDArray[Any]
    outputs: npt.NDArray[Any]


def see(family: Family, improvement: Pictured, model: keras.Model, folder: Path) -> Seen:
    """Group the failures in the test set and look at the improvement set, as `deepdebug hudd assign` does.

    Args:
        family: The family.
        improvement: The pictures to choose from.
        model: Its model.
        folder: Where heatmaps may lie.
    """
    subject = Subject(model, family.name, "")
    answered = ask(subject, _labelled(family, family.test), family.rule, names=family.outputs)
    settings = HeatmapSettings(heatmap_layers(model))
    if not family.classes:
        settings = HeatmapSettings(heatmap_layers(model), target="worst", reference=family.test.targets)
    images = ArrayImages(family.test.pictures * SCALE, batch_size=BATCH)
    views = views_of(explain_failures(subject, images, answered, settings, folder))
    members, scales = member_vectors(views)
    looker, others = Looker(subject, settings, scales), ArrayImages(improvement.pictures * SCALE, batch_size=BATCH)
    seen = [looker(others, batch) for batch in others.batches(range(len(others.names)), _never)]
    return Seen(
        answered.tested.failed,
        _failed(family, model, family.unseen),
        cluster(views).labels,
        members,
        *(np.concatenate([getattr(one, name) for one in seen]) for name in ("vectors", "scores", "outputs")),
    )


class Arms:
    """All arms of a run.

    Args:
        family: The family.
        run: Number of the run, from 1.
        model: Loads the model, compiled.
        factor: The selection factor.
        settings: How each is trained. Defaults to those of `deepdebug hudd retrain`.

    Attributes:
        start: A hash of the weights of the model.
    """

    def __init__(
        self,
        family: Family,
        run: int,
        model: Callable[[], keras.Model],
        factor: float,
        settings: TrainSettings | None = None,
    ) -> None:
        self._family, self._run, self._improvement = family, run, family.improvement(run)
        self._settings = settings or TrainSettings()
        with tempfile.TemporaryDirectory() as folder:
            first = model()
            self._seen = seen = see(family, self._improvement, first, Path(folder))
        self.start = arrays_hash(first.get_weights())
        is_class = bool(family.classes)
        columns = family.classes if is_class else family.outputs
        self._answers = Answers(columns, is_class, family.rule, seen.scores, seen.outputs)
        self._pools = {arm: self._pool(mode, factor) for arm, mode in MODES.items()}
        known, improvement = family.training.pictures, self._improvement.pictures
        self._material = Material(
            model,
            lambda rows: known[rows] * SCALE,
            family.training.targets,
            lambda rows: improvement[rows] * SCALE,
            _labelled(family, family.test),
            family.rule,
            family.outputs,
        )

    def _pool(self, mode: str, factor: float) -> Pool:
        seen = self._seen
        wanted = quotas(np.bincount(seen.labels).tolist(), len(seen.failed), len(seen.vectors), factor=factor)
        unsafe = select(
            mode, wanted, vectors=seen.vectors, scores=seen.scores, members=seen.members, labels=seen.labels
        )
        training = len(self._family.training.targets)
        return self._answers.pool(unsafe, self._wrong, training=training, settings=self._settings)

    def results(self, arms: Sequence[str], seed: int, done: Container[str] = ()) -> Iterator[dict[str, Any]]:
        """Retrain every arm once and yield everything about it.

        Args:
            arms: Names of the arms.
            seed: Of all runs.
            done: Arms that are done already and left out. Defaults to none.
        """
        plans = {arm: self._planned(arm, seed) for arm in arms}
        check_fair([one for arm, one in plans.items() if arm != CEILING])
        for arm, planned in plans.items():
            if arm in done:
                continue
            outcome = carry_out(planned, self._improvement.targets[planned.labelled], self._material, self._settings)
            check_same_start({"the model": self.start, arm: outcome.start})
            yield {"arm": arm, **self._about(planned), **self._reached(outcome)}

    def _about(self, planned: Plan) -> dict[str, Any]:
        return {
            "labels": len(planned.labelled),
            "bag": len(planned.bag),
            "clusters": len(np.unique(self._pools.get(planned.arm, self._pools[OURS]).unsafe.clusters)),
            "precision": self._wrong(planned.labelled).mean(),
            "chosen": {cause: inside[planned.labelled].mean() for cause, inside in self._improvement.planted.items()},
            "note": planned.note,
        }

    def _reached(self, outcome: Outcome) -> dict[str, Any]:
        family, trained, after = self._family, outcome.trained, None
        if outcome.tested is not None:
            after = {
                TEST: _accuracies(outcome.tested.failed, family.test),
                UNSEEN: _accuracies(_failed(family, trained.model, family.unseen), family.unseen),
            }
        return {
            "before": {
                TEST: _accuracies(self._seen.failed, family.test),
                UNSEEN: _accuracies(self._seen.unseen_failed, family.unseen),
            },
            "after": after,
            "start": outcome.start,
            "best_epoch": trained.best_epoch,
            "epochs": len(trained.curves.get("loss", ())),
            "seconds": trained.seconds,
        }

    def _planned(self, arm: str, seed: int) -> Plan:
        if arm == CEILING:
            return self._everything(seed)
        if arm in self._pools:
            return replace(plan(self._pools[arm], OURS, self._run, seed), arm=arm)
        return plan(self._pools[OURS], arm, self._run, seed)

    def _everything(self, seed: int) -> Plan:
        """Return the plan of labelling all pictures, each of which is in the bag once."""
        pool, like = self._pools[OURS], self._planned("BL2", seed)
        rows = np.random.default_rng([like.seed, 2]).permutation(pool.improvement)
        apart = round(pool.validation * len(rows))
        return replace(like, arm=CEILING, labelled=np.sort(rows), bag=rows[apart:], bag_apart=rows[:apart])

    def _wrong(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        return self._answers.wrong(rows, self._improvement.targets[rows])


def _failed(family: Family, model: keras.Model, part: Pictured) -> npt.NDArray[np.bool_]:
    return ask(
        Subject(model, family.name, ""), _labelled(family, part), family.rule, names=family.outputs
    ).tested.failed


def _accuracies(failed: npt.NDArray[np.bool_], test: Pictured) -> dict[str, float]:
    """Return the share of right answers over all pictures, and in the region of each cause."""
    return {"all": 1 - failed.mean(), **{cause: 1 - failed[inside].mean() for cause, inside in test.planted.items()}}


def _labelled(family: Family, part: Pictured) -> Labelled:
    return Labelled(ArrayImages(part.pictures * SCALE, batch_size=BATCH), part.targets, family.classes)


def _never(_number: int, error: Exception) -> None:
    raise error
