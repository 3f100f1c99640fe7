"""What was seen at one moment of training, as numbers; arrays never leave the probe.

`None` means "not measured". In statistics other than `non_finite`, an element that is NaN or infinite counts as 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from deepdebug.facts import Facts


@dataclass(frozen=True, slots=True)
class LayerObservation:
    """The output of one layer on the probe rows, in inference mode.

    A unit is one index of the channel axis; "fires" means that its output is above 0 somewhere in a row.

    Args:
        name: `LayerFacts.name`; a shared layer has one record per call, the later ones named "name#2", "name#3".
        non_finite: Share of NaN and infinite elements.
        mean: Mean of the output.
        rms: Root mean square of the output.
        minimum: Smallest output.
        maximum: Largest output.
        row_spread: Root mean square deviation of the output between rows (standard deviation over rows, averaged over
            the other axes as a root mean square); near 0 when every row gets the same output.
        dead_fraction: Share of units that fire in no probe row; only for activations that can be exactly 0 by
            rectification ("relu", "relu6"), else `None`.
        zero_fraction: Share of elements that are exactly 0, for the same activations.
        saturated_fraction: Share of elements in the flat part, for "sigmoid", "hard_sigmoid" and "tanh".
        stuck_fraction: Share of units in the same flat part (the same side) for at least 90 % of the rows.
    """

    name: str
    non_finite: float = 0.0
    mean: float = 0.0
    rms: float = 0.0
    minimum: float = 0.0
    maximum: float = 0.0
    row_spread: float | None = None
    dead_fraction: float | None = None
    zero_fraction: float | None = None
    saturated_fraction: float | None = None
    stuck_fraction: float | None = None


@dataclass(frozen=True, slots=True)
class VariableObservation:
    """One weight variable, its gradient on the probe and the update the optimizer would make of it.

    Args:
        path: `VariableFacts.path`.
        non_finite: Share of NaN and infinite elements.
        rms: Root mean square.
        std: Standard deviation over all elements.
        max_abs: Largest absolute value.
        moved: Largest absolute change since the start of `fit`, divided by the largest absolute start value (or by 1
            where that is 0).
        distinct_units: Share of distinct columns (last axis) of a kernel; 1 when all differ. Measured before the first
            update only.
        spectral_radius: Largest absolute eigenvalue of the recurrent kernel of a `SimpleRNN` with relu; `None` for all
            others and for more than 256 units.
        has_gradient: Whether the loss depends on it at all; `None` when gradients were not taken.
        gradient_non_finite: Share of NaN and infinite elements of the gradient.
        gradient_rms: Root mean square of the gradient.
        gradient_max: Largest absolute value of the gradient.
        gradient_zero_fraction: Share of exact zeros in the gradient.
        update_rms: Root mean square of the change that one optimizer step with this gradient would make, from the
            optimizer's present state.
    """

    path: str
    non_finite: float = 0.0
    rms: float = 0.0
    std: float = 0.0
    max_abs: float = 0.0
    moved: float | None = None
    distinct_units: float | None = None
    spectral_radius: float | None = None
    has_gradient: bool | None = None
    gradient_non_finite: float | None = None
    gradient_rms: float | None = None
    gradient_max: float | None = None
    gradient_zero_fraction: float | None = None
    update_rms: float | None = None

    @property
    def update_ratio(self) -> float | None:
        """RMS of one update divided by RMS of the weights (diagnosis of the learning rate)."""
        return None if self.update_rms is None else self.update_rms / (self.rms + 1e-12)

    @property
    def relative_gradient(self) -> float | None:
        """RMS of the gradient divided by RMS of the weights."""
        return None if self.gradient_rms is None else self.gradient_rms / (self.rms + 1e-12)


@dataclass(frozen=True, slots=True)
class OutputObservation:
    """Predictions of one output against its labels, on the probe rows.

    Args:
        name: `OutputFacts.name`.
        row_spread: Standard deviation of the prediction over the rows, root mean square over the columns.
        label_spread: The same of the labels.
        mean_abs: Mean absolute prediction.
        accuracy: Share of right classes, for outputs whose labels are classes.
        majority: Share of the commonest class among the probe labels.
        predicted_share: Share of the class predicted most often.
        class_counts: Probe rows per class.
        recalls: Share of rows found, per class; `None` where the class has no row.
        constant_loss: Loss of the best constant prediction on these labels, where the loss is a known one.
        loss: Loss of this output on the probe rows by the compiled loss's definition, computed in numpy, where the
            loss is a known one.
    """

    name: str
    row_spread: float | None = None
    label_spread: float | None = None
    mean_abs: float | None = None
    accuracy: float | None = None
    majority: float | None = None
    predicted_share: float | None = None
    class_counts: tuple[int, ...] = ()
    recalls: tuple[float | None, ...] = ()
    constant_loss: float | None = None
    loss: float | None = None

    @property
    def skill(self) -> float | None:
        """1 - loss / loss of the best constant: 0 for a constant predictor, 1 for a perfect one."""
        if self.loss is None or not self.constant_loss or not math.isfinite(self.loss):
            return None
        return 1.0 - self.loss / self.constant_loss


@dataclass(frozen=True, slots=True)
class Observation:
    """Everything seen at one moment.

    Args:
        epoch: Epoch counted from 0; -1 before the first update.
        step: Optimizer updates done in this `fit`.
        trigger: "begin", "epoch", "batch" or "alarm" (the batch loss stopped being finite).
        metrics: The `logs` of Keras: losses and metrics, those of the validation data with "val_".
        learning_rate: Learning rate in force now.
        rows: Number of probe rows; 0 when the model was not probed.
        confirmed: Whether the larger set of confirming rows was used.
        loss: Compiled loss on the probe rows, inference mode, penalties included.
        permuted_loss: The same with the labels moved to other rows.
        training_loss: The same in training mode; measured only for models with BatchNormalization.
        penalty: The part of `loss` that comes from regularisers and `add_loss`.
        gradient_norm: Global 2-norm of the gradient.
        layers: One record per call of a layer, in the order in which data flows.
        variables: One record per variable, in `Facts.variables` order.
        outputs: One record per output.
    """

    epoch: int
    step: int
    trigger: str = "epoch"
    metrics: Mapping[str, float] = field(default_factory=dict)
    learning_rate: float | None = None
    rows: int = 0
    confirmed: bool = False
    loss: float | None = None
    permuted_loss: float | None = None
    training_loss: float | None = None
    penalty: float | None = None
    gradient_norm: float | None = None
    layers: tuple[LayerObservation, ...] = ()
    variables: tuple[VariableObservation, ...] = ()
    outputs: tuple[OutputObservation, ...] = ()

    def variable(self, path: str) -> VariableObservation | None:
        """Return the record of that variable, or `None`."""
        return next((variable for variable in self.variables if variable.path == path), None)

    @property
    def skill(self) -> float | None:
        """Smallest skill over the outputs, or `None` where none is known."""
        skills = [output.skill for output in self.outputs if output.skill is not None]
        return min(skills) if skills else None

    @property
    def input_use(self) -> float | None:
        """1 - loss / permuted loss, penalties left out: 0 when the prediction ignores the input."""
        if self.loss is None or self.permuted_loss is None:
            return None
        penalty = self.penalty or 0.0
        permuted = self.permuted_loss - penalty
        return None if not permuted > 0 else 1.0 - (self.loss - penalty) / permuted


@dataclass(frozen=True, slots=True)
class EpochEnd:
    """What Keras logged at the end of an epoch after which the model was not looked at.

    Args:
        epoch: Epoch counted from 0.
        step: Optimizer updates done in this `fit`.
        metrics: The `logs` of Keras, as in `Observation`.
        learning_rate: Learning rate in force then.
    """

    epoch: int
    step: int
    metrics: Mapping[str, float] = field(default_factory=dict)
    learning_rate: float | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """A training run as far as it has come: what a detector judges.

    Args:
        facts: What was known before the first update.
        observations: What was seen since, oldest first; the first has trigger "begin" where the model could be probed
            before training.
        finished: Whether training has ended, so that verdicts about the whole run may be given.
        passed: The ends of epochs after which the model was not looked at, oldest first. Defaults to none.
    """

    facts: Facts
    observations: Sequence[Observation] = ()
    finished: bool = False
    passed: Sequence[EpochEnd] = ()

    @property
    def latest(self) -> Observation:
        """The newest observation."""
        return self.observations[-1]

    @property
    def probed(self) -> list[Observation]:
        """Observations for which the model was probed, oldest first."""
        return [observation for observation in self.observations if observation.rows]

    @property
    def epoch_observations(self) -> list[Observation]:
        """Observations made at the end of an epoch, oldest first."""
        return [observation for observation in self.observations if observation.trigger == "epoch"]

    @property
    def epochs(self) -> list[Observation | EpochEnd]:
        """The ends of all epochs, oldest first: the observation where there was one, else what Keras logged.

        What both have is `epoch`, `step`, `metrics` and `learning_rate`.
        """
        observed = self.epoch_observations
        known = {one.epoch for one in observed}
        passed = (one for one in self.passed if one.epoch not in known)
        return sorted([*observed, *passed], key=attrgetter("epoch"))

    @property
    def learning_rates(self) -> list[tuple[int, float]]:
        """Every learning rate that was read, with its epoch, oldest first."""
        moments: list[Observation | EpochEnd] = [*self.observations, *self.passed]
        moments.sort(key=attrgetter("step"))
        return [(one.epoch, one.learning_rate) for one in moments if one.learning_rate is not None]

    def until(self, count: int) -> Run:
        """Return the run as it was known at one of its observations, before it had finished.

        Args:
            count: How many observations there were by then, one or more.
        """
        now = self.observations[count - 1]
        passed = [one for one in self.passed if one.epoch < now.epoch]
        return Run(self.facts, self.observations[:count], passed=passed)

    def series(self, metric: str) -> list[float]:
        """Return the values of a metric at the epoch ends that report it, oldest first."""
        return [seen.metrics[metric] for seen in self.epochs if metric in seen.metrics]
