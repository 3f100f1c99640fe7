"""Takes relevance back through one call of one layer; the kind of layer decides how."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
from keras import ops

from deepdebug.errors import UsageError
from deepdebug.lrp import rules
from deepdebug.lrp.affine import Affine, affine_parts, divided
from deepdebug.lrp.composite import Composite
from deepdebug.lrp.precision import is_reduced, precise
from deepdebug.lrp.scaling import scaling_part
from deepdebug.lrp.signs import hands_zeros_on, own_activation
from deepdebug.model import backend
from deepdebug.model.families import family_of
from deepdebug.model.record import Call

layers = keras.layers
COMMON_SETTINGS = ("name", "dtype", "trainable")
# Each output has one input, which stands for the same thing in other units.
RESCALING = (layers.Rescaling, layers.Normalization)
CENTRING = (layers.LayerNormalization, layers.GroupNormalization)
RULED = ("dense", "convolution")
PASSED = ("activation", "dropout")
LINEARISED = ("recurrent", "attention")
MAX_POOLINGS = (
    layers.MaxPooling1D, layers.MaxPooling2D, layers.MaxPooling3D,
    layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D, layers.GlobalMaxPooling3D,
)  # fmt: skip
AVERAGES = {
    layers.MaxPooling1D: layers.AveragePooling1D, layers.MaxPooling2D: layers.AveragePooling2D,
    layers.MaxPooling3D: layers.AveragePooling3D,
    layers.GlobalMaxPooling1D: layers.GlobalAveragePooling1D, layers.GlobalMaxPooling2D: layers.GlobalAveragePooling2D,
    layers.GlobalMaxPooling3D: layers.GlobalAveragePooling3D,
}  # fmt: skip
ACTIVATION_OPERATIONS = (
    "Celu", "Elu", "Gelu", "HardSigmoid", "HardSilu", "HardTanh", "LeakyRelu", "LogSigmoid", "Mish", "Relu",
    "Relu6", "Selu", "Sigmoid", "Silu", "Softmax", "Softplus", "Softsign", "SparsePlus", "Squareplus", "Tanh",
    "TanhShrink",
)  # fmt: skip
# Operations of `keras.ops` for which f(c x) = c f(x), so that gradient times input loses nothing.
HOMOGENEOUS_OPERATIONS = ("Amax", "Amin", "Max", "Mean", "Min", "Negative", "Pad", "Sum", "TrueDivide")
# Layers that, outside training, only move, drop or average elements.
IMAGE_LAYERS = (
    layers.Resizing, layers.CenterCrop, layers.RandomCrop, layers.RandomFlip, layers.RandomRotation,
    layers.RandomTranslation, layers.RandomZoom,
)  # fmt: skip
Propagation = Callable[[Call, Any], Sequence[Any]]
_registered: dict[type, Propagation] = {}


def register_rule(layer: type) -> Callable[[Propagation], Propagation]:
    """Register how relevance goes back through a layer class of the user's own.

    Args:
        layer: The class.

    Returns:
        A decorator for a function that takes a `Call` (`operation`, `inputs`, `outputs`: tensors of the backend) and
        the relevance of its output, and returns the relevance of each input.

    Example:

    >>> import keras
    >>> class Twice(keras.layers.Layer):
    ...     def call(self, x):
    ...         return 2 * x
    >>> @register_rule(Twice)
    ... def through_twice(call, relevance):
    ...     return [relevance]
    """

    def decorator(function: Propagation) -> Propagation:
        _registered[layer] = function
        return function

    return decorator


@dataclass(frozen=True, slots=True)
class Setting:
    """How to take relevance back.

    Args:
        composite: The rules.
        on_unknown: "error", or "gradient" for gradient times input.
        compat: "innvestigate" repeats the error of its batch norm.
    """

    composite: Composite
    on_unknown: str = "error"
    compat: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the data flow a call stands.

    Args:
        is_first: Whether it reads a model input.
        nonnegative: Whether its inputs are known to have no negative element.
        only_positive: Whether relevance is known to come only from positive outputs.
    """

    is_first: bool
    nonnegative: bool = False
    only_positive: bool = False


def propagate(call: Call, relevance: Any, place: Place, setting: Setting) -> Sequence[Any]:
    """Return the relevance of each input of a call from that of its output.

    Args:
        call: The call, with tensors of shape (rows, ...).
        relevance: Relevance of its output.
        place: Where in the data flow it stands.
        setting: The rules.

    Raises:
        UsageError: When the layer is unknown and `on_unknown` is "error".
    """
    rounded = any(map(is_reduced, call.outputs))
    call = _in_single_precision(call)
    operation, family = call.operation, family_of(call.operation)
    own = _own_rule(operation)
    if own is not None:
        return _checked(call, own(call, relevance))
    if family in RULED:
        rule = setting.composite.rule(call.name, type(operation), family, place.is_first)
        parts = _with_knowledge(affine_parts(operation), call, place, rounded)
        return [_through_parts(parts, rule, call.inputs[0], relevance)]
    scaling = scaling_part(operation, call.inputs[0], setting.compat)
    if scaling is not None:
        rule = setting.composite.rule(call.name, type(operation), "normalization", place.is_first)
        _check_centred(call, rule)
        return [rule.propagate(replace(scaling, nonnegative=place.nonnegative), call.inputs[0], relevance)]
    if family in PASSED or isinstance(operation, RESCALING):
        return [relevance]
    if isinstance(operation, MAX_POOLINGS):
        return [_through_max_pooling(call, relevance, setting.composite.max_pooling)]
    if family == "merge":
        return _through_merge(call, relevance)
    if family == "reshape":
        return [_moved_back(call, relevance)]
    if type(operation).__name__ in ACTIVATION_OPERATIONS:
        return [relevance]
    if family == "embedding":
        return [ops.sum(relevance, axis=-1)]  # an id has the relevance of its vector
    is_homogeneous = (
        family in ("pooling", *LINEARISED)
        or isinstance(operation, IMAGE_LAYERS)
        or type(operation).__name__ in HOMOGENEOUS_OPERATIONS
    )
    if is_homogeneous or setting.on_unknown == "gradient":
        return _by_gradient(call, relevance)
    raise UsageError(
        f"Layer '{call.name}' is a {type(operation).__name__}, for which no rule is known. Register one with "
        '`deepdebug.lrp.register_rule`, or pass `on_unknown="gradient"` for gradient times input.'
    )


def lies_on_positive(call: Call, place: Place, setting: Setting) -> bool:
    """Tell whether the relevance that `propagate` returns lies only where the call's inputs are positive.

    Args:
        call: As in `propagate`, like the others.
        place: Where in the data flow it stands.
        setting: The rules.
    """
    operation, family = call.operation, family_of(call.operation)
    if _own_rule(operation) is not None:
        return False
    if family in (*RULED, "normalization"):
        rule = setting.composite.rule(call.name, type(operation), family, place.is_first)
        return place.nonnegative and getattr(rule, "proportional", False)
    if isinstance(operation, MAX_POOLINGS) and setting.composite.max_pooling == "winner":
        return place.only_positive
    if hands_zeros_on(operation):
        return place.only_positive
    shares_by_size = family == "pooling" or isinstance(operation, layers.Add | layers.Average)
    return place.nonnegative and shares_by_size


def registered_layers() -> tuple[type, ...]:
    """Return the layer classes that rules were registered for."""
    return tuple(_registered)


def _own_rule(operation: keras.Operation) -> Propagation | None:
    return next((_registered[kind] for kind in type(operation).__mro__ if kind in _registered), None)


def _check_centred(call: Call, rule: Any) -> None:
    """Refuse rules that look at the signs of a kernel where the layer takes its own mean away: no kernel shows that."""
    if isinstance(call.operation, CENTRING) and not isinstance(rule, rules.Epsilon):
        raise UsageError(
            f"The composite gives layer '{call.name}' ({type(call.operation).__name__}) the rule "
            f"{type(rule).__name__}; layers that take their own mean away can have Epsilon only. Set `normalization` "
            "or `by_type`."
        )


def _checked(call: Call, parts: Sequence[Any]) -> Sequence[Any]:
    """Return what a registered rule gave, if it is one tensor per input."""
    shapes = [tuple(one.shape) for one in parts] if isinstance(parts, list | tuple) else []
    wanted = [tuple(one.shape) for one in call.inputs]
    if shapes != wanted:
        raise UsageError(
            f"The rule registered for {type(call.operation).__name__} returned "
            f"{f'tensors of the shapes {shapes}' if shapes else type(parts).__name__} at layer '{call.name}'; expected "
            f"a list with one tensor per input, of the shapes {wanted}."
        )
    return parts


def _in_single_precision(call: Call) -> Call:
    """Return the call with tensors of at least single precision."""
    is_lookup = family_of(call.operation) == "embedding"
    finer = {id(one): precise(one) if is_lookup else _as_float(precise(one)) for one in call.inputs}
    finer |= {id(one): precise(one) for one in call.outputs if id(one) not in finer}
    arguments = keras.tree.map_structure(lambda one: finer.get(id(one), one), call.arguments)
    inputs, outputs = (tuple(finer[id(one)] for one in tensors) for tensors in (call.inputs, call.outputs))
    return replace(call, inputs=inputs, outputs=outputs, arguments=arguments)


def _as_float(tensor: Any) -> Any:
    """Return whole numbers, such as the pixels of a model that rescales them, as floating-point ones."""
    return tensor if keras.backend.is_float_dtype(tensor.dtype) else ops.cast(tensor, "float32")


def _with_knowledge(parts: Sequence[Affine], call: Call, place: Place, rounded: bool) -> Sequence[Affine]:
    """Return the affine maps with what is known of their signs and what the forward pass has computed of them."""
    first = replace(parts[0], nonnegative=place.nonnegative)
    if len(parts) > 1:
        return [first, *parts[1:]]
    activation = own_activation(call.operation)
    only_positive = place.only_positive and activation in ("linear", "relu", "relu6")
    # Where only positive z count, they are those that relu lets through, and the others need not be kept.
    is_output = activation == "linear" or (activation == "relu" and only_positive)
    z = call.outputs[0] if is_output else call.scores
    known = None if z is None or rounded or is_reduced(z) else (call.inputs[0], z)
    return [replace(first, known=known, only_positive=only_positive)]


def _through_parts(parts: Sequence[Affine], rule: Any, x: Any, relevance: Any) -> Any:
    """Take relevance back through affine maps that follow each other."""
    inputs = [x]
    for part in parts[:-1]:
        inputs.append(part.apply(inputs[-1], part.kernel, part.bias))
    for part, given in zip(reversed(parts), reversed(inputs), strict=True):
        relevance = rule.propagate(part, given, relevance)
    return relevance


def _through_max_pooling(call: Call, relevance: Any, how: str) -> Any:
    x = call.inputs[0]
    if how == "winner":
        _, back = backend.current().linearized(call.operation.call, x)
        return back(relevance)
    config = call.operation.get_config()
    average = AVERAGES[type(call.operation)](**{key: config[key] for key in config if key not in COMMON_SETTINGS})
    z, back = backend.current().linearized(average.call, x)
    return x * back(divided(relevance, z))


def _moved_back(call: Call, relevance: Any) -> Any:
    """Take relevance back through a layer that only moves elements, drops some or adds zeros."""
    _, back = backend.current().linearized(_of_tensors(call), list(call.inputs))
    return back(relevance)[0]


def _through_merge(call: Call, relevance: Any) -> Sequence[Any]:
    kind, count = type(call.operation).__name__, len(call.inputs)
    if kind == "Concatenate":
        _, back = backend.current().linearized(_of_tensors(call), list(call.inputs))
        found: Sequence[Any] = back(relevance)
        return found
    if kind in ("Multiply", "Divide"):
        # Gates and their signals share evenly, so that nothing is lost (Ali et al. 2022, uniform rule).
        return [_like(relevance, x) / count for x in call.inputs]
    if kind in ("Dot", "Matmul"):  # each product has a factor of either input, which share it evenly
        return [part / count for part in _by_gradient(call, relevance)]
    return _by_gradient(call, relevance)


def _like(relevance: Any, x: Any) -> Any:
    """Return relevance in the shape of `x`, summed over what was broadcast."""
    if tuple(relevance.shape) == tuple(x.shape):
        return relevance
    missing = len(relevance.shape) - len(x.shape)
    axes = [axis for axis in range(1, len(relevance.shape)) if axis < missing + 1 or x.shape[axis - missing] == 1]
    return ops.reshape(ops.sum(relevance, axis=tuple(axes)), ops.shape(x))


def _by_gradient(call: Call, relevance: Any) -> Sequence[Any]:
    """Share by gradient times input: exact for linear operations without a constant, else the stated fallback."""
    z, back = backend.current().linearized(_of_tensors(call), list(call.inputs))
    shares = back(divided(relevance, z))
    return [x * share for x, share in zip(call.inputs, shares, strict=True)]


def _of_tensors(call: Call) -> Callable[[Sequence[Any]], Any]:
    """Return the call as a function of its tensors alone."""
    return functools.partial(_again, call)


def _again(call: Call, tensors: Sequence[Any]) -> Any:
    return precise(keras.tree.flatten(call.again(tensors))[0])
