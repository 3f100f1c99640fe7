"""One compiled forward pass that keeps more than the output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from deepdebug.errors import UsageError
from deepdebug.lrp.flow import Tracer
from deepdebug.lrp.precision import precise
from deepdebug.lrp.propagate import registered_layers
from deepdebug.lrp.target import scores
from deepdebug.model import backend
from deepdebug.model.families import family_of

Array = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Passed:
    """What a forward pass gave.

    Args:
        scores: Array of shape (rows, outputs): before the last activation, such as logits.
        outputs: Array of shape (rows, outputs): as the model gives them.
        activations: Outputs of the layers asked for, of shape (rows, ...), by name.
        hidden: What the last dense layer reads, of shape (rows, ...); `None` for a model without one.
    """

    scores: Array
    outputs: Array
    activations: Mapping[str, Array]
    hidden: Array | None


class Forward:
    """Forward passes through one model, compiled at the first batch.

    Args:
        model: A built model with one output.
        layers: Names of the layers whose output is kept. Defaults to none.

    Raises:
        UsageError: When the model has no such layer, or several outputs.
    """

    def __init__(self, model: keras.Model, layers: Sequence[str] = ()) -> None:
        self._model = model
        self._trace = Tracer(model, registered_layers())
        known = self._trace.operations
        unknown = [name for name in layers if name not in known]
        if unknown:
            raise UsageError(f"`layers` got {unknown}; the model '{model.name}' has {', '.join(known)}.")
        self._layers = tuple(layers)
        self._variables = list(model.variables)
        self._compiled = backend.current().compile_function(self._pass)

    def __call__(self, x: Any) -> Passed:
        """Pass one batch.

        Args:
            x: Inputs of shape (rows, ...).
        """
        values = backend.current().values(self._variables)
        before, after, kept, hidden = self._compiled(values, ops.convert_to_tensor(x))
        as_array = backend.current().as_array
        activations = dict(zip(self._layers, map(as_array, kept), strict=True))
        return Passed(as_array(before), as_array(after), activations, as_array(hidden[0]) if hidden else None)

    def _pass(self, values: Any, x: Any) -> tuple[Any, Any, list[Any], list[Any]]:
        with keras.StatelessScope(state_mapping=list(zip(self._variables, values, strict=True))):
            flow = self._trace(x)
            before = scores(flow.calls[-1])
        last = {call.name.partition("#")[0]: call.outputs[0] for call in flow.calls}
        flat = [ops.reshape(precise(one), (ops.shape(one)[0], -1)) for one in (before, flow.calls[-1].outputs[0])]
        hidden = [precise(call.inputs[0]) for call in flow.calls if family_of(call.operation) == "dense"][-1:]
        return flat[0], flat[1], [precise(last[name]) for name in self._layers], hidden
