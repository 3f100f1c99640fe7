"""At which scale the weights of a layer should start."""

from __future__ import annotations

import math

from deepdebug.detectors import flow
from deepdebug.facts import Facts, VariableFacts

RECTIFIERS = ("relu", "relu6", "leaky_relu", "elu", "gelu", "silu")


def usual_stds(facts: VariableFacts) -> tuple[float, ...]:
    """Return the standard deviations of He, LeCun and Glorot initialisation for a kernel, and Keras's own Glorot.

    Keras counts inputs and outputs by the position of the axes alone: it differs for depthwise and attention kernels.
    """
    fan_in, fan_out = facts.fan_in or 1, facts.fan_out or 1
    receptive = math.prod(facts.shape[:-2])
    keras_glorot = math.sqrt(2 / (receptive * (facts.shape[-2] + facts.shape[-1])))
    return math.sqrt(2 / fan_in), math.sqrt(1 / fan_in), math.sqrt(2 / (fan_in + fan_out)), keras_glorot


def recommended_std(facts: Facts, variable: VariableFacts) -> float:
    """Return the standard deviation that suits a kernel: He before rectifiers, LeCun before selu, else Glorot."""
    he, lecun, glorot, _ = usual_stds(variable)
    activation = following_activation(facts, variable.layer)
    return he if activation in RECTIFIERS else lecun if activation == "selu" else glorot


def following_activation(facts: Facts, name: str | None) -> str:
    """Return the activation of a layer, or of the activation or normalisation layers right behind a linear one."""
    layer = facts.layer(name)
    for _ in range(3):
        if layer is None or layer.activation != "linear":
            break
        following = flow.consumers(facts, layer.name) or []
        alone = len(following) == 1 and following[0].family in ("activation", "normalization", "dropout")
        layer = following[0] if alone else None
    return layer.activation if layer is not None else "linear"
