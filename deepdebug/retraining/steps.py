"""Steps 5 to 7 of HUDD on a case: read the labels, draw the bags, retrain, and test what came of it.

OUT/Retraining/HUDD_01/record.json      how it was trained, and how well it does on the test set
OUT/Retraining/HUDD_01/testResult.csv   what the retrained model says about every image of the test set
OUT/Retraining/HUDD_01/diagnosis/       the report of `Diagnose`
OUT/DNNModels/HUDD_01_93.21.keras       the model; the number is its accuracy on the test set in percent
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from deepdebug.case.folder import DATA, IMPROVEMENT, MODELS, TEST, TRAINING
from deepdebug.errors import ImageError, UsageError
from deepdebug.hudd.explaining import Labelled
from deepdebug.hudd.images import FileImages, array_hash
from deepdebug.hudd.marks import fingerprint, read_mark
from deepdebug.hudd.opening import RESULTS, Opened, Request, Stage, open_case, silent
from deepdebug.hudd.tested import FailureRule, Tested, write_tested
from deepdebug.model.saved import load_model, save_model
from deepdebug.retraining.answers import Answers
from deepdebug.retraining.arms import Plan, Pool, check_fair, plan
from deepdebug.retraining.asked import Retraining, TrainSettings
from deepdebug.retraining.choosing import Unsafe, label_columns
from deepdebug.retraining.filling import ask_for_missing, lacks_labels, marked_rows, refuse_empty
from deepdebug.retraining.grouped import Grouped
from deepdebug.retraining.improvement import improvement_set
from deepdebug.retraining.jobs import run_jobs
from deepdebug.retraining.labels import FiledLabels, LabelSource
from deepdebug.retraining.records import RunRecord, read_record, run_name, versions, write_record
from deepdebug.retraining.running import Material, Outcome, carry_out, check_same_start
from deepdebug.retraining.seeing import Looked, improvement_images
from deepdebug.retraining.shards import written_over

FOLDER, RECORD, DIAGNOSIS = "Retraining", "record.json", "diagnosis"
KEPT_BYTES = 2**30  # of images that stay in memory between epochs, for each of the two sets
Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class RunJob:
    """One retraining, to be done in a process of its own.

    Args:
        request: What was asked.
        plan: What is decided about it.
        labels: What is right about the labelled images of the plan.
        settings: How it is trained.
        rule: When an answer is a failure, the same before and after.
        fingerprint: Of everything that it depends on.
    """

    request: Request
    plan: Plan
    labels: Array
    settings: TrainSettings
    rule: FailureRule
    fingerprint: str

    @property
    def folder(self) -> Path:
        """Where its results lie."""
        return self.request.out / FOLDER / run_name(self.plan.arm, self.plan.run)


def retrain(
    grouped: Grouped, looked: Looked, unsafe: Unsafe, wanted: Retraining, stage: Stage = silent
) -> list[RunRecord]:
    """Retrain the model in every arm; finished runs with the same inputs are not done again.

    Args:
        grouped: The case.
        looked: The improvement set.
        unsafe: The images that were chosen.
        wanted: What is asked of the retraining.
        stage: Is told of the beginning. Defaults to `silent`.

    Returns:
        A record of every run, arm by arm.

    Raises:
        UsageError: When a label is missing or unknown, there is no training set, or something cannot be written.
    """
    if TRAINING not in grouped.answers:
        raise UsageError("The case has no TrainingSet, which retraining needs beside the new images. Add it.")
    refuse_empty(unsafe.chosen)
    source = label_source(grouped.opened, looked, wanted.labels)
    rule = fixed_rule(grouped.opened.rule, grouped.answers[TEST].tested)
    plans = _plans(_pool(grouped, looked, unsafe, source, wanted), wanted)
    ask_for_missing(source, plans)
    facts = _facts(grouped, looked, wanted)
    jobs = [_job(grouped, looked, one, source.of(one.labelled), wanted, rule, facts) for one in plans]
    waiting = [job for job in jobs if _done(job) is None]
    if waiting:
        advance = stage("Retraining", len(jobs))
        advance(len(jobs) - len(waiting))
        run_jobs(wanted.engine, retrain_once, waiting, lambda _: advance(1))
    records = [_record(job) for job in jobs]
    check_same_start({one.name: one.start for one in records})
    return records


def fixed_rule(rule: FailureRule, tested: Tested) -> FailureRule:
    """Return the rule with a threshold of its own, so that a better model fails less often.

    Args:
        rule: The rule; of a quantile, as many answers would fail after the retraining as before.
        tested: What the original model says about the test set.
    """
    if rule.kind != "quantile":
        return rule
    return FailureRule("loss", float(np.quantile(tested.loss, rule.value)))


def retrain_once(job: RunJob) -> None:
    """Do one retraining and write what came of it, the record last."""
    keras.utils.clear_session()  # names that Keras counts up would depend on what this process has done before
    opened = open_case(job.request)
    # Or a run that is killed here would leave a record that what lies beside it does not belong to.
    (job.folder / RECORD).unlink(missing_ok=True)
    (job.folder / RESULTS[TEST]).unlink(missing_ok=True)
    shutil.rmtree(job.folder / DIAGNOSIS, ignore_errors=True)
    found = carry_out(job.plan, job.labels, _material(job, opened), job.settings, log_dir=job.folder / DIAGNOSIS)
    run, models = run_name(job.plan.arm, job.plan.run), job.request.out / MODELS
    model = "" if found.accuracy is None else f"{run}_{100 * found.accuracy:.2f}.keras"
    if found.tested is not None:
        save_model(models / model, found.trained.model)
        write_tested(job.folder / RESULTS[TEST], found.tested)
    for earlier in earlier_models(models, run):
        if earlier.name != model:
            earlier.unlink()
    write_record(job.folder / RECORD, record_of(job, found, model))


def earlier_models(folder: Path, run: str) -> list[Path]:
    """Return the models of a run; those that a person has named after one of them are not meant.

    Args:
        folder: Where they lie.
        run: Name of the run.
    """
    ours = re.compile(rf"{re.escape(run)}_\d+\.\d\d\.keras")
    return [path for path in sorted(folder.glob(f"{run}_*.keras")) if ours.fullmatch(path.name)]


def _material(job: RunJob, opened: Opened) -> Material:
    training, test = opened.sets[TRAINING], opened.sets[TEST]
    improvement = improvement_images(job.request, opened, improvement_set(opened.case, test.classes))
    path = opened.case.model_path(job.request.model)
    return Material(
        lambda: load_model(path, compiled=True),
        _Kept(opened.images[TRAINING]),
        training.expected,
        _Kept(improvement),
        Labelled(opened.images[TEST], test.expected, test.classes),
        job.rule,
        opened.case.outputs or test.outputs,
    )


def record_of(job: RunJob, found: Outcome, model: str) -> RunRecord:
    """Return what is kept of a retraining.

    Args:
        job: The retraining.
        found: What came of it.
        model: Name of the file of the model; empty for one that diverged.
    """
    plan, trained = job.plan, found.trained
    return RunRecord(
        arm=plan.arm,
        run=plan.run,
        seed=plan.seed,
        fingerprint=job.fingerprint,
        start=found.start,
        labels=len(plan.labelled),
        bag=len(plan.bag),
        training=len(plan.training),
        kept_apart=len(plan.training_apart) + len(plan.bag_apart),
        settings=tuple((name, str(value)) for name, value in asdict(job.settings).items()),
        versions=versions(),
        model=model,
        best_epoch=trained.best_epoch,
        curves={
            name: tuple(value if np.isfinite(value) else None for value in values)
            for name, values in trained.curves.items()
        },
        accuracy=found.accuracy,
        seconds=trained.seconds,
        findings=trained.findings,
        note=plan.note,
    )


def label_source(opened: Opened, looked: Looked, table: Path | None) -> LabelSource:
    """Return where the labels come from.

    Args:
        opened: The case.
        looked: The improvement set.
        table: A filled-in table; `None` for the labels of the set itself.

    Raises:
        UsageError: When the table cannot be used, or there is neither.
    """
    if table is not None:
        classes = opened.sets[TEST].classes
        return FiledLabels(table, looked.images.names, classes, () if classes else label_columns(opened))
    if looked.labels is None:
        strange = _folders_like_classes(opened.case.folder / DATA / IMPROVEMENT, opened.sets[TEST].classes)
        raise UsageError(
            f"The ImprovementSet has no labels{strange}. Fill in to_label.csv in the folder UnsafeSet, and pass it "
            "with --labels."
        )
    return looked.labels


def _folders_like_classes(folder: Path, classes: Sequence[str]) -> str:
    """Say which folders keep others, named like classes, from being labels; nothing where none is named like one."""
    inside = {one.name for one in folder.iterdir() if one.is_dir() and not one.name.startswith(".")}
    if not {one.casefold() for one in inside} & {one.casefold() for one in classes}:
        return ""
    strange = ", ".join(sorted(inside - set(classes)))
    return (
        f": it has folders for {strange}, but the classes of the TestSet are {', '.join(classes)}. Rename these "
        "folders where they say what is right"
    )


def _pool(grouped: Grouped, looked: Looked, unsafe: Unsafe, source: LabelSource, wanted: Retraining) -> Pool:
    tested = grouped.answers[TEST].tested
    rule, is_class = fixed_rule(grouped.opened.rule, tested), tested.expected is not None
    answers = Answers(tested.columns, is_class, rule, looked.scores, looked.outputs)

    def wrong(rows: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        if lacks_labels(source, rows):  # of which the person is told once all plans are known
            return np.zeros(len(rows), np.bool_)
        return answers.wrong(rows, source.of(rows))

    training = len(grouped.answers[TRAINING].rows)
    return answers.pool(
        unsafe.chosen,
        wrong,
        training=training,
        settings=wanted.settings,
        weights=wanted.weights,
        marked=marked_rows(unsafe.chosen, source),
    )


def _plans(pool: Pool, wanted: Retraining) -> list[Plan]:
    plans = [plan(pool, arm, run, wanted.seed) for arm in wanted.arms for run in range(1, wanted.runs + 1)]
    check_fair(plans)
    return plans


def _facts(grouped: Grouped, looked: Looked, wanted: Retraining) -> Mapping[str, Any]:
    """Return what all retrainings depend on, beside their plans."""
    marks = [(grouped.request.out / name).with_suffix(".json") for name in RESULTS.values()]
    return {
        "model": grouped.opened.subject.hash,
        "looked": looked.fingerprint,
        "sets": [read_mark(mark).get("fingerprint") for mark in marks],
        "settings": asdict(wanted.settings),
        "threads": wanted.engine.threads,
        "backend": keras.config.backend(),
    }


def _job(  # noqa: PLR0917 - everything that a process needs to know
    grouped: Grouped,
    looked: Looked,
    planned: Plan,
    labels: Array,
    wanted: Retraining,
    rule: FailureRule,
    facts: Mapping[str, Any],
) -> RunJob:
    """Return a plan as a job, whose images are rows of the sets as they lie on disk."""
    readable = np.array(grouped.answers[TRAINING].rows, np.int64)
    on_disk = replace(
        planned,
        labelled=looked.rows[planned.labelled],
        training=readable[planned.training],
        training_apart=readable[planned.training_apart],
        bag=looked.rows[planned.bag],
        bag_apart=looked.rows[planned.bag_apart],
    )
    hashes = {
        name: array_hash(rows) if isinstance(rows, np.ndarray) else rows for name, rows in asdict(on_disk).items()
    }
    mark = fingerprint(**facts, rule=asdict(rule), plan=hashes, labels=array_hash(labels))
    return RunJob(grouped.request.absolute(), on_disk, labels, wanted.settings, rule, mark)


def _done(job: RunJob) -> RunRecord | None:
    """Return the record of a retraining; `None` where it is not done, or with other inputs, or lacks a file."""
    known = read_record(job.folder / RECORD)
    if known is None or known.fingerprint != job.fingerprint:
        return None
    files = (job.request.out / MODELS / known.model, job.folder / RESULTS[TEST])
    return known if known.diverged or all(file.is_file() for file in files) else None


def _record(job: RunJob) -> RunRecord:
    known = _done(job)
    if known is None:
        raise written_over(job.folder / RECORD)
    return known


class _Kept:
    """Reads images, and keeps as many of them as fit, because they are asked for once per epoch."""

    def __init__(self, images: FileImages, memory: int = KEPT_BYTES) -> None:
        self._images, self._left = images, memory
        self._known: dict[int, Array] = {}

    def __call__(self, rows: npt.NDArray[np.int64]) -> Array:
        wanted = dict.fromkeys(rows.tolist())
        missing = [row for row in wanted if row not in self._known]
        read = {}
        for batch in self._images.batches(missing, _must_be_readable):
            for number, x in zip(batch.numbers, self._images.inputs(batch), strict=True):
                read[missing[number]] = x
        for row, x in read.items():
            if self._left >= x.nbytes:
                self._known[row] = x.copy()
                self._left -= x.nbytes
        return np.stack([read[row] if row in read else self._known[row] for row in rows.tolist()])


def _must_be_readable(_number: int, error: ImageError) -> None:
    raise error
