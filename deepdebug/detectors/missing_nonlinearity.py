"""DD405 missing-nonlinearity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors.static import following, static_finding
from deepdebug.facts import Facts, LayerFacts
from deepdebug.observation import Run
from deepdebug.records import Finding, Severity

MIXING = ("dense", "convolution")
LINEAR_FAMILIES = ("reshape", "dropout")
LINEAR_KINDS = ("BatchNormalization", "Rescaling", "Identity")
SQUASHING = ("softmax", "sigmoid", "tanh")
RECTIFYING = ("relu", "relu6")
HEAD_ACTIVATIONS = ("softmax", "sigmoid")

Fed = Mapping[str, Sequence[LayerFacts]]


@dataclass(frozen=True)
class MissingNonlinearity:
    """Find layers that learn with nothing but linear maps between them, and activations applied twice.

    What it does:
        Follows the output of every dense and convolution layer without activation through reshaping, dropout, average
        pooling and batch normalisation to the next such layer; and that of every layer with activation to a second
        activation.

    Why it matters:
        Two linear maps in a row can do no more than one: without an activation between them, depth adds weights but no
        ability. A second softmax or sigmoid flattens what the first one says, so that the loss stays high.

    How to fix:
        Give the first of the two layers an activation, such as `activation="relu"`; remove the second activation. A
        narrow layer between wide ones is a deliberate factorisation and is mentioned only; between convolutions, and
        beside depthwise convolutions, merging layers and attention it is a normal design and not reported.

    Example:

    >>> MissingNonlinearity().code
    'DD405'
    """

    code: ClassVar[str] = "DD405"
    symptom: ClassVar[str] = "missing-nonlinearity"
    abbreviation: ClassVar[str] = "ACT"

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding per pair of layers."""
        fed = following(run.facts)
        for layer in run.facts.layers:
            if _is_linear_mixer(layer):
                yield from self._linear_pair(run.facts, layer, fed)
            elif layer.family in (*MIXING, "activation"):
                yield from self._second_activation(run.facts, layer, fed)

    def _linear_pair(self, facts: Facts, first: LayerFacts, fed: Fed) -> Iterator[Finding]:
        reached = _reached(first, fed)
        outputs = {output.layer for output in facts.outputs}
        if not reached or first.name in outputs or not all(_is_full_mixer(layer) for layer in reached):
            return
        second = reached[0]
        is_narrow = _is_bottleneck(first, second, slack=_has_depthwise(facts))
        if is_narrow and first.family == "convolution":
            return
        severity: Severity = "info" if is_narrow else "warn" if _has_hidden_activation(facts) else "error"
        why = ", with fewer units than both sides have: a linear bottleneck" if is_narrow else ""
        yield static_finding(
            self,
            severity,
            f"layers '{first.name}' and '{second.name}' have only linear maps between them{why}",
            layer=first.name,
            confidence="strong",
            healthy="an activation such as relu between any two learning layers",
            evidence={"next_layer": second.name},
        )

    def _second_activation(self, facts: Facts, first: LayerFacts, fed: Fed) -> Iterator[Finding]:
        heads = {output.activation_layer for output in facts.outputs}
        for second in _next(first, fed):
            if second.family != "activation" or not _is_superfluous(first, second, second.name in heads):
                continue
            yield static_finding(
                self,
                "warn" if second.activation in SQUASHING else "info",
                f"layer '{second.name}' applies {second.activation} to the {first.activation} of layer '{first.name}'",
                layer=second.name,
                healthy="one activation behind each learning layer",
                evidence={"first_layer": first.name},
            )


def _is_superfluous(first: LayerFacts, second: LayerFacts, is_head: bool) -> bool:
    """Tell whether two activations in a row are the same, or an output's is applied to one that cuts its range.

    Inside a model tanh before softmax is a common form of attention.
    """
    if first.activation == second.activation:
        return first.activation in (*SQUASHING, *RECTIFYING)
    return is_head and second.activation in HEAD_ACTIVATIONS and first.activation in (*SQUASHING, *RECTIFYING)


def _is_linear_mixer(layer: LayerFacts) -> bool:
    return layer.activation == "linear" and layer.trainable and _is_full_mixer(layer)


def _is_full_mixer(layer: LayerFacts) -> bool:
    is_separable = layer.kind.startswith(("Depthwise", "Separable"))
    return layer.family in MIXING and not is_separable


def _is_linear(layer: LayerFacts) -> bool:
    is_average = layer.family == "pooling" and "Max" not in layer.kind
    is_named = layer.family in LINEAR_FAMILIES or layer.kind in LINEAR_KINDS
    return is_average or is_named or (layer.family == "activation" and layer.activation == "linear")


def _next(layer: LayerFacts, fed: Fed) -> list[LayerFacts]:
    """Return the layers that receive the output of `layer`, dropout and reshaping passed over."""
    found, waiting = [], list(fed.get(layer.name, ()))
    while waiting:
        one = waiting.pop()
        if one.family in LINEAR_FAMILIES:
            waiting.extend(fed.get(one.name, ()))
        else:
            found.append(one)
    return found


def _reached(layer: LayerFacts, fed: Fed) -> list[LayerFacts]:
    """Return the layers that receive a linear function of the output of `layer`, linear maps passed over."""
    found, waiting, done = [], list(fed.get(layer.name, ())), set[str]()
    while waiting:
        one = waiting.pop()
        if one.name in done:
            continue
        done.add(one.name)
        if _is_linear(one):
            waiting.extend(fed.get(one.name, ()))
        else:
            found.append(one)
    return found


def _is_bottleneck(first: LayerFacts, second: LayerFacts, slack: bool) -> bool:
    """Tell whether the layer is narrower than what is before and behind it.

    The projections of inverted residuals (MobileNetV2 and V3) may be as wide as their input (`slack`).
    """
    shapes = (first.input_shape, first.output_shape, second.output_shape)
    before, width, after = (shape[-1] if shape else None for shape in shapes)
    if before is None or width is None or after is None:
        return False
    return width < after and width < before + (slack and first.family == "convolution")


def _has_depthwise(facts: Facts) -> bool:
    return any(layer.kind.startswith("Depthwise") for layer in facts.layers)


def _has_hidden_activation(facts: Facts) -> bool:
    heads = {name for output in facts.outputs for name in (output.layer, output.activation_layer)}
    return any(
        (layer.activation != "linear" and layer.name not in heads)
        or layer.family in ("recurrent", "attention", "other")
        or "Max" in layer.kind
        for layer in facts.layers
    )
