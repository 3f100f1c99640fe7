"""DD402 constant-softmax."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors.static import is_constant_softmax, place, static_finding
from deepdebug.errors import NotJudged
from deepdebug.facts import LayerFacts
from deepdebug.observation import Run
from deepdebug.records import Finding

FAMILIES = ("dense", "convolution", "activation")


@dataclass(frozen=True)
class ConstantSoftmax:
    """Find softmax over one unit.

    What it does:
        Looks for a softmax, in the output or inside the model, whose axis has size 1.

    Why it matters:
        Softmax divides every value by the sum over its axis. Over one value that is the constant 1, so the layer says
        the same for every row and its weights get no gradient. On the TensorFlow backend the loss may fall to 0 all the
        same, because Keras computes it from the values before the softmax.

    How to fix:
        Use sigmoid with binary_crossentropy for a yes-or-no output. For attention weights apply softmax over the axis
        of positions, `keras.layers.Softmax(axis=1)`.

    Example:

    >>> ConstantSoftmax().code
    'DD402'
    """

    code: ClassVar[str] = "DD402"
    symptom: ClassVar[str] = "constant-softmax"
    abbreviation: ClassVar[str] = "ACT"

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding per layer that applies softmax over one unit."""
        facts = run.facts
        if not facts.layers and not facts.outputs:
            raise NotJudged("the model could not be read")
        heads = [place(output) for output in facts.outputs if is_constant_softmax(output)]
        hidden = [layer.name for layer in facts.layers if _is_constant(layer)]
        for name in dict.fromkeys([*heads, *hidden]):
            yield static_finding(
                self,
                "error",
                f"layer '{name}' applies softmax over one unit, whose output is the constant 1: use sigmoid"
                if name in heads
                else f"layer '{name}' applies softmax over an axis of size 1, so its output is the constant 1",
                layer=name,
                value=1.0,
                threshold=2.0,
                healthy="softmax over 2 units or more",
            )


def _is_constant(layer: LayerFacts) -> bool:
    if layer.activation != "softmax" or layer.family not in FAMILIES or not layer.output_shape:
        return False
    axis = layer.config.get("axis", None if layer.kind == "Softmax" else -1)
    if not isinstance(axis, int) or axis == 0:
        return False
    index = axis if axis < 0 else axis - 1  # the batch axis is not part of the shape
    shape = layer.output_shape
    return -len(shape) <= index < len(shape) and shape[index] == 1
