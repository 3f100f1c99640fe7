"""Relevance at the input of every layer, for a batch, in one compiled call."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
from keras import ops

from deepdebug.errors import UsageError
from deepdebug.lrp.composite import Composite, as_innvestigate, find_composite
from deepdebug.lrp.flow import Flow, Tracer
from deepdebug.lrp.innvestigate import InnvestigateExplainer
from deepdebug.lrp.precision import precise, with_precise_weights
from deepdebug.lrp.propagate import Place, Setting, lies_on_positive, propagate, registered_layers
from deepdebug.lrp.result import Conservation, Explained, Relevance
from deepdebug.lrp.signs import nonnegative_tensors
from deepdebug.lrp.target import Given, Target, checked_goal, is_head, start
from deepdebug.model import backend, private
from deepdebug.model.record import Call

UNKNOWN = ("error", "gradient")
ANY_OUTPUTS = ("predicted", "largest")  # targets that need not know how many outputs there are
ENGINES = ("native", "innvestigate")
COMPATIBLE = (None, "innvestigate")


@dataclass(frozen=True, slots=True)
class Arrived:
    """Relevance that has arrived at a tensor.

    Args:
        relevance: Tensor of its shape.
        total: Its sum.
        only_positive: Whether it is known to be 0 wherever the tensor is not positive.
    """

    relevance: Any
    total: Any
    only_positive: bool

    def plus(self, other: Arrived) -> Arrived:
        """Return both together."""
        return Arrived(
            self.relevance + other.relevance, self.total + other.total, self.only_positive and other.only_positive
        )


class Explainer:
    """Layer-wise relevance propagation through one model, compiled at the first batch.

    Args:
        model: A built model with one output, whose data flow goes through layers or, in functional models, operations
            of `keras.ops` too.
        composite: Name of a composite (`COMPOSITES`: "hudd", "z-plus", "epsilon-plus", "epsilon-gamma-box", "preset-a",
            "preset-b", "epsilon") or a `Composite`. Defaults to `"epsilon-plus"`.
        layers: Names of the layers to return. Defaults to `None`: all.
        on_unknown: What to do at a layer without a rule: "error", or "gradient" for gradient times input. Defaults to
            `"error"`.
        compat: "innvestigate" repeats what iNNvestigate 2.1.2 does otherwise: its error in batch norm, and the whole
            bias on both sides of alpha-beta. Defaults to `None`.
        reference: The model's outputs for other inputs, of shape (any, outputs), for targets "worst" and "loss" where
            no labels are known. Defaults to `None`.

    Raises:
        UsageError: When an argument cannot be used.
    """

    def __init__(
        self,
        model: keras.Model,
        *,
        composite: str | Composite = "epsilon-plus",
        layers: Sequence[str] | None = None,
        on_unknown: str = "error",
        compat: str | None = None,
        reference: Any = None,
    ) -> None:
        if on_unknown not in UNKNOWN:
            raise UsageError(f"`on_unknown` got {on_unknown!r}; expected one of {', '.join(UNKNOWN)}.")
        if not model.built:
            raise UsageError(f"The model '{model.name}' is not built; call it on a batch or give it an input shape.")
        if compat not in COMPATIBLE:
            raise UsageError(f'`compat` got {compat!r}; expected None or "innvestigate".')
        self._given, self._model = model, with_precise_weights(model)
        chosen = find_composite(composite)
        self._setting = Setting(as_innvestigate(chosen) if compat else chosen, on_unknown, compat)
        self._trace = Tracer(self._model, registered_layers())
        self._wanted = None if layers is None else frozenset(layers)
        known = self._trace.operations
        unknown = sorted(one for one in self._wanted or () if one not in known and one.rpartition("#")[0] not in known)
        if unknown:
            raise UsageError(f"`layers` got {unknown}; the model '{model.name}' has {', '.join(known)}.")
        misspelt = sorted(set(chosen.by_name or ()) - set(known))
        if misspelt:
            raise UsageError(f"`by_name` of the composite names {misspelt}; the model has {', '.join(known)}.")
        self._variables = list(self._model.variables)
        self._reference = reference
        self._compiled: dict[str, Any] = {}  # by how the explained output is chosen
        self._names: list[str] = []  # of all calls, and of those returned; known when the model was first traced
        self._returned: list[str] = []

    def __call__(self, x: Any, target: Target = "predicted", y: Any = None) -> Relevance:
        """Return the relevance at the input of every layer.

        Args:
            x: Inputs of shape (rows, ...), in the model's structure.
            target: Which output is explained. Defaults to `"predicted"`.

                - "predicted": the one with the largest score, which may be a wrong class.
                - "largest": the one that is largest in size, for regressions.
                - An index, or one index per row.
                - "true": the class in `y`.
                - "worst": the one that lies farthest from `y`; without `y` the least usual one, counted in standard
                  deviations of `reference`.
                - "loss": all outputs, each with its part in the loss against `y`: the squared error of a regression,
                  score times derivative of the cross-entropy for classes. Without `y`, classes count the model's own
                  answer as right, and regressions the mean of `reference`.

            y: Labels: classes of shape (rows,), or values of shape (rows, outputs). Read by the last three targets
                only. Defaults to `None`.

        Raises:
            UsageError: When the target is none of these, or a layer has no rule.

        Note:
            The relevance that starts is the score itself: where the explained score is negative, as it may be for
            a chosen class, relevance against that class is positive.
        """
        native = keras.tree.map_structure(self._native, x)
        rows = int(keras.tree.flatten(native)[0].shape[0])
        outputs = None if isinstance(target, str) and target in ANY_OUTPUTS else _outputs(self._model, native)
        goal = checked_goal(target, rows, outputs, y, self._reference)
        if goal.how not in self._compiled:
            self._compiled[goal.how] = self._compile(goal.how)
        values = [precise(one) for one in backend.current().values(self._given.variables)]
        given = tuple(map(ops.convert_to_tensor, goal.numbers))
        found, sums, inputs, explained = self._compiled[goal.how](values, native, given)
        as_array = backend.current().as_array
        arrays = dict(zip(self._returned, map(as_array, found), strict=True))
        totals = np.asarray(as_array(sums), "float64").reshape(-1, 2)
        records = [Conservation(name, *map(float, pair)) for name, pair in zip(self._names, totals, strict=True)]
        return Relevance(arrays, records, tuple(map(as_array, inputs)), Explained(*map(as_array, explained)))

    def _native(self, values: Any) -> Any:
        """Return inputs as a tensor, numbers in single precision or, for a model in double precision, in double."""
        dtype = "float64" if self._model.compute_dtype == "float64" else "float32"
        is_float = np.issubdtype(np.asarray(values).dtype, np.floating)
        return ops.convert_to_tensor(values, dtype=dtype if is_float else None)

    def _compile(self, how: str) -> Any:
        def function(values: Any, x: Any, given: Given) -> Any:
            return self._relevance(values, x, how, given)

        return backend.current().compile_function(function)

    def _relevance(self, values: Any, x: Any, how: str, given: Given) -> tuple[Any, ...]:
        with keras.StatelessScope(state_mapping=list(zip(self._variables, values, strict=True))):
            flow = self._trace(x)
            return self._backward(flow, start(flow.calls[-1], how, given), keras.tree.flatten(x))

    def _backward(self, flow: Flow, started: tuple[Any, tuple[Any, ...]], x: Sequence[Any]) -> tuple[Any, ...]:
        begin, explained = started
        *calls, last = flow.calls
        if is_head(last):
            waiting = {flow.source(last.inputs[0]): Arrived(begin, ops.sum(begin), False)}
        else:
            waiting = {id(last.outputs[0]): Arrived(begin, ops.sum(begin), False)}
            calls = [*calls, last]
        nonnegative, firsts = nonnegative_tensors(calls, flow.origins), flow.firsts
        results: list[tuple[str, Any, Any]] = []
        for call in map(_with_distinct_inputs, reversed(calls)):
            arrived = waiting.pop(id(call.outputs[0]), None) if call.outputs else None
            if arrived is None:
                continue
            sources = flow.sources(call)
            place = Place(call.name in firsts, nonnegative.issuperset(sources), arrived.only_positive)
            only_positive = lies_on_positive(call, place, self._setting)
            parts = [
                Arrived(part, ops.sum(part), only_positive)
                for part in propagate(call, arrived.relevance, place, self._setting)
            ]
            for source, part in zip(sources, parts, strict=True):
                waiting[source] = waiting[source].plus(part) if source in waiting else part
            total = sum((one.total for one in parts[1:]), start=parts[0].total)
            results.append((call.name, parts[0].relevance, ops.stack([arrived.total, total])))
        return *self._collected(results[::-1]), [_of_input(one, waiting.get(id(one))) for one in x], explained

    def _collected(self, results: Sequence[tuple[str, Any, Any]]) -> tuple[list[Any], Any]:
        self._names = [name for name, _, _ in results]
        wanted = [index for index, name in enumerate(self._names) if self._is_wanted(name)]
        self._returned = [self._names[index] for index in wanted]
        return [results[index][1] for index in wanted], ops.stack([sums for _, _, sums in results])

    def _is_wanted(self, name: str) -> bool:
        """Tell whether a call is to be returned; the name of a layer means all its calls."""
        return self._wanted is None or name in self._wanted or name.rpartition("#")[0] in self._wanted


def _of_input(x: Any, arrived: Arrived | None) -> Any:
    """Return the relevance of a model's input in its shape, which is 0 for one that is not used."""
    return ops.zeros(ops.shape(x), "float32") if arrived is None else ops.reshape(arrived.relevance, ops.shape(x))


def _with_distinct_inputs(call: Call) -> Call:
    """Return the call with each input once: the gradient of one that comes twice, as in a square, is that of both."""
    return replace(call, inputs=tuple({id(one): one for one in call.inputs}.values()))


def _outputs(model: keras.Model, x: Any) -> int:
    """Return the number of outputs per row."""
    shape = model.output_shape if private.is_graph(model) else None
    if isinstance(shape, tuple) and None not in shape[1:]:
        return math.prod(shape[1:])
    found: list[Any] = []  # only a call tells
    row = keras.tree.map_structure(lambda one: one[:1], x)
    backend.current().trace(lambda one: found.extend(keras.tree.flatten(private.call_model(model, one, False))), row)
    return math.prod(found[0].shape[1:])


def relevance(
    model: keras.Model,
    x: Any,
    *,
    composite: str | Composite = "epsilon-plus",
    target: Target = "predicted",
    y: Any = None,
    layers: Sequence[str] | None = None,
    engine: str = "native",
    on_unknown: str = "error",
    compat: str | None = None,
    reference: Any = None,
) -> Relevance:
    """Return the relevance at the input of every layer for one batch; `Explainer` is the form for many batches.

    Args:
        model: As in `Explainer`, like the other arguments.
        x: Inputs of shape (rows, ...).
        composite: Defaults to `"epsilon-plus"`.
        target: As in `Explainer.__call__`. Defaults to `"predicted"`.
        y: As in `Explainer.__call__`. Defaults to `None`.
        layers: Defaults to `None`: all.
        engine: "native", or "innvestigate" for the answer of iNNvestigate 2.1.2 (see `InnvestigateExplainer`), which
            scripts/install_innvestigate installs. Defaults to `"native"`.
        on_unknown: Defaults to `"error"`.
        compat: Defaults to `None`.
        reference: Defaults to `None`.

    Raises:
        UsageError: When an argument cannot be used, or iNNvestigate is asked for and not installed.

    Example:

    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax", name="head")])
    >>> relevance(model, np.ones((2, 4)), composite="epsilon")["head"].shape
    (2, 4)
    """
    if engine not in ENGINES:
        raise UsageError(f"`engine` got {engine!r}; expected one of {', '.join(ENGINES)}.")
    if engine == "native":
        explainer = Explainer(
            model, composite=composite, layers=layers, on_unknown=on_unknown, compat=compat, reference=reference
        )
        return explainer(x, target, y)
    if on_unknown != "error" or compat is not None:
        raise UsageError('`on_unknown` and `compat` belong to `engine="native"`.')
    return InnvestigateExplainer(model, composite=composite, layers=layers, reference=reference)(x, target, y)
