"""Runs built by hand, for tests of modules that know no Keras."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from deepdebug.facts import Facts, FitFacts, LayerFacts, LossFacts, OptimizerFacts, OutputFacts, VariableFacts
from deepdebug.observation import LayerObservation, Observation, OutputObservation, Run, VariableObservation

STEPS_PER_EPOCH = 100


def dense(name: str, units: int = 8, activation: str = "relu", inputs: tuple[str, ...] | None = None) -> LayerFacts:
    return LayerFacts(
        name=name, kind="Dense", family="dense", activation=activation, inputs=inputs, input_shape=(4,),
        output_shape=(units,), config={"units": units, "use_bias": True, "kernel_initializer": "GlorotUniform"},
    )  # fmt: skip


def kernel(layer: str, shape: tuple[int, ...] = (4, 8), **changes: Any) -> VariableFacts:
    base = VariableFacts(
        path=f"model/{layer}/kernel", layer=layer, role="kernel", shape=shape, fan_in=shape[0], fan_out=shape[-1],
        initializer="GlorotUniform",
    )  # fmt: skip
    return replace(base, **changes)


def classifier_facts(classes: int = 3, **changes: Any) -> Facts:
    """A healthy two-layer softmax classifier."""
    output = OutputFacts(
        "output", "head", "softmax", "head", (classes,),
        LossFacts("categorical_crossentropy", "CategoricalCrossentropy", from_logits=False),
    )  # fmt: skip
    base = Facts(
        model="model",
        layers=(dense("hidden", inputs=("input",)), dense("head", classes, "softmax", inputs=("hidden",))),
        variables=(kernel("hidden"), kernel("head", (8, classes))),
        outputs=(output,),
        optimizer=OptimizerFacts("Adam", 1e-3, epsilon=1e-7),
        fit=FitFacts("arrays", rows=3200, batch_size=32, steps_per_epoch=STEPS_PER_EPOCH, epochs=10, shuffle=True),
        backend="tensorflow",
    )
    return replace(base, **changes)


def healthy_variable(path: str, **changes: Any) -> VariableObservation:
    base = VariableObservation(
        path=path, rms=0.3, std=0.3, max_abs=1.0, moved=0.1, has_gradient=True, gradient_non_finite=0.0,
        gradient_rms=1e-2, gradient_max=0.1, gradient_zero_fraction=0.0, update_rms=3e-4,
    )  # fmt: skip
    return replace(base, **changes)


def healthy_layer(name: str, activation: str = "relu", **changes: Any) -> LayerObservation:
    base = LayerObservation(name=name, mean=0.4, rms=0.7, minimum=0.0, maximum=3.0, row_spread=0.5)
    if activation == "relu":
        base = replace(base, dead_fraction=0.02, zero_fraction=0.5)
    if activation in ("sigmoid", "tanh"):
        base = replace(base, saturated_fraction=0.05, stuck_fraction=0.0)
    return replace(base, **changes)


def observation(facts: Facts, epoch: int, **changes: Any) -> Observation:
    """A healthy observation at the end of `epoch`; -1 gives the one before training."""
    loss = 1.2 * 0.8 ** (epoch + 1)
    base = Observation(
        epoch=epoch,
        step=(epoch + 1) * STEPS_PER_EPOCH,
        trigger="begin" if epoch < 0 else "epoch",
        metrics={} if epoch < 0 else {"loss": loss, "accuracy": 1 - 0.5 * 0.8**epoch},
        learning_rate=1e-3,
        rows=512,
        confirmed=True,
        loss=loss,
        permuted_loss=2.5,
        penalty=0.0,
        gradient_norm=0.5,
        layers=tuple(
            healthy_layer(layer.name, layer.activation, mean=0.4 + 0.01 * epoch, rms=0.7 + 0.01 * epoch)
            for layer in facts.layers
        ),
        variables=tuple(healthy_variable(variable.path) for variable in facts.variables),
        outputs=(
            OutputObservation(
                "output", row_spread=0.4, label_spread=0.47, mean_abs=0.33, accuracy=0.9, majority=0.34,
                predicted_share=0.36, class_counts=(170, 171, 171), recalls=(0.9, 0.9, 0.9), constant_loss=1.0986,
                loss=loss,
            ),
        ),
    )  # fmt: skip
    return replace(base, **changes)


def healthy_run(epochs: int = 5, facts: Facts | None = None, finished: bool = False) -> Run:
    facts = facts or classifier_facts()
    return Run(facts, [observation(facts, epoch) for epoch in range(-1, epochs)], finished)


def change_layer(run: Run, name: str, only: Sequence[int] | None = None, **changes: Any) -> Run:
    """Return the run with a layer's record changed at every epoch, or at the epochs in `only`."""

    def changed(seen: Observation) -> Observation:
        if only is not None and seen.epoch not in only:
            return seen
        layers = tuple(replace(layer, **changes) if layer.name == name else layer for layer in seen.layers)
        return replace(seen, layers=layers)

    return replace(run, observations=[changed(seen) for seen in run.observations])


def change_variable(run: Run, path: str, only: Sequence[int] | None = None, **changes: Any) -> Run:
    """Return the run with a variable's record changed at every epoch, or at the epochs in `only`."""

    def changed(seen: Observation) -> Observation:
        if only is not None and seen.epoch not in only:
            return seen
        variables = tuple(replace(one, **changes) if one.path == path else one for one in seen.variables)
        return replace(seen, variables=variables)

    return replace(run, observations=[changed(seen) for seen in run.observations])


def change_output(run: Run, only: Sequence[int] | None = None, **changes: Any) -> Run:
    """Return the run with the (first) output's record changed at every epoch, or at the epochs in `only`."""

    def changed(seen: Observation) -> Observation:
        if only is not None and seen.epoch not in only:
            return seen
        return replace(seen, outputs=(replace(seen.outputs[0], **changes), *seen.outputs[1:]))

    return replace(run, observations=[changed(seen) for seen in run.observations])


def with_metric(run: Run, name: str, values: Sequence[float]) -> Run:
    """Return the run with the epoch metric set to `values`, one per epoch, the run cut or repeated to that length."""
    begin = [seen for seen in run.observations if seen.epoch < 0]
    template = run.observations[-1]
    seen = []
    for epoch, value in enumerate(values):
        base = (
            run.epochs[epoch]
            if epoch < len(run.epochs)
            else replace(template, epoch=epoch, step=(epoch + 1) * STEPS_PER_EPOCH)
        )
        seen.append(replace(base, metrics={**base.metrics, name: value}))
    return replace(run, observations=[*begin, *seen])
