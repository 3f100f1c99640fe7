"""The probe: one compiled function that looks at the whole model and returns statistics, not tensors."""

from __future__ import annotations

import math
import random
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from deepdebug.facts import Facts, FitFacts
from deepdebug.model import backend, private
from deepdebug.model.parts import Segments, end_to_end
from deepdebug.model.record import Call, recorded_calls
from deepdebug.model.statistics import (
    gradient_statistics,
    layer_statistics,
    unit_axis,
    update_statistics,
    variable_statistics,
)
from deepdebug.model.variables import float_variables
from deepdebug.observe.readings import Readings

MAX_PREDICTIONS = 2**18
SMALL = 2**12  # elements up to which variables are looked at all at once
HALF_PRECISION_SCALE = 256.0  # keeps float16 gradients from underflowing without making healthy ones overflow
Mode = Literal["graded", "forward", "weights"]
UNJUDGED_ACTIVATION_FAMILIES = ("recurrent", "attention")  # gates saturate by design


@dataclass(frozen=True, slots=True)
class Numbers:
    """Some of the statistics.

    Args:
        keys: Their keys, see `Readings.numbers`.
        values: A float32 vector of as many elements.
    """

    keys: tuple[tuple[Any, ...], ...]
    values: Any


class Probe:
    """Looks at a model on given rows, without changing any state of it.

    Args:
        model: A built and compiled model.
        facts: What `inspect_model` found.
        operations: The layers to record, by name.
        mode: "graded" takes loss, gradients and the next update too; "forward" takes outputs and weights; "weights"
            does not call the model.
    """

    def __init__(self, model: keras.Model, facts: Facts, operations: Mapping[str, keras.Operation], mode: Mode) -> None:
        self._model = model
        self._facts = facts
        self._operations = operations
        self._activations = {
            layer.name: "unknown" if layer.family in UNJUDGED_ACTIVATION_FAMILIES else layer.activation
            for layer in facts.layers
        }
        self._mode = mode
        self._has_batch_norm = facts.has_kind("BatchNormalization")
        self._scale = HALF_PRECISION_SCALE if model.compute_dtype == "float16" else 1.0
        self._watched = float_variables(model)
        self._trainable = list(model.trainable_variables)
        self._state = _distinct([*model.non_trainable_variables, *model.metrics_variables], self._trainable)
        self._slots = _slots(model, self._trainable) if mode == "graded" else []
        self._initial = backend.current().copies(self._watched)
        self._keys: list[tuple[Any, ...]] = []
        self._compiled = backend.current().compile_function(self._statistics, varying=(1, 2))

    def read(self, x: Any, y: Any, rows: int) -> Readings:
        """Look at the model as it is now.

        Args:
            x: Inputs as native tensors in the model's structure.
            y: Labels likewise, or `None`.
            rows: Number of rows in `x`.
        """
        take = backend.current().values
        with unnoticed(self._model, self._facts.fit):
            values = (take(self._trainable), take(self._state), take(self._slots), self._initial)
            vector, predictions = self._compiled(values, x, y)
            numbers = np.asarray(ops.convert_to_numpy(vector), dtype="float64").tolist()
            outputs = tuple(np.asarray(ops.convert_to_numpy(one)) for one in predictions)
        return Readings(dict(zip(self._keys, numbers, strict=True)), outputs, rows, self._mode == "graded")

    def _statistics(self, values: tuple[Any, Any, Any, Any], x: Any, y: Any) -> tuple[Any, Any]:
        """Build the vector of statistics; runs when the backend traces, which fixes the order of the keys."""
        trainable, state, slots, initial = values
        keys: list[tuple[Any, ...]] = []  # kept aside, because JAX hands a dictionary back sorted by its keys

        def forward(weights: Sequence[Any]) -> tuple[Any, Any]:
            with self._scope(weights, state):
                loss, numbers, predictions = self._forward(x, y)
            keys[:] = numbers
            return loss, (list(numbers.values()), predictions)

        found: list[Numbers] = []
        predictions: list[Any] = []
        if self._mode == "graded":
            loss, (seen, predictions), gradients = backend.current().value_and_gradients(forward, trainable)
            found += _scalars(dict(zip(keys, seen, strict=True)))
            found += self._gradients(trainable, slots, [_unscaled(one, self._scale) for one in gradients])
            found += _scalars({("loss",): loss / self._scale})
        elif self._mode == "forward":
            _, (seen, predictions) = forward(trainable)
            found += _scalars(dict(zip(keys, seen, strict=True)))
        held = zip([*self._trainable, *self._state], [*trainable, *state], strict=True)
        by_id = {id(variable): value for variable, value in held}
        weights = [(by_id[id(variable)], start) for variable, start in zip(self._watched, initial, strict=True)]
        found += _of_variables(variable_statistics, dict(enumerate(weights)))
        self._keys = [key for one in found for key in one.keys]
        return ops.concatenate([one.values for one in found]) if found else ops.zeros((0,)), predictions

    @contextmanager
    def _scope(self, trainable: Sequence[Any], state: Sequence[Any]) -> Iterator[None]:
        mapping = zip([*self._trainable, *self._state], [*trainable, *state], strict=True)
        with keras.StatelessScope(state_mapping=list(mapping), collect_losses=True):
            yield

    def _forward(self, x: Any, y: Any) -> tuple[Any, dict[tuple[Any, ...], Any], list[Any]]:
        with recorded_calls(self._operations) as calls:
            y_pred = private.call_model(self._model, x, training=False)
        numbers = self._layer_numbers(calls)
        loss = ops.zeros(())
        if self._mode == "graded":
            loss = private.compute_loss(self._model, x, y, y_pred, training=False)
            numbers[("penalty",)] = _total(self._model.losses)
            if y is not None:
                flipped = keras.tree.map_structure(lambda one: None if one is None else ops.flip(one, axis=0), y)
                numbers[("permuted_loss",)] = private.compute_loss(self._model, x, flipped, y_pred, training=False)
            if self._has_batch_norm:
                trained = private.call_model(self._model, x, training=True)
                numbers[("training_loss",)] = private.compute_loss(self._model, x, y, trained, training=True)
        numbers = {key: ops.stop_gradient(ops.cast(number, "float32")) for key, number in numbers.items()}
        predictions = [ops.stop_gradient(_cut(one)) for one in keras.tree.flatten(y_pred)]
        return ops.cast(loss, "float32") * self._scale, numbers, predictions

    def _layer_numbers(self, calls: Sequence[Call]) -> dict[tuple[Any, ...], Any]:
        numbers: dict[tuple[Any, ...], Any] = {}
        uses: Counter[str] = Counter()
        for call in calls:
            outputs = [one for one in call.outputs if keras.backend.is_float_dtype(one.dtype) and len(one.shape)]
            if not outputs:
                continue
            uses[call.name] += 1
            name = call.name if uses[call.name] == 1 else f"{call.name}#{uses[call.name]}"
            activation = self._activations.get(call.name, "unknown")
            output = ops.stop_gradient(outputs[0])
            numbers |= _measured(("layer", name), layer_statistics, output, activation, unit_axis(call.operation))
        return numbers

    def _gradients(self, trainable: Any, slots: Any, gradients: Sequence[Any]) -> list[Numbers]:
        positions = {id(variable): index for index, variable in enumerate(self._watched)}
        known = [
            (positions[id(variable)], variable, value, gradient)
            for variable, value, gradient in zip(self._trainable, trainable, gradients, strict=True)
            if gradient is not None and id(variable) in positions
        ]
        found = list(_of_variables(gradient_statistics, {index: (gradient,) for index, _, _, gradient in known}))
        if self._slots:
            mapping = list(zip([*self._trainable, *self._slots], [*trainable, *slots], strict=True))
            with keras.StatelessScope(state_mapping=mapping):
                after = private.variable_values_after_step(
                    self._model.optimizer, [one[1] for one in known], [one[3] for one in known]
                )
                changes = {one[0]: (one[2], new_value) for one, new_value in zip(known, after, strict=True)}
                found += _of_variables(update_statistics, changes)
        return found

    def without_loss(self) -> Probe:
        """Return a probe that counts from the same start and takes outputs and weights only."""
        twin = Probe(self._model, self._facts, self._operations, "forward")
        twin._initial = self._initial
        return twin

    def initial_values(self) -> list[npt.NDArray[Any]]:
        """Return the values at the start of `fit`, one array per watched variable."""
        return [np.asarray(ops.convert_to_numpy(value)) for value in self._initial]


def _measured(
    prefix: tuple[Any, ...], statistics: Callable[..., Mapping[str, Any]], *arguments: Any
) -> dict[tuple[Any, ...], Any]:
    numbers = backend.current().shared(statistics)(*arguments)
    return {(*prefix, name): number for name, number in numbers.items()}


def _scalars(numbers: Mapping[tuple[Any, ...], Any]) -> Iterator[Numbers]:
    if numbers:
        yield Numbers(tuple(numbers), ops.stack([ops.cast(number, "float32") for number in numbers.values()]))


def _of_variables(
    statistics: Callable[..., Mapping[str, Any]], tensors: Mapping[int, tuple[Any, ...]]
) -> Iterator[Numbers]:
    """Yield the numbers of variables: of large ones one by one, of small ones all at once.

    Most of the time goes into the number of operations, not of elements, as long as these are few.
    """
    sizes = {index: math.prod(known[0].shape) for index, known in tensors.items()}
    small = [index for index, size in sizes.items() if 0 < size <= SMALL]
    large = [index for index, size in sizes.items() if not 0 < size <= SMALL]
    if small:
        columns = [end_to_end(column) for column in zip(*(tensors[index] for index in small), strict=True)]
        parts = Segments(tuple(sizes[index] for index in small))
        for name, values in statistics(*columns, parts).items():
            yield Numbers(tuple(("variable", index, name) for index in small), values)
    for index in large:
        yield from _scalars(_measured(("variable", index), statistics, *tensors[index]))


def _unscaled(gradient: Any, scale: float) -> Any:
    return gradient if gradient is None or scale == 1.0 else gradient / ops.cast(scale, gradient.dtype)


def _total(losses: Sequence[Any]) -> Any:
    return sum((ops.sum(ops.cast(one, "float32")) for one in losses), start=ops.zeros(()))


def _cut(prediction: Any) -> Any:
    per_row = int(np.prod([size or 1 for size in prediction.shape[1:]], dtype="int64"))
    return prediction[: max(1, MAX_PREDICTIONS // max(per_row, 1))] if len(prediction.shape) else prediction


def _distinct(variables: Sequence[Any], taken: Sequence[Any]) -> list[Any]:
    known = {id(variable) for variable in taken}
    return [one for one in variables if not (id(one) in known or known.add(id(one)))]  # type: ignore[func-returns-value]


def _slots(model: keras.Model, trainable: Sequence[Any]) -> list[Any]:
    """Return the optimizer's variables, building them where Keras would do so in the first step."""
    optimizer = model.optimizer
    if not isinstance(optimizer, keras.optimizers.Optimizer) or not trainable:
        return []
    if not optimizer.built:
        with private.variable_scope(model):
            optimizer.build(list(trainable))
    return list(optimizer.variables)


@contextmanager
def unnoticed(model: keras.Model, fit: FitFacts) -> Iterator[None]:
    """Put back all state that a call of the model may change beside its Keras variables, and warn of nothing meanwhile.

    That is the random states of Python, numpy and the backend, and what the backend keeps inside the model, such as
    the buffers of a torch module.

    A warning that the model gives while we call it comes, or came, in the training too. Where a thread makes the
    batches, the states of Python and numpy are left alone: it may draw during the block, and would then draw the same
    numbers again.

    Args:
        model: The model that is called.
        fit: The arguments of the running `fit`.
    """
    python_state, numpy_state = random.getstate(), np.random.get_state()
    try:
        with backend.current().undisturbed(model), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        if not fit.threaded:
            random.setstate(python_state)
            np.random.set_state(numpy_state)
