"""Fixes of learning layers: initialisation, activations, depth and connections."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from deepdebug.detectors import flow
from deepdebug.detectors.initial_scale import RECTIFIERS, following_activation
from deepdebug.detectors.weights import is_kernel
from deepdebug.diagnosis.case import Case, Remedy
from deepdebug.diagnosis.evidence import SATURATING, cut_off_layers, dead_from_start, hidden_layers
from deepdebug.diagnosis.snippets import WRAPPERS, compile_code, getter_code, layer_code, layers_code
from deepdebug.facts import Facts, LayerFacts
from deepdebug.observation import Run
from deepdebug.records import Fix

KERNEL_INITIALIZERS = ("kernel_initializer", "depthwise_initializer", "pointwise_initializer")
START_AGAIN = "build the model anew, since an initialiser acts at the start only"


def named(case: Case, *codes: str) -> tuple[str, ...]:
    """Return the layers named by the findings, "dense" for the call "dense#2" of a shared layer."""
    return tuple(dict.fromkeys(flow.base_name(name) for name in case.layers(*codes)))


def initialization(case: Case) -> Remedy:
    """Start the weights at the scale that suits the activation, and the biases at 0."""
    worst = case.answers["WeightInitialization"].numbers.get("layer")
    names = named(case, "DD209", "DD210") or ((str(worst),) if worst else named(case))
    owners = [weighted_layer(case.run.facts, name) for name in names]
    starts = {layer.name: layer_code(layer, _start(case, layer)) for layer in owners if layer is not None}
    code = "\n".join([*starts.values()][:5]) or "model.summary()"
    where = f" of layer '{names[0]}'" if names else ""
    fault = f"weights{where} start at a wrong scale"
    if "DD209" in case.codes:
        fault = f"all units{where} start equal"
    elif "DD101" in case.codes and not worst and "DD210" not in case.codes:
        since = dead_from_start(case)
        fault = f"units{where} {'are dead from the start' if since and since.weight > 0 else 'never fire'}"
    advice = f"Use He initialisation before rectifiers, LeCun before selu, else Glorot, and biases of 0; {START_AGAIN}."
    return Remedy(fault, "MSG4", Fix(advice, code))


def weighted_layer(facts: Facts, name: str | None) -> LayerFacts | None:
    """Return the layer itself, or the one that feeds it its values, whichever has a weight matrix."""
    layer = facts.layer(name)
    while layer is not None and not initializers(facts, layer):
        feeding = layer.inputs or ()
        passes = layer.family in ("activation", "normalization", *flow.RESHAPING) and len(feeding) == 1
        layer = facts.layer(feeding[0]) if passes else None
    return layer


def initializers(facts: Facts, layer: LayerFacts) -> list[str]:
    """Return the names of a layer's settings that say how its weight matrices start."""
    if layer.kind in WRAPPERS and any(one.layer == layer.name and is_kernel(one) for one in facts.variables):
        return ["kernel_initializer"]
    return [key for key in KERNEL_INITIALIZERS if key in layer.config]


def _start(case: Case, layer: LayerFacts) -> dict[str, object]:
    """Return the settings with which the weights of a layer start well."""
    chosen: object = _initializer(case.run, layer.name)
    changes = dict.fromkeys(initializers(case.run.facts, layer), chosen)
    if "DD101" in case.codes and ("bias_initializer" in layer.config or layer.kind in WRAPPERS):
        changes["bias_initializer"] = "zeros"
    return changes


def _initializer(run: Run, name: str) -> str:
    activation = following_activation(run.facts, name)
    if activation in RECTIFIERS:
        return "he_normal"
    return "lecun_normal" if activation == "selu" else "glorot_uniform"


def hidden_activation(case: Case) -> Remedy:
    """Replace hidden activations that are flat: leaky rectifiers for dead ones, rectifiers for saturated ones."""
    if "DD101" in case.codes:
        names, activation = _activated(case, named(case, "DD101"), "recurrent"), "leaky_relu"
        fault = "rectifiers that no longer fire"
    else:
        heads = flow.output_layers(case.run.facts)
        others = tuple(name for name in named(case) if name not in heads)
        saturated = _activated(case, named(case, "DD102"))
        names = saturated or hidden_layers(case.run, SATURATING) or _activated(case, others)
        activation, fault = "relu", "hidden activations that pass no gradient"
    code = layers_code(case.run, names, {"activation": activation}) or f'activation = "{activation}"'
    advice = f"Use {activation} in the hidden layers{' with He initialisation' if activation == 'relu' else ''}."
    return Remedy(fault, "MSG2", Fix(advice, code))


def _activated(case: Case, names: tuple[str, ...], *families: str) -> tuple[str, ...]:
    """Return those of the layers that have an activation of their own to choose."""
    wanted = ("dense", "convolution", "activation", *families)
    layers = [case.run.facts.layer(name) for name in names]
    return tuple(layer.name for layer in layers if layer is not None and layer.family in wanted)


def missing_nonlinearity(case: Case) -> Remedy:
    """Put one activation between two learning layers."""
    names = named(case, "DD405")
    where = f"layer '{names[0]}'" if names else "a hidden layer"
    if "first_layer" in case.findings[0].evidence:
        code = layers_code(case.run, names[:1], {"activation": "linear"}) or "model.summary()"
        return Remedy(f"second activation in {where}", "MSG2", Fix("Keep one activation behind each layer.", code))
    code = layers_code(case.run, names, {"activation": "relu"}) or 'activation = "relu"'
    advice = "Give the hidden layers an activation: linear layers in a row are no stronger than one."
    return Remedy(f"no activation in {where}", "MSG2", Fix(advice, code))


def depth(case: Case) -> Remedy:
    """Take layers out, or normalise between them."""
    hidden = [layer for layer in case.run.facts.layers if layer.family in ("dense", "convolution")][:-1]
    advice = "Take out layers, or put BatchNormalization between them, or skip connections around them."
    fault = "more layers than the gradient can pass"
    return Remedy(fault, "MSG5", Fix(advice, _normalized_code(case, hidden)))


def _normalized_code(case: Case, hidden: list[LayerFacts]) -> str:
    """Return the code that puts BatchNormalization behind the hidden layers of a plain stack."""
    if not is_stack(case.run.facts):
        return "x = keras.layers.BatchNormalization()(x)  # behind each hidden layer"
    names = ", ".join(f'"{layer.name}"' for layer in hidden)
    return (
        f"hidden = [{names}]\n"
        "stack = []\n"
        "for layer in model.layers:\n"
        "    if isinstance(layer, keras.layers.InputLayer):\n"
        "        continue\n"
        "    stack.append(layer.__class__.from_config(layer.get_config()))\n"
        "    if layer.name in hidden:\n"
        "        stack.append(keras.layers.BatchNormalization())\n"
        "model = keras.Sequential([keras.Input(model.input_shape[1:]), *stack])\n"
        f"{compile_code(case.run)}"
    )


def is_stack(facts: Facts) -> bool:
    """Tell whether `model.layers` holds all that is called: each once, fed by the one before, none in a nested model.

    An operation such as `keras.ops.relu` stands in the graph without being a layer; it has no dtype policy.
    """
    before = ""
    for layer in facts.layers:
        fits = layer.inputs == (before,) if before else layer.inputs is not None and len(layer.inputs) == 1
        is_operation = "compute_dtype" in layer.config and layer.config["compute_dtype"] is None
        if not fits or "/" in layer.name or layer.uses > 1 or is_operation:
            return False
        before = layer.name
    return bool(facts.layers)


def capacity(case: Case) -> Remedy:
    """Give the model more to learn with."""
    hidden = [layer for layer in case.run.facts.layers if layer.family == "dense" and "units" in layer.config][:-1]
    fault = "the model is too small or too shallow for the task"
    advice = "Add a layer or units until the model can overfit a few batches; then regularise."
    if not hidden:
        code = 'more = keras.layers.Dense(64, activation="relu", name="more")  # in front of the last layer'
        return Remedy(fault, "MSG5", Fix(advice, code))
    widest = max(hidden, key=lambda layer: int(layer.config.get("units") or 0))
    units = 2 * int(widest.config.get("units") or 32)
    more = f'more = keras.layers.Dense({units}, activation="relu", name="more")  # behind layer \'{widest.name}\''
    return Remedy(fault, "MSG5", Fix(advice, f"{layer_code(widest, {'units': units})}\n{more}"))


def bottleneck(case: Case) -> Remedy:
    """Widen the layer of one unit."""
    finding = case.findings[0]
    layer, classes = case.run.facts.layer(finding.layer), int(finding.threshold or 0)
    fault = f"layer '{finding.layer}' lets a single number through"
    advice = f"Give layer '{finding.layer}' at least {classes} units, as many as there are classes."
    code = layer_code(layer, {"units": max(32, classes)}) if layer is not None else "model.summary()"
    return Remedy(fault, "MSG5", Fix(advice, code))


def disconnected(case: Case) -> Remedy:
    """Connect layers to the loss, or let them train."""
    names = cut_off_layers(case.run) or named(case)
    where = ", ".join(f"'{name}'" for name in names[:5])
    fault = f"no gradient reaches {'layer ' + where if where else 'some weights'}"
    advice = (
        "Feed the output of these layers into the loss; argmax, round, casts to integers, stop_gradient and NumPy "
        "functions cut the path."
    )
    return Remedy(fault, "CONNECT", Fix(advice, "model.summary(show_trainable=True)  # follow the path to the loss"))


def frozen(case: Case) -> Remedy:
    """Let the layers train."""
    name = next((one.layer for one in case.findings if one.evidence.get("cause") == "frozen"), None)
    if name is not None:
        code = f"{getter_code(name)}.trainable = True\n{compile_code(case.run)}"
        return Remedy(f"layer '{name}' is frozen", "TRAIN", Fix("Let the layer learn, and compile again.", code))
    code = f"model.trainable = True  # that of all its layers too\n{compile_code(case.run)}"
    advice = "Let the model learn, freeze again only the layers that are to stay as they are, and compile again."
    return Remedy("every layer is frozen", "TRAIN", Fix(advice, code))


REMEDIES: Mapping[str, Callable[[Case], Remedy]] = {
    "initialization": initialization,
    "hidden_activation": hidden_activation,
    "missing_nonlinearity": missing_nonlinearity,
    "depth": depth,
    "capacity": capacity,
    "bottleneck": bottleneck,
    "disconnected": disconnected,
    "frozen": frozen,
}
