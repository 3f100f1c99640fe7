"""Fixes of learning layers: initialisation, activations, depth and connections."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from deepdebug.detectors import flow
from deepdebug.detectors.initial_scale import RECTIFIERS, following_activation
from deepdebug.diagnosis.case import Case, Remedy
from deepdebug.diagnosis.evidence import SATURATING, cut_off_layers, hidden_layers
from deepdebug.diagnosis.snippets import compile_code, getter_code, layer_code, layers_code
from deepdebug.facts import Facts, LayerFacts
from deepdebug.observation import Run
from deepdebug.records import Fix

START_AGAIN = "build the model anew, since an initialiser acts at the start only"


def named(case: Case, *codes: str) -> tuple[str, ...]:
    """Return the layers named by the findings, "dense" for the call "dense#2" of a shared layer."""
    return tuple(dict.fromkeys(flow.base_name(name) for name in case.layers(*codes)))


def initialization(case: Case) -> Remedy:
    """Start the weights at the scale that suits the activation, and the biases at 0."""
    worst = case.answers["WeightInitialization"].numbers.get("layer")
    names = named(case, "DD209", "DD210") or ((str(worst),) if worst else named(case))
    bias = {"bias_initializer": "zeros"} if "DD101" in case.codes else {}
    changes = {name: {"kernel_initializer": _initializer(case.run, name)} | bias for name in names[:5]}
    lines = [layers_code(case.run, (name,), change) for name, change in changes.items()]
    code = "\n".join(line for line in lines if line) or "model.summary()"
    where = f" of layer '{names[0]}'" if names else ""
    fault = f"Weights{where} start at a wrong scale"
    if "DD209" in case.codes:
        fault = f"All units{where} start equal"
    elif "DD101" in case.codes and not worst and "DD210" not in case.codes:
        fault = f"Units{where} are dead from the start"
    advice = f"Use He initialisation before rectifiers, LeCun before selu, else Glorot, and biases of 0; {START_AGAIN}."
    return Remedy(fault, "MSG4", Fix(advice, code))


def _initializer(run: Run, name: str) -> str:
    activation = following_activation(run.facts, name)
    if activation in RECTIFIERS:
        return "he_normal"
    return "lecun_normal" if activation == "selu" else "glorot_uniform"


def hidden_activation(case: Case) -> Remedy:
    """Replace hidden activations that are flat: leaky rectifiers for dead ones, rectifiers for saturated ones."""
    if "DD101" in case.codes:
        names, activation, fault = named(case, "DD101"), "leaky_relu", "Rectifiers that no longer fire"
    else:
        heads = flow.output_layers(case.run.facts)
        others = tuple(name for name in named(case) if name not in heads)
        names = named(case, "DD102") or hidden_layers(case.run, SATURATING) or others
        activation, fault = "relu", "Hidden activations that pass no gradient"
    changes: dict[str, object] = {"activation": activation}
    code = layers_code(case.run, names, changes)
    if case.run.facts.layer(names[0] if names else None) is None:
        code = f'activation = "{activation}"'
    advice = f"Use {activation} in the hidden layers{' with He initialisation' if activation == 'relu' else ''}."
    return Remedy(fault, "MSG2", Fix(advice, code))


def missing_nonlinearity(case: Case) -> Remedy:
    """Put one activation between two learning layers."""
    names = named(case, "DD405")
    where = f"layer '{names[0]}'" if names else "a hidden layer"
    if "first_layer" in case.findings[0].evidence:
        code = layers_code(case.run, names[:1], {"activation": "linear"}) or "model.summary()"
        return Remedy(f"Second activation in {where}", "MSG2", Fix("Keep one activation behind each layer.", code))
    code = layers_code(case.run, names, {"activation": "relu"}) or 'activation = "relu"'
    advice = "Give the hidden layers an activation: linear layers in a row are no stronger than one."
    return Remedy(f"No activation in {where}", "MSG2", Fix(advice, code))


def depth(case: Case) -> Remedy:
    """Take layers out, or normalise between them."""
    hidden = [layer for layer in case.run.facts.layers if layer.family in ("dense", "convolution")][:-1]
    advice = "Take out layers, or put BatchNormalization between them, or skip connections around them."
    fault = "More layers than the gradient can pass"
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
        "    stack.append(layer.__class__.from_config(layer.get_config()))\n"
        "    if layer.name in hidden:\n"
        "        stack.append(keras.layers.BatchNormalization())\n"
        "model = keras.Sequential([keras.Input(model.input_shape[1:]), *stack])\n"
        f"{compile_code(case.run)}"
    )


def is_stack(facts: Facts) -> bool:
    """Tell whether every layer is fed by the one before it, and none stands in a nested model."""
    before = ""
    for layer in facts.layers:
        fits = layer.inputs == (before,) if before else layer.inputs is not None and len(layer.inputs) == 1
        if not fits or "/" in layer.name:
            return False
        before = layer.name
    return bool(facts.layers)


def capacity(case: Case) -> Remedy:
    """Give the model more to learn with."""
    hidden = [layer for layer in case.run.facts.layers if layer.family == "dense"][:-1]
    fault = "The model is too small or too shallow for the task"
    advice = "Add a layer or units until the model can overfit a few batches; then regularise."
    if not hidden:
        code = 'more = keras.layers.Dense(64, activation="relu", name="more")  # in front of the last layer'
        return Remedy(fault, "MSG5", Fix(advice, code))
    widest = max(hidden, key=lambda layer: int(layer.config.get("units") or 0))
    units = 2 * int(widest.config.get("units") or 32)
    more = f'more = keras.layers.Dense({units}, activation="relu", name="more")  # behind layer \'{widest.name}\''
    return Remedy(fault, "MSG5", Fix(advice, f"{layer_code(widest, {'units': units})}\n{more}"))


def disconnected(case: Case) -> Remedy:
    """Connect layers to the loss, or let them train."""
    names = cut_off_layers(case.run) or named(case)
    where = ", ".join(f"'{name}'" for name in names[:5])
    fault = f"No gradient reaches {'layer ' + where if where else 'some weights'}"
    advice = (
        "Feed the output of these layers into the loss; argmax, round, casts to integers, stop_gradient and NumPy "
        "functions cut the path."
    )
    return Remedy(fault, "CONNECT", Fix(advice, "model.summary(show_trainable=True)  # follow the path to the loss"))


def frozen(case: Case) -> Remedy:
    """Let at least the last layer train."""
    last = case.run.facts.layers[-1].name if case.run.facts.layers else None
    getter = getter_code(last) if last else "model"
    code = f"{getter}.trainable = True\n{compile_code(case.run)}"
    advice = "Set `trainable = True` for the layers that are to learn, and compile again."
    return Remedy("Every layer is frozen", "TRAIN", Fix(advice, code))


REMEDIES: Mapping[str, Callable[[Case], Remedy]] = {
    "initialization": initialization,
    "hidden_activation": hidden_activation,
    "missing_nonlinearity": missing_nonlinearity,
    "depth": depth,
    "capacity": capacity,
    "disconnected": disconnected,
    "frozen": frozen,
}
