"""Relevance at the input of every layer, for a batch, in one compiled call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from deepdebug.errors import UsageError
from deepdebug.lrp.composite import Composite, find_composite
from deepdebug.lrp.propagate import Setting, propagate
from deepdebug.lrp.target import Target, checked_target, scores, start
from deepdebug.model import backend, private
from deepdebug.model.families import family_of
from deepdebug.model.record import Call, leaves, recorded_calls, recorded_casts

Array = npt.NDArray[np.floating[Any]]
UNKNOWN = ("error", "gradient")


@dataclass(frozen=True, slots=True)
class Conservation:
    """How much relevance went into a layer and how much came out on the other side, summed over rows and elements.

    Args:
        layer: Name of the layer.
        outputs: Relevance at its output.
        inputs: Relevance at its inputs.
    """

    layer: str
    outputs: float
    inputs: float

    @property
    def absorbed(self) -> float:
        """Share that bias, epsilon or padding took; negative where it was added."""
        return 0.0 if self.outputs == 0 else 1.0 - self.inputs / self.outputs


class Relevance(Mapping[str, Array]):
    """Relevance at the input of every layer by layer name, in the order in which data flows.

    Args:
        arrays: Arrays of shape (rows, *shape of the layer's first input).
        conservation: One record per layer.
    """

    def __init__(self, arrays: Mapping[str, Array], conservation: Sequence[Conservation]) -> None:
        self._arrays = dict(arrays)
        self.conservation = tuple(conservation)

    def __getitem__(self, layer: str) -> Array:
        return self._arrays[layer]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)


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
    ) -> None:
        if on_unknown not in UNKNOWN:
            raise UsageError(f"`on_unknown` got {on_unknown!r}; expected one of {', '.join(UNKNOWN)}.")
        self._model = model
        self._setting = Setting(find_composite(composite), on_unknown)
        self._operations = leaves(model)
        self._wanted = None if layers is None else frozenset(layers)
        unknown = sorted((self._wanted or set()) - set(self._operations))
        if unknown:
            raise UsageError(f"`layers` got {unknown}; the model '{model.name}' has {', '.join(self._operations)}.")
        self._variables = list(model.variables)
        self._compiled = {how: self._compile(how) for how in ("predicted", "largest", "index")}
        self._names: list[str] = []  # of all calls, and of those returned; known when the model was first traced
        self._returned: list[str] = []

    def __call__(self, x: Any, target: Target = "predicted") -> Relevance:
        """Return the relevance at the input of every layer.

        Args:
            x: Inputs of shape (rows, ...), in the model's structure.
            target: Which output is explained: "predicted" (the largest score), "largest" (the largest in size, for
                regressions), an index, or one index per row. Defaults to `"predicted"`.

        Raises:
            UsageError: When the target is none, or a layer has no rule.
        """
        native = keras.tree.map_structure(self._native, x)
        rows = int(keras.tree.flatten(native)[0].shape[0])
        how, indices = checked_target(target, rows)
        values = backend.current().values(self._variables)
        found, sums = self._compiled[how](values, native, ops.convert_to_tensor(indices))
        arrays = dict(zip(self._returned, map(ops.convert_to_numpy, found), strict=True))
        totals = np.asarray(ops.convert_to_numpy(sums), "float64").reshape(-1, 2)
        records = [Conservation(name, *map(float, pair)) for name, pair in zip(self._names, totals, strict=True)]
        return Relevance(arrays, records)

    def _native(self, values: Any) -> Any:
        """Return inputs as a tensor, numbers in single precision or, for a model in double precision, in double."""
        dtype = "float64" if self._model.compute_dtype == "float64" else "float32"
        is_float = np.issubdtype(np.asarray(values).dtype, np.floating)
        return ops.convert_to_tensor(values, dtype=dtype if is_float else None)

    def _compile(self, how: str) -> Any:
        def function(values: Any, x: Any, indices: Any) -> Any:
            return self._relevance(values, x, how, indices)

        return backend.current().compile_function(function)

    def _relevance(self, values: Any, x: Any, how: str, indices: Any) -> tuple[list[Any], Any]:
        scope = keras.StatelessScope(state_mapping=list(zip(self._variables, values, strict=True)))
        with scope, recorded_calls(self._operations) as calls, recorded_casts() as casts:
            private.call_model(self._model, x, training=False)
        with keras.StatelessScope(state_mapping=list(zip(self._variables, values, strict=True))):
            return self._backward(calls, casts, how, indices, {id(one) for one in keras.tree.flatten(x)})

    def _backward(
        self, calls: Sequence[Call], casts: Sequence[tuple[Any, Any]], how: str, indices: Any, given: set[int]
    ) -> tuple[list[Any], Any]:
        made = {id(one) for call in calls for one in call.outputs}
        origins = {id(after): id(before) for before, after in casts if after is not before}
        last = calls[-1]
        waiting = {id(last.outputs[0]): start(scores(last), how, indices)}
        if _is_head(last):
            waiting[origins.get(id(last.inputs[0]), id(last.inputs[0]))] = waiting.pop(id(last.outputs[0]))
            calls = calls[:-1]
        results: list[tuple[str, Any, Any]] = []
        for call in map(_with_distinct_inputs, reversed(calls)):
            relevance = waiting.pop(id(call.outputs[0]), None) if call.outputs else None
            if relevance is None:
                continue
            sources = [origins.get(id(one), id(one)) for one in call.inputs]
            is_first = any(source not in made for source in sources)
            if is_first and not private.is_graph(self._model) and not given.issuperset(set(sources) - made):
                raise UsageError(
                    f"The data flow of model '{self._model.name}' cannot be followed at layer '{call.name}', whose "
                    "input no layer made. Put the operation in front of it into a layer, or build a functional model."
                )
            parts = propagate(call, relevance, is_first, self._setting)
            for source, part in zip(sources, parts, strict=False):
                waiting[source] = part if source not in waiting else waiting[source] + part
            total = sum((ops.sum(part) for part in parts[1:]), start=ops.sum(parts[0]))
            results.append((call.name, parts[0], ops.stack([ops.sum(relevance), total])))
        return self._collected(results[::-1])

    def _collected(self, results: Sequence[tuple[str, Any, Any]]) -> tuple[list[Any], Any]:
        uses: Counter[str] = Counter()
        names = []
        for name, _, _ in results:
            uses[name] += 1
            names.append(name if uses[name] == 1 else f"{name}#{uses[name]}")
        self._names = names
        wanted = [index for index, (name, _, _) in enumerate(results) if self._wanted is None or name in self._wanted]
        self._returned = [names[index] for index in wanted]
        return [results[index][1] for index in wanted], ops.stack([sums for _, _, sums in results])


def _with_distinct_inputs(call: Call) -> Call:
    """Return the call with each input once: the gradient of one that comes twice, as in a square, is that of both."""
    return replace(call, inputs=tuple({id(one): one for one in call.inputs}.values()))


def _is_head(call: Call) -> bool:
    """Tell whether the last call only turns scores into probabilities."""
    return family_of(call.operation) == "activation"


def relevance(
    model: keras.Model,
    x: Any,
    *,
    composite: str | Composite = "epsilon-plus",
    target: Target = "predicted",
    layers: Sequence[str] | None = None,
    on_unknown: str = "error",
) -> Relevance:
    """Return the relevance at the input of every layer for one batch; `Explainer` is the form for many batches.

    Args:
        model: As in `Explainer`, like the other arguments.
        x: Inputs of shape (rows, ...).
        composite: Defaults to `"epsilon-plus"`.
        target: As in `Explainer.__call__`. Defaults to `"predicted"`.
        layers: Defaults to `None`: all.
        on_unknown: Defaults to `"error"`.
    """
    return Explainer(model, composite=composite, layers=layers, on_unknown=on_unknown)(x, target)
