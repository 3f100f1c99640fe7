"""Deep models built by hand, for tests of detectors that look at many layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from deepdebug.facts import Facts, LayerFacts, OptimizerFacts
from deepdebug.observation import Run
from tests.factory import change_variable, classifier_facts, dense, healthy_run, kernel

SGD = OptimizerFacts("SGD", 0.01)
ADAM = OptimizerFacts("Adam", 1e-3, epsilon=1e-7)


def chain(*layers: LayerFacts, **changes: Any) -> Facts:
    """A classifier of these layers, one feeding the next; the last one is the output, all dense ones have a kernel."""
    linked = [replace(layer, inputs=(before,)) for layer, before in zip(layers, names_before(layers), strict=True)]
    facts = classifier_facts()
    output = replace(facts.outputs[0], layer=layers[-1].name, activation_layer=layers[-1].name)
    base = replace(
        facts,
        layers=tuple(linked),
        variables=tuple(kernel(layer.name, (8, 8)) for layer in layers if layer.family in ("dense", "convolution")),
        outputs=(output,),
    )
    return replace(base, **changes)


def names_before(layers: Sequence[LayerFacts]) -> list[str]:
    return ["input", *(layer.name for layer in layers[:-1])]


def layer(name: str, kind: str, family: str, **changes: Any) -> LayerFacts:
    return replace(LayerFacts(name, kind, family), **changes)


def deep_facts(depth: int = 8, activation: str = "sigmoid", **changes: Any) -> Facts:
    hidden = [dense(f"d{index}", activation=activation) for index in range(depth - 1)]
    return chain(*hidden, dense(f"d{depth - 1}", 3, "softmax"), **changes)


def with_profile(run: Run, relatives: Sequence[float], only: Sequence[int] | None = None, **changes: Any) -> Run:
    """Return the run with these relative gradients (RMS of gradient / RMS of weights) from first to last kernel."""
    for facts, relative in zip(run.facts.variables, relatives, strict=True):
        run = change_variable(run, facts.path, only, gradient_rms=relative * 0.3, **changes)
    return run


def fading(depth: int = 8, per_layer: float = 0.2, last: float = 1e-2) -> list[float]:
    return [last * per_layer ** (depth - 1 - index) for index in range(depth)]


def deep_run(facts: Facts | None = None, epochs: int = 5) -> Run:
    return healthy_run(epochs, facts or deep_facts())


def unskilled(run: Run) -> Run:
    """Return the run with a loss that stays at that of the best constant."""
    seen = [
        replace(one, loss=1.09, outputs=tuple(replace(output, loss=1.09, accuracy=0.34) for output in one.outputs))
        for one in run.observations
    ]
    return replace(run, observations=seen)


def change_observations(run: Run, only: Sequence[int] | None = None, **changes: Any) -> Run:
    """Return the run with fields of its observations changed, at every epoch or at the epochs in `only`."""
    seen = [replace(one, **changes) if only is None or one.epoch in only else one for one in run.observations]
    return replace(run, observations=seen)


def moving(run: Run) -> Run:
    """Return the run with layer outputs that change by 1 % from epoch to epoch."""
    seen = [
        replace(one, layers=tuple(replace(layer, rms=layer.rms * 1.01**one.epoch) for layer in one.layers))
        for one in run.observations
    ]
    return replace(run, observations=seen)


def with_alarm(run: Run, **changes: Any) -> Run:
    """Return the run with an alarm (the batch loss stopped being finite) after its newest observation."""
    newest = run.observations[-1]
    alarm = replace(newest, epoch=newest.epoch + 1, step=newest.step + 7, trigger="alarm", loss=float("nan"), **changes)
    return replace(run, observations=[*run.observations, alarm])
