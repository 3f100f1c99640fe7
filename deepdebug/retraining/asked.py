"""What is asked of the choice of images and of the retraining; loads no Keras."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from numbers import Integral
from pathlib import Path

from deepdebug.errors import UsageError
from deepdebug.retraining import defaults
from deepdebug.retraining.arms import ARMS
from deepdebug.retraining.assigning import BY_DISTANCE
from deepdebug.retraining.engines import Engine
from deepdebug.retraining.matching import MATCHED
from deepdebug.retraining.mixing import MIXED
from deepdebug.retraining.quotas import QUOTAS

ENTROPY = "entropy"
MODES = (MIXED, MATCHED, *BY_DISTANCE, ENTROPY)


@dataclass(frozen=True, slots=True)
class Choice:
    """How images are chosen.

    Args:
        mode: Which images a cluster takes: "Mixed", see `mix`; "Matched", see `match`; one of those of `assign`; or
            "entropy". Defaults to "Mixed".
        quota: How many, see `quotas`. Defaults to "prevalence".
        factor: Share of the expected failures. Defaults to 0.3, in one place for all arms.

    Raises:
        UsageError: When there is no such mode or quota, or the factor is none.
    """

    mode: str = defaults.SELECT
    quota: str = defaults.QUOTA
    factor: float = defaults.FACTOR

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise UsageError(f"`--select` got {self.mode!r}; expected one of {', '.join(MODES)}.")
        if self.quota not in QUOTAS:
            raise UsageError(f"`--quota` got {self.quota!r}; expected one of {', '.join(QUOTAS)}.")
        _check_number("--factor", self.factor, f"a number above 0, such as {defaults.FACTOR}")


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

    Raises:
        UsageError: When a number cannot be used.
    """

    epochs: int = defaults.EPOCHS
    batch_size: int = defaults.BATCH_SIZE
    patience: int = defaults.PATIENCE
    optimizer: str | None = None
    learning_rate: float | None = None
    validation: float = defaults.VALIDATION

    def __post_init__(self) -> None:
        _check_count("--epochs", self.epochs)
        _check_count("--batch-size", self.batch_size)
        _check_count("--patience", self.patience)
        if self.learning_rate is not None:
            _check_number("--learning-rate", self.learning_rate, "a number above 0")
        _check_number("--validation", self.validation, f"a share above 0 and below 1, such as {defaults.VALIDATION}", 1)


@dataclass(frozen=True, slots=True)
class Retraining:
    """What is asked of the retraining of a case.

    Args:
        arms: Some of "HUDD", "BL1", "BL2" and "entropy"; they are brought into this order, in which the first one is
            compared with the others. Defaults to HUDD alone.
        runs: Retrainings of each arm, with different draws. Defaults to 1.
        settings: How each is trained.
        weights: How HUDD's bag is drawn: "uniform" or "distance". Defaults to "uniform".
        labels: A filled-in table of labels. Defaults to `None`: those of the improvement set.
        seed: Of all runs. Defaults to 0.
        engine: Where they run.

    Raises:
        UsageError: When there is no such arm, or a number cannot be used.
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
        object.__setattr__(self, "arms", tuple(one for one in ARMS if one in self.arms))  # it is frozen
        _check_count("--runs", self.runs)
        _check_count("--seed", self.seed, 0)


def _check_count(option: str, value: object, least: int = 1) -> None:
    if not isinstance(value, Integral) or int(value) < least:
        raise UsageError(f"`{option}` got {value!r}; expected a whole number, {least} or more.")


def _check_number(option: str, value: object, expected: str, end: float = math.inf) -> None:
    if not isinstance(value, (int, float)) or not 0 < value < end:
        raise UsageError(f"`{option}` got {value!r}; expected {expected}.")
