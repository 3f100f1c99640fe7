"""Makes observations of a model in training; where the full probe fails it falls back step by step, and says so."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from deepdebug.facts import Facts, FitFacts
from deepdebug.model import backend
from deepdebug.model.budget import rows_to_look_at
from deepdebug.model.inspect import inspect_model, learning_rate_of
from deepdebug.model.layers import Flow, follow
from deepdebug.model.probe import Mode, Probe, unnoticed
from deepdebug.model.sample import Sample, named_arrays
from deepdebug.model.variables import float_variables
from deepdebug.observation import EpochEnd, Observation
from deepdebug.observe.readings import Readings, with_distinct_units, with_readings, with_spectral_radii
from deepdebug.records import Skipped

COLOUR = re.compile(r"\x1b\[\d*m")
logger = logging.getLogger("deepdebug")
# From everything to almost nothing: (what to take, how deep to look into the model).
ATTEMPTS: tuple[tuple[Mode, str | None], ...] = (
    ("graded", "deep"),
    ("graded", "shallow"),
    ("forward", "deep"),
    ("forward", "shallow"),
    ("weights", "deep"),
    ("weights", "shallow"),
    ("weights", None),
)
LOST: Mapping[Mode, str] = {
    "forward": "loss and gradients could not be taken on the probe rows",
    "weights": "the model could not be called on the probe rows, so that only weights and metrics were watched",
    "graded": "layers inside nested models or layers could not be watched",
}


class Observer:
    """Looks at one model during one `fit`.

    Args:
        model: A built and compiled model.
        fit: The arguments of `fit`.
        sample: Rows to try the probe on, or `None` where no data could be found.
    """

    def __init__(self, model: keras.Model, fit: FitFacts, sample: Sample | None) -> None:
        self._model = model
        self.skipped: tuple[Skipped, ...] = ()
        self._without_loss: Probe | None = None
        self._probe, self.facts, self.mode = self._first_that_works(fit, sample)
        self._started_at = self._iterations()

    def _first_that_works(self, fit: FitFacts, sample: Sample | None) -> tuple[Probe, Facts, Mode]:
        if sample is None:
            facts = inspect_model(self._model, None, fit)
            return Probe(self._model, facts, {}, "weights"), facts, "weights"
        failure: Exception | None = None
        flows = _Flows(self._model, sample.head(fit.batch_size or sample.rows), fit)
        for mode, depth in ATTEMPTS:
            try:
                flow = flows.at(depth) if depth else None
                facts = inspect_model(self._model, flow, fit)
                probe = Probe(self._model, facts, flow.operations if flow else {}, mode)
                few = sample.head(rows_to_look_at(facts))
                probe.read(*few.native(), few.rows)
            except Exception as error:  # odd models are many; each attempt asks less of the model
                logger.debug("probe %s/%s failed", mode, depth, exc_info=True)
                failure = failure or error
                continue
            if failure is not None:
                self.skipped = (_lost(mode, failure),)
            return probe, facts, mode
        raise failure or RuntimeError("no attempt was made")

    @property
    def step(self) -> int:
        """Updates done since the first look."""
        return self._iterations() - self._started_at

    def pass_by(self, epoch: int, metrics: Mapping[str, Any]) -> EpochEnd:
        """Note what Keras logged at the end of an epoch, without looking at the model.

        Args:
            epoch: Epoch counted from 0.
            metrics: The `logs` of Keras.
        """
        return EpochEnd(epoch, self.step, _numbers(metrics), learning_rate_of(self._model.optimizer))

    def observe(self, epoch: int, trigger: str, metrics: Mapping[str, Any], sample: Sample | None) -> Observation:
        """Look at the model as it is now.

        Args:
            epoch: Epoch counted from 0; -1 before the first update.
            trigger: As in `Observation`.
            metrics: The `logs` of Keras.
            sample: Rows to probe with; left out where the probe works without.
        """
        seen = Observation(
            epoch=epoch,
            step=self.step,
            trigger=trigger,
            metrics=_numbers(metrics),
            learning_rate=learning_rate_of(self._model.optimizer),
        )
        return with_spectral_radii(self._looked(seen, sample), self.facts, self._value)

    def _looked(self, seen: Observation, sample: Sample | None) -> Observation:
        if sample is None or self.mode == "weights":
            return with_readings(seen, self._probe.read(None, None, 0), self.facts, ())
        x, y = sample.native()
        names = [output.name for output in self.facts.outputs]
        readings = self._read(x, y, sample.rows)
        seen = with_readings(seen, readings, self.facts, _labels(sample, names))
        return with_distinct_units(seen, self.facts, self._probe.initial_values()) if seen.epoch < 0 else seen

    def _read(self, x: Any, y: Any, rows: int) -> Readings:
        """Look at the model; where its loss refuses what it predicts now, as NaN on torch, look without the loss."""
        try:
            return self._probe.read(x, y, rows)
        except Exception as error:  # what can still be seen is worth more than no observation
            if self.mode != "graded":
                raise
            self.skipped = self.skipped or (_lost("forward", error),)
            self._without_loss = self._without_loss or self._probe.without_loss()
            return self._without_loss.read(x, y, rows)

    def _value(self, index: int) -> npt.NDArray[Any]:
        """Return the present value of the variable at this position in the facts."""
        (value,) = backend.current().values([float_variables(self._model)[index]])
        return np.asarray(keras.ops.convert_to_numpy(value))

    def _iterations(self) -> int:
        optimizer = getattr(self._model.optimizer, "inner_optimizer", self._model.optimizer)
        iterations = getattr(optimizer, "iterations", 0)
        return int(keras.ops.convert_to_numpy(iterations))


class _Flows:
    """Follows the data flow at most once per depth."""

    def __init__(self, model: keras.Model, sample: Sample, fit: FitFacts) -> None:
        self._model, self._sample, self._fit = model, sample, fit
        self._known: dict[str, Flow] = {}

    def at(self, depth: str) -> Flow:
        if depth not in self._known:
            with unnoticed(self._model, self._fit):
                self._known[depth] = follow(self._model, self._sample.native()[0], depth)
        return self._known[depth]


def _labels(sample: Sample, names: list[str]) -> list[Any]:
    """Return the labels of every output, in the order of the outputs; `None` for an output without."""
    named = dict(named_arrays(sample.y, names))
    return [named.get(name) for name in names] if isinstance(sample.y, dict) else list(named.values())


def _numbers(metrics: Mapping[str, Any]) -> dict[str, float]:
    return {str(name): float(value) for name, value in metrics.items() if is_number(value)}


def is_number(value: Any) -> bool:
    """Tell whether a value that Keras logs is a single number."""
    return np.ndim(value) == 0 and np.issubdtype(np.asarray(value).dtype, np.number)


def _lost(mode: Mode, error: Exception) -> Skipped:
    return Skipped("probe", f"{LOST[mode]}: {type(error).__name__}: {_gist(error)}")


def _gist(error: Exception) -> str:
    """Return the telling line of an error message, above which Keras puts a heading, and which it colours."""
    lines = [COLOUR.sub("", line).strip() for line in str(error).splitlines()]
    return next((line for line in lines if line and not line.startswith("Exception encountered when calling")), "")
