"""Relevance by iNNvestigate, in the form of `Explainer`."""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from deepdebug.errors import UsageError
from deepdebug.lrp import rules
from deepdebug.lrp.composite import Composite, find_composite
from deepdebug.lrp.forward import Forward
from deepdebug.lrp.innvestigate.loading import load
from deepdebug.lrp.innvestigate.moving import Step, described, rebuilt, set_weights
from deepdebug.lrp.propagate import RULED
from deepdebug.lrp.result import Conservation, Explained, Relevance, numbered
from deepdebug.lrp.target import Target, checked_goal, explained_index

MakeRule = Callable[[Any, Any], Any]  # from a layer and iNNvestigate's state to its rule


class InnvestigateExplainer:
    """iNNvestigate's answer for one model, in a graph and a session of its own.

    It differs from `Explainer` where iNNvestigate does: batch norm is wrong unless its variance is 1, and alpha-beta
    adds the whole bias to both signs (`compat="innvestigate"` makes the native engine do the same); a ReLU layer stops
    relevance where its input is negative, which only rules that look at no input (`WSquare`, `Flat`) send there. Where
    several layers read one tensor, each is given the whole relevance of that tensor and has no conservation record,
    because iNNvestigate adds the parts before it shows them.

    Args:
        model: A built Keras 3 model with one input and an output of shape (rows, outputs), made of layers that
            iNNvestigate has a rule for.
        composite: As in `Explainer`, made of Epsilon, AlphaBeta, ZPlus, WSquare, Flat and ZBox. Defaults to
            `"epsilon-plus"`.
        layers: Names of the layers to return. Defaults to `None`: all.
        reference: As in `Explainer`. Defaults to `None`.

    Raises:
        UsageError: When iNNvestigate is not installed, or the model or the composite cannot be handed over.
    """

    def __init__(
        self,
        model: keras.Model,
        *,
        composite: str | Composite = "epsilon-plus",
        layers: Sequence[str] | None = None,
        reference: Any = None,
    ) -> None:
        tensorflow, tf_keras, innvestigate = load()
        chosen = find_composite(composite)
        if chosen.max_pooling != "winner":
            raise UsageError(f'`engine="innvestigate"` knows winner-take-all pooling only; got {chosen.max_pooling!r}.')
        self._model, self._reference = model, reference
        self._outputs = model.output_shape[-1]
        steps = described(model)
        made_rules = {one.name: _made(_ours(one, chosen), innvestigate) for one in steps if one.family in RULED}
        self._names = numbered([one.name for one in steps])
        known = {*self._names, *(one.name for one in steps)}
        unknown = sorted(set(layers or ()) - known)
        if unknown:
            raise UsageError(f"`layers` got {unknown}; the model '{model.name}' has {', '.join(self._names)}.")
        self._wanted = frozenset(known if layers is None else layers)
        self._graph = tensorflow.Graph()
        self._session = tensorflow.compat.v1.Session(graph=self._graph)
        with self._inside():
            self._twin, made = rebuilt(steps, model.input_shape, tf_keras)
            set_weights(steps, made)
            by_layer = {
                id(layer): made_rules[one.name]
                for one, layer in zip(steps, made, strict=True)
                if one.name in made_rules
            }
            rule = [(lambda _layer: True, functools.partial(_chosen, by_layer))]
            self._analyzer = functools.cache(
                functools.partial(_analyzer, innvestigate, self._twin, rule, _made(chosen.normalization, innvestigate))
            )
            trace = innvestigate.backend.graph.trace_model_execution(self._twin)[1]
        self._check_twin()
        self._order = _order_of_values(self._twin, trace)
        self._flow = _flow(made, trace)

    @contextlib.contextmanager
    def _inside(self) -> Iterator[None]:
        with self._graph.as_default(), self._session.as_default(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of layers that it was not tested with
            yield

    def _check_twin(self) -> None:
        """Raise where the model does not compute the same in tf_keras."""
        x = np.random.default_rng(0).random((2, *(size or 1 for size in self._model.input_shape[1:])), dtype="float32")
        wanted = Forward(self._model)(x).scores
        with self._inside():
            found = self._twin.predict_on_batch(x)
        if not np.allclose(found, wanted, rtol=1e-3, atol=1e-4 * (1 + np.abs(wanted).max())):
            raise UsageError(
                f"The model '{self._model.name}' gives other scores in tf_keras (they differ by up to "
                f'{np.abs(found - wanted).max():.2g}), so iNNvestigate cannot answer for it. Use `engine="native"`.'
            )

    def __call__(self, x: Any, target: Target = "predicted", y: Any = None) -> Relevance:
        """Return the relevance at the input of every layer.

        Args:
            x: Inputs, of shape (rows, ...).
            target: As in `Explainer.__call__`, but not "loss". Defaults to `"predicted"`.
            y: As in `Explainer.__call__`. Defaults to `None`.

        Raises:
            UsageError: When the target cannot be used.
        """
        x = np.asarray(x, "float32")
        goal = checked_goal(target, len(x), self._outputs, y, self._reference)
        if "loss" in goal.how:
            raise UsageError('`target="loss"` has no answer of `engine="innvestigate"`, which explains one output.')
        outputs = self._model.predict_on_batch(x)
        with self._inside():
            scores = self._twin.predict_on_batch(x)
        given = tuple(map(keras.ops.convert_to_tensor, goal.numbers))
        flat, output = map(keras.ops.convert_to_tensor, (scores, outputs))
        indices = keras.ops.convert_to_numpy(explained_index(flat, output, goal.how, given))
        at_tensor = self._at_tensors(x, None if goal.how == "predicted" else indices)
        rows = np.arange(len(x))
        return Relevance(
            self._of_layers(at_tensor),
            self._conservation(at_tensor),
            (at_tensor[id(self._twin.inputs[0])],),
            Explained(indices, scores[rows, indices], outputs[rows, indices], scores.argmax(axis=1)),
        )

    def arrays(self, x: npt.NDArray[np.floating[Any]]) -> dict[str, npt.NDArray[Any]]:
        """Return the relevance at the input of every layer for the predicted output: one call of iNNvestigate, no more.

        Args:
            x: Inputs, of shape (rows, ...), float32.
        """
        return self._of_layers(self._at_tensors(x, None))

    def _at_tensors(self, x: Any, indices: Any) -> dict[int, npt.NDArray[Any]]:
        """Return the relevance of every tensor, for the given outputs or, with `None`, the largest ones."""
        with self._inside():
            if indices is None:
                _, *values = self._analyzer("max_activation").predict_on_batch(x)
            else:
                selection = np.stack([np.arange(len(x)), indices], axis=1)
                _, *values = self._analyzer("index").predict_on_batch([x, selection])
        return dict(zip(self._order, values, strict=True))

    def _of_layers(self, at_tensor: Mapping[int, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
        arrays = {name: at_tensor[inputs[0]] for name, (inputs, _) in zip(self._names, self._flow, strict=True)}
        return {name: one for name, one in arrays.items() if {name, name.partition("#")[0]} & self._wanted}

    def _conservation(self, at_tensor: Mapping[int, npt.NDArray[Any]]) -> list[Conservation]:
        readers = Counter(one for inputs, _ in self._flow for one in inputs)
        sums = {tensor: float(np.sum(value, dtype="float64")) for tensor, value in at_tensor.items()}
        return [
            Conservation(name, sums[output], sum(sums[one] for one in inputs))
            for name, (inputs, output) in zip(self._names, self._flow, strict=True)
            if all(readers[one] == 1 for one in inputs)
        ]


def _analyzer(innvestigate: Any, twin: Any, rule: Any, bn_rule: Any, selection: str) -> Any:
    """Return iNNvestigate's model that gives the relevance of every tensor; `selection` says of which output."""
    analyzer = innvestigate.create_analyzer(
        "lrp",
        twin,
        rule=rule,
        bn_layer_rule=bn_rule,
        neuron_selection_mode=selection,
        reverse_keep_tensors=True,
    )
    analyzer.create_analyzer_model()
    return analyzer._analyzer_model


def _ours(step: Step, composite: Composite) -> Any:
    return composite.rule(step.name, step.layer, step.family, step.reads_input)


def _chosen(by_layer: Mapping[int, MakeRule], layer: Any, state: Any) -> Any:
    return by_layer[id(layer)](layer, state)


def _made(rule: Any, innvestigate: Any) -> MakeRule:
    """Return iNNvestigate's form of one of our rules."""
    theirs = innvestigate.analyzer.relevance_based.relevance_rule
    match rule:
        case rules.Epsilon(epsilon=0.0):
            made = theirs.ZRule
        case rules.Epsilon(epsilon=epsilon):
            made = functools.partial(theirs.EpsilonRule, epsilon=epsilon)
        case rules.AlphaBeta(alpha=alpha, beta=beta):
            made = functools.partial(theirs.AlphaBetaRule, alpha=alpha, beta=beta)
        case rules.ZPlus():
            made = theirs.Alpha1Beta0IgnoreBiasRule
        case rules.WSquare():
            made = theirs.WSquareRule
        case rules.Flat():
            made = theirs.FlatRule
        case rules.ZBox(low=low, high=high):
            made = functools.partial(theirs.BoundedRule, low=low, high=high)
        case _:
            raise UsageError(f'`engine="innvestigate"` has no rule {type(rule).__name__}; use `engine="native"`.')
    result: MakeRule = made
    return result


def _flow(layers: Sequence[Any], trace: Sequence[Any]) -> list[tuple[list[int], int]]:
    """Return the tensors that each step reads and makes, in the order of the steps."""
    waiting: dict[int, list[tuple[list[int], int]]] = {}
    for layer, inputs, outputs in trace:
        waiting.setdefault(id(layer), []).append(([id(one) for one in _listed(inputs)], id(_listed(outputs)[0])))
    return [waiting[id(layer)].pop(0) for layer in layers]


def _order_of_values(twin: Any, trace: Sequence[Any]) -> list[int]:
    """Return the tensor that each value of the analyzer belongs to: the selected output, then as relevance met them."""
    order = [0, id(twin.outputs[0])]
    for _, inputs, _ in reversed(trace):
        order += [id(one) for one in _listed(inputs) if id(one) not in order]
    return order


def _listed(one: Any) -> list[Any]:
    return list(one) if isinstance(one, list | tuple) else [one]
