"""`deepdebug hudd assign`, `retrain` and `compare`: from groups of failures to a better model."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from deepdebug.cli.hudd import CODES, CaseFolder, Out
from deepdebug.cli.progress import tell
from deepdebug.retraining import defaults

FACTOR = "Share of the expected failures that is labelled; the same for all arms."
BEFORE = "  [default: as it was chosen before, or {}]"


class Select(StrEnum):
    """Which images are chosen for labelling."""

    MIXED = "Mixed"
    MATCHED = "Matched"
    CLOSEST = "ClosestU"
    CENTROID = "Centroid"
    ICD = "ClosestICD"
    SSE = "SSE"
    ENTROPY = "entropy"


class Quota(StrEnum):
    """How many images a cluster may claim."""

    PREVALENCE = "prevalence"
    CLUSTER = "cluster"


DEFAULT_SELECT, PREVALENCE = Select(defaults.SELECT), Quota(defaults.QUOTA)


class Arm(StrEnum):
    """What is labelled for a retraining."""

    HUDD = "HUDD"
    BL1 = "BL1"
    BL2 = "BL2"
    ENTROPY = "entropy"


class Weights(StrEnum):
    """How the bag of a cluster is drawn."""

    UNIFORM = "uniform"
    DISTANCE = "distance"


class Machine(StrEnum):
    """Where several processes run."""

    PROCESS = "process"
    DASK = "dask"


SELECT = (
    "ClosestU: the images nearest to any failure, cluster by cluster (the paper's). Matched: every failure in turn "
    "claims the image nearest to it. Mixed: half of each. Centroid, ClosestICD, SSE: only images that leave a cluster "
    "as compact as it was. entropy: what the model is least sure about."
)
QUOTA = "prevalence: by the failures to expect in the set; cluster: by those in the cluster."
Workers = Annotated[int, typer.Option(min=1, help="Processes that run at the same time.")]
Threads = Annotated[int, typer.Option(min=1, help="Threads of each process; another number may change last digits.")]
EngineOption = Annotated[Machine, typer.Option("--engine", help="process: this machine; dask: a Dask cluster.")]
Scheduler = Annotated[
    str | None, typer.Option(help="Address of a running Dask scheduler. Default: a cluster on this machine.")
]

ASSIGN = f"""Choose the images of the ImprovementSet that are worth labelling: those that look like the failures.

    \b
    Examples:
      deepdebug hudd run cases/gaze && deepdebug hudd assign cases/gaze
      deepdebug hudd assign cases/gaze --factor 0.1             label a third as many
      deepdebug hudd assign cases/gaze --select entropy         what the model is least sure about

    \b
    The images lie in DataSets/ImprovementSet/, in folders by class or without any labels. Options of earlier
    steps need not be repeated. The results:
      UnsafeSet/1, 2, ...       images that look like the failures of cluster 1, 2, ...
      UnsafeSet/unsafe.csv      image, cluster, rank, distance
      UnsafeSet/to_label.csv    to be filled in: a class in the column "label", or "-" where nobody can tell;
                                labels that stand there are kept
{CODES}"""

RETRAIN = f"""Retrain with the chosen images, test what came of it, and compare it with simpler choices.

    \b
    Examples:
      deepdebug hudd retrain cases/gaze                         labels of the ImprovementSet itself
      deepdebug hudd retrain cases/gaze --labels cases/gaze/T/UnsafeSet/to_label.csv
      deepdebug hudd retrain cases/gaze --mode HUDD --mode BL1 --mode BL2 --mode entropy --runs 10 --workers 4

    \b
    Images are chosen as by the last `deepdebug hudd assign`, unless told otherwise; --labels names labels of these.
    Every retraining starts from the original weights and trains on the TrainingSet and a bag of the new images,
    in which every cluster has as many. A part of both is kept apart to choose the epoch; the TestSet is asked
    once, at the end. All modes have as many labels, the same seeds and the same epochs:
      HUDD      the unsafe set of `deepdebug hudd assign`
      BL1       random images, of which only those that the model gets wrong are used
      BL2       random images
      entropy   images that the model is least sure about

    \b
    The results:
      report.html               what it brought: by arm, class, cluster and known cause
      DNNModels/HUDD_01_93.21.keras  a model for every run, with its accuracy on the TestSet in percent
      Retraining/HUDD_01/       record.json, testResult.csv, and in diagnosis/ the report of Diagnose

    A run that was stopped goes on with the retrainings that are not done yet.
{CODES}"""

COMPARE = f"""Compare two models on the TestSet: which errors vanished, which are new?

    \b
    Examples:
      deepdebug hudd compare cases/gaze GD HUDD_01_93.21
      deepdebug hudd compare cases/gaze old.keras new.keras

    \b
    A model is a file, or a name in DNNModels/ of the case or of the results. Writes comparison.csv, with a row for
    every image that one of them gets right and the other wrong; the next comparison replaces it.
{CODES}"""


def assign(
    case: CaseFolder,
    *,
    out: Out = None,
    select: Annotated[Select, typer.Option("--select", help=SELECT)] = DEFAULT_SELECT,
    quota: Annotated[Quota, typer.Option("--quota", help=QUOTA)] = PREVALENCE,
    factor: Annotated[float, typer.Option(min=0.0, help=FACTOR)] = defaults.FACTOR,
    engine: EngineOption = Machine.PROCESS,
    workers: Workers = 1,
    threads: Threads = 1,
    scheduler: Scheduler = None,
) -> None:
    """Do `deepdebug hudd assign`; see `ASSIGN`."""
    from deepdebug.cli.hudd_retrain import assign_lines
    from deepdebug.retraining.asked import Choice
    from deepdebug.retraining.engines import Engine

    where = out or case / "T"
    choice = Choice(select.value, quota.value, factor)
    tell(where, assign_lines(case, where, choice, Engine(engine.value, workers, threads, scheduler)))


def retrain(
    case: CaseFolder,
    *,
    out: Out = None,
    mode: Annotated[
        list[Arm] | None, typer.Option("--mode", help="Arm; may be given several times.  [default: HUDD]")
    ] = None,
    runs: Annotated[int, typer.Option(min=1, help="Retrainings of each arm, with other draws; 10 for a test.")] = 1,
    labels: Annotated[
        Path | None, typer.Option(help="Filled-in to_label.csv. Default: the labels of the ImprovementSet.")
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Most epochs of each.")] = defaults.EPOCHS,
    patience: Annotated[
        int, typer.Option(min=1, help="Epochs without a better validation loss until it ends.")
    ] = defaults.PATIENCE,
    batch_size: Annotated[int, typer.Option(min=1, help="Images of a training step.")] = defaults.BATCH_SIZE,
    optimizer: Annotated[str | None, typer.Option(help="A name of Keras, such as sgd. Default: the model's.")] = None,
    learning_rate: Annotated[float | None, typer.Option(min=0.0, help="Default: that of the optimizer.")] = None,
    validation: Annotated[
        float, typer.Option(min=0.01, max=0.5, help="Share kept apart to choose the epoch by.")
    ] = defaults.VALIDATION,
    bootstrap: Annotated[
        Weights, typer.Option(help="uniform: all images of a cluster as often; distance: near ones more often.")
    ] = Weights.UNIFORM,
    select: Annotated[
        Select | None, typer.Option("--select", help=SELECT + BEFORE.format(defaults.SELECT), show_default=False)
    ] = None,
    quota: Annotated[
        Quota | None, typer.Option("--quota", help=QUOTA + BEFORE.format(defaults.QUOTA), show_default=False)
    ] = None,
    factor: Annotated[
        float | None, typer.Option(min=0.0, help=FACTOR + BEFORE.format(defaults.FACTOR), show_default=False)
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
    engine: EngineOption = Machine.PROCESS,
    workers: Workers = 1,
    threads: Threads = 1,
    scheduler: Scheduler = None,
) -> None:
    """Do `deepdebug hudd retrain`; see `RETRAIN`."""
    from deepdebug.cli.hudd_retrain import retrain_lines
    from deepdebug.retraining.asked import Retraining, TrainSettings
    from deepdebug.retraining.choices import read_choice
    from deepdebug.retraining.engines import Engine

    where = out or case / "T"
    wanted = Retraining(
        arms=tuple(one.value for one in mode or [Arm.HUDD]),
        runs=runs,
        settings=TrainSettings(epochs, batch_size, patience, optimizer, learning_rate, validation),
        weights=bootstrap.value,
        labels=labels,
        seed=seed,
        engine=Engine(engine.value, workers, threads, scheduler),
    )
    choice = read_choice(where, select and select.value, quota and quota.value, factor)
    tell(where, retrain_lines(case, where, choice, wanted))


def compare(
    case: CaseFolder,
    before: Annotated[str, typer.Argument(metavar="MODEL_A", help="The model before.", show_default=False)],
    after: Annotated[str, typer.Argument(metavar="MODEL_B", help="The model after.", show_default=False)],
    *,
    out: Out = None,
) -> None:
    """Do `deepdebug hudd compare`; see `COMPARE`."""
    from deepdebug.cli.hudd_retrain import compare_lines

    where = out or case / "T"
    tell(where, compare_lines(case, where, before, after))


def register(app: typer.Typer) -> None:
    """Add the commands.

    Args:
        app: That of `deepdebug hudd`.
    """
    for command, text in ((assign, ASSIGN), (retrain, RETRAIN), (compare, COMPARE)):
        app.command(command.__name__, help=text)(command)
