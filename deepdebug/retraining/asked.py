"""What is asked of the choice of images and of the retraining; loads no Keras."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from deepdebug.errors import UsageError
from deepdebug.retraining.arms import ARMS
from deepdebug.retraining.assigning import BY_DISTANCE
from deepdebug.retraining.engines import Engine
from deepdebug.retraining.quotas import SELECTION_FACTOR

ENTROPY = "entropy"
MODES = (*BY_DISTANCE, ENTROPY)


@dataclass(frozen=True, slots=True)
class Choice:
    """How images are chosen.

    Args:
        mode: Which images a cluster takes, see `assign`; or "entropy". Defaults to "ClosestU".
        quota: How many, see `quotas`. Defaults to "prevalence".
        factor: Share of the expected failures. Defaults to 0.3, in one place for all arms.
    """

    mode: str = "ClosestU"
    quota: str = "prevalence"
    factor: float = SELECTION_FACTOR

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise UsageError(f"`--select` got {self.mode!r}; expected one of {', '.join(MODES)}.")


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """How a model is retrained; the same for all arms.

    Args:
        epochs: Most epochs. Defaults to 10, as HUDD took for two of its cases.
        batch_size: Examples of a step. Defaults to 32.
        patience: Epochs without a better validation loss after which it ends. Defaults to 3.
        optimizer: Name of a Keras optimizer. Defaults to `None`: that of the model.
        learning_rate: Defaults to `None`: that of the optimizer.
        validation: Share of the training set, and of the labelled images, that is kept apart to choose the epoch whose
            weights are kept. Defaults to 0.1.
    """

    epochs: int = 10
    batch_size: int = 32
    patience: int = 3
    optimizer: str | None = None
    learning_rate: float | None = None
    validation: float = 0.1


@dataclass(frozen=True, slots=True)
class Retraining:
    """What is asked of the retraining of a case.

    Args:
        arms: Some of "HUDD", "BL1", "BL2" and "entropy". Defaults to HUDD alone.
        runs: Retrainings of each arm, with different draws. Defaults to 1.
        settings: How each is trained.
        weights: How HUDD's bag is drawn: "uniform" or "distance". Defaults to "uniform".
        labels: A filled-in table of labels. Defaults to `None`: those of the improvement set.
        seed: Of all runs. Defaults to 0.
        engine: Where they run.
    """

    arms: tuple[str, ...] = ("HUDD",)
    runs: int = 1
    settings: TrainSettings = field(default_factory=TrainSettings)
    weights: str = "uniform"
    labels: Path | None = None
    seed: int = 0
    engine: Engine = field(default_factory=Engine)

    def __post_init__(self) -> None:
        unknown = [one for one in self.arms if one not in ARMS]
        if unknown or not self.arms:
            raise UsageError(f"`--mode` got {', '.join(unknown) or 'nothing'}; expected some of {', '.join(ARMS)}.")
        if self.runs < 1:
            raise UsageError(f"`--runs` got {self.runs}; expected 1 or more.")
