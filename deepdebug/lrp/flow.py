"""The data flow of one forward pass: which call made which tensor, and which of them read the model's inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras

from deepdebug.errors import UsageError
from deepdebug.lrp.result import numbered
from deepdebug.model import private
from deepdebug.model.families import family_of
from deepdebug.model.record import Call, leaves, programs, recorded_calls, recorded_casts

# Behind layers of these families the model still reads its input: they move, scale or drop elements of it.
PREPARING = ("dropout", "reshape", "preprocessing")
ADVICE = (
    "Put what happens there into a layer of its own, and register a rule for it with `deepdebug.lrp.register_rule`."
)


@dataclass(frozen=True, slots=True)
class Flow:
    """One forward pass.

    Args:
        calls: The calls, in the order in which they ended, up to the one that made the output; their names are
            numbered where a layer is called more than once.
        origins: The tensor that each converted tensor was made of, by identity, followed to its end.
        inputs: Identities of the model's inputs.
        held: What keeps all these tensors, and so their identities, alive.
    """

    calls: tuple[Call, ...]
    origins: Mapping[int, int]
    inputs: frozenset[int]
    held: tuple[Any, ...]

    def source(self, tensor: Any) -> int:
        """Return the identity under which relevance of a tensor is gathered."""
        return self.origins.get(id(tensor), id(tensor))

    def sources(self, call: Call) -> list[int]:
        """Return those of the inputs of a call."""
        return [self.source(one) for one in call.inputs]

    @property
    def firsts(self) -> frozenset[str]:
        """Names of the calls that read an input of the model, as it is or after layers that prepare it."""
        prepared = set(self.inputs)
        found = set()
        for call in self.calls:
            sources = set(self.sources(call))
            if not sources & prepared:
                continue
            found.add(call.name)
            if sources <= prepared and family_of(call.operation) in PREPARING:
                prepared |= {id(one) for one in call.outputs}
        return frozenset(found)


class Tracer:
    """Records the data flow of one model.

    Args:
        model: A built model with one output.
        closed: Classes of layers that are taken as wholes, whatever is inside.
    """

    def __init__(self, model: keras.Model, closed: tuple[type, ...]) -> None:
        self._model = model
        self.operations = leaves(model, closed=closed)
        self._programs = programs(model, closed)

    def __call__(self, x: Any) -> Flow:
        """Call the model and return what it did; inside a `StatelessScope` with its weights.

        Args:
            x: Inputs as native tensors in the model's structure.

        Raises:
            UsageError: When the model has several outputs, or something happens outside its layers.
        """
        inner = {name: layer for name, layer in self._programs.items() if name}
        with (
            recorded_casts() as casts,
            recorded_calls(inner) as whole,
            recorded_calls(self.operations, scores=True) as calls,
        ):
            outputs = private.call_model(self._model, x, training=False)
        flat = keras.tree.flatten(outputs)
        if len(flat) != 1:
            raise UsageError(
                f"The model '{self._model.name}' has {len(flat)} outputs; expected one. Build a model that ends in the "
                "output to be explained."
            )
        names = numbered([call.name for call in calls])
        calls = [replace(call, name=name) for call, name in zip(calls, names, strict=True)]
        inputs = frozenset(id(one) for one in keras.tree.flatten(x))
        made = frozenset(id(one) for call in calls for one in call.outputs) - inputs
        origins = _origins(casts)
        self._check(calls, whole, origins, inputs | made)
        calls = [_without_constants(call, origins, inputs | made) for call in calls]
        held = (x, outputs, casts, whole, calls)
        return Flow(tuple(self._until(calls, flat[0])), origins, inputs, held)

    def _until(self, calls: Sequence[Call], output: Any) -> Sequence[Call]:
        """Return the calls up to the one that made the output."""
        for place in reversed(range(len(calls))):
            if any(one is output for one in calls[place].outputs):
                return calls[: place + 1]
        raise UsageError(
            f"The output of model '{self._model.name}' was made by none of its layers, so relevance has nowhere to "
            f"begin. {ADVICE}"
        )

    def _check(
        self, calls: Sequence[Call], whole: Sequence[Call], origins: Mapping[int, int], known: frozenset[int]
    ) -> None:
        """Raise where a tensor comes from what a layer does between its inner layers."""
        loose = {id(one): call.name for call in whole for one in call.outputs if id(one) not in known}
        for call in calls:
            inside = [name for name in self._programs if call.name.startswith(name)]
            for one in call.inputs:
                source = origins.get(id(one), id(one))
                if source in known or not (inside or source in loose):
                    continue  # what a graph holds beside tensors of its layers is constant
                where = loose.get(source, max(inside, default="")).rstrip("/") or self._model.name
                raise UsageError(
                    f"The data flow of model '{self._model.name}' cannot be followed at layer '{call.name}': its "
                    f"input was made by '{where}' outside its layers. {ADVICE}"
                )


def _without_constants(call: Call, origins: Mapping[int, int], known: frozenset[int]) -> Call:
    """Return the call without inputs that are the same for every image: they count as weights."""
    return replace(call, inputs=tuple(one for one in call.inputs if origins.get(id(one), id(one)) in known))


def _origins(casts: Sequence[tuple[Any, Any]]) -> dict[int, int]:
    """Return the first tensor of every chain of conversions, by the identity of each later one."""
    found: dict[int, int] = {}
    for before, after in casts:
        if after is not before:
            found[id(after)] = found.get(id(before), id(before))
    return found
