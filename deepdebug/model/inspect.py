"""Reads a compiled model and turns it into `Facts`."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import keras

from deepdebug.facts import Facts, FitFacts, LayerFacts, OptimizerFacts, OutputFacts
from deepdebug.model.layers import Flow, effective_activation
from deepdebug.model.losses import losses_of
from deepdebug.model.variables import describe_variables, float_variables
from deepdebug.version import __version__

BACKEND_PACKAGES = {"tensorflow": ("tensorflow", "tensorflow-cpu"), "jax": ("jax",), "torch": ("torch",)}


def inspect_model(model: keras.Model, flow: Flow | None, fit: FitFacts) -> Facts:
    """Return everything known of a model before its first update, except its data.

    Args:
        model: A built and compiled model.
        flow: The recorded data flow, or `None` where the model could not be called; then layers are left out.
        fit: The arguments of the running `fit`.
    """
    trained = {id(variable) for variable in model.trainable_variables}
    variables = float_variables(model)
    operations = flow.operations if flow else {}
    return Facts(
        model=model.name,
        layers=flow.layers if flow else (),
        variables=describe_variables(variables, operations, {id(one) for one in variables if id(one) not in trained}),
        outputs=_outputs(model, flow) if flow else (),
        optimizer=describe_optimizer(model.optimizer),
        fit=fit,
        backend=keras.config.backend(),
        versions=_versions(),
    )


def _output_names(model: keras.Model, flow: Flow) -> list[str]:
    """Return the names of the outputs as Keras uses them for labels and losses, "output" for a single nameless one."""
    if flow.output_keys:
        return list(flow.output_keys)
    count = len(flow.output_makers)
    names = list(getattr(model, "output_names", None) or [])
    if len(names) == count:
        return [str(name) for name in names]
    return ["output"] if count == 1 else [f"output_{index}" for index in range(count)]


def _outputs(model: keras.Model, flow: Flow) -> tuple[OutputFacts, ...]:
    names = _output_names(model, flow)
    layers: dict[str, LayerFacts] = {layer.name: layer for layer in flow.layers}
    described = []
    parts: Sequence[Any] = list(
        zip(names, flow.output_makers, flow.output_shapes, losses_of(model, names), strict=True)
    )
    for name, maker, shape, loss in parts:
        layer, activation, activation_layer = effective_activation(layers, maker)
        described.append(OutputFacts(name, layer or maker, activation, activation_layer, shape, loss))
    return tuple(described)


def describe_optimizer(optimizer: Any) -> OptimizerFacts | None:
    """Return the facts of a Keras optimizer, or `None` for anything else."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    if not isinstance(inner, keras.optimizers.Optimizer):
        return None
    config = inner.get_config()
    clips = [config.get(name) for name in ("clipnorm", "global_clipnorm") if config.get(name) is not None]
    return OptimizerFacts(
        name=type(inner).__name__,
        learning_rate=learning_rate_of(inner),
        scheduled=isinstance(config.get("learning_rate"), dict),
        epsilon=_number(config.get("epsilon")),
        momentum=_number(config.get("momentum")),
        clipnorm=max(map(float, clips)) if clips else None,
    )


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def learning_rate_of(optimizer: Any) -> float | None:
    """Return the learning rate in force now; a schedule gives its value at the present iteration."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    rate = getattr(inner, "learning_rate", None)
    return None if rate is None else float(keras.ops.convert_to_numpy(rate))


def _versions() -> dict[str, str]:
    versions = {"deepdebug": __version__, "keras": keras.__version__}
    for package in BACKEND_PACKAGES.get(keras.config.backend(), ()):
        try:
            versions[keras.config.backend()] = version(package)
        except PackageNotFoundError:
            continue
        break
    return versions
