"""What is explained: the relevance that the outputs start with."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from deepdebug.errors import UsageError
from deepdebug.lrp.affine import affine_parts
from deepdebug.lrp.precision import precise
from deepdebug.lrp.signs import own_activation
from deepdebug.model.families import family_of
from deepdebug.model.record import Call

Array = npt.NDArray[Any]
Named = Literal["predicted", "largest", "true", "worst", "loss"]
Target = Named | int | Array
HEAD_OPERATIONS = {"Softmax": "softmax", "Sigmoid": "sigmoid"}  # of `keras.ops`
NAMED = ("predicted", "largest", "true", "worst", "loss")
Given = tuple[Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Goal:
    """What is explained, in numbers.

    Args:
        how: "predicted", "largest", "index", "worst", or a loss: "loss" against values, "class loss" against classes,
            "reference loss" against what is usual, "own loss" against the model's own answer.
        indices: One index per row for "index", shape (rows,), int32.
        expected: What the outputs should be for "worst" and "loss", shape (rows, outputs), float32.
        scale: How far each output usually lies from that, same shape; deviations are counted in it.
    """

    how: str
    indices: Array
    expected: Array
    scale: Array

    @property
    def numbers(self) -> Given:
        """The three arrays."""
        return self.indices, self.expected, self.scale


def checked_goal(target: Any, rows: int, outputs: int | None, y: Any = None, reference: Any = None) -> Goal:
    """Return what is explained, from what the user asked for.

    Args:
        target: A name of `NAMED`, one index for all rows, or one index per row.
        rows: Number of rows.
        outputs: Number of outputs per row, or `None` where it differs from row to row.
        y: Labels: classes of shape (rows,), or values of shape (rows, outputs). Defaults to `None`: none are known.
        reference: Outputs for other inputs, of shape (any, outputs), which stand in for the labels of "worst" and
            "loss": their mean for what is expected, their standard deviation for how far outputs usually lie from it.
            Defaults to `None`.

    Raises:
        UsageError: When the target is none of these, or lacks the labels that it needs.
    """
    nothing = np.zeros((rows, 1), "float32")
    if isinstance(target, str):
        if target not in NAMED:
            raise UsageError(f"`target` got {target!r}; expected one of {', '.join(NAMED)}, an index, or one per row.")
        if target == "true":
            return Goal("index", _classes(y, rows, outputs), nothing, nothing)
        if target in ("worst", "loss"):
            return _against_expected(target, rows, outputs, y, reference)
        return Goal(target, np.zeros(rows, "int32"), nothing, nothing)
    indices = np.asarray(target)
    if not np.issubdtype(indices.dtype, np.integer) or indices.shape not in ((), (rows,)):
        raise UsageError(
            f"`target` got an array of shape {indices.shape} and type {indices.dtype}; expected one of "
            f"{', '.join(NAMED)}, a whole number, or {rows} of them, one per row."
        )
    return Goal("index", _within(indices, "target", rows, outputs), nothing, nothing)


def _within(indices: Array, argument: str, rows: int, outputs: int | None) -> Array:
    if outputs is not None and indices.size and not (indices.min() >= 0 and indices.max() < outputs):
        raise UsageError(
            f"`{argument}` got the index {indices.max() if indices.max() >= outputs else indices.min()}; the model has "
            f"{outputs} outputs, 0 to {outputs - 1}."
        )
    return np.broadcast_to(indices, (rows,)).astype("int32")


def _classes(y: Any, rows: int, outputs: int | None) -> Array:
    labels = None if y is None else np.asarray(y)
    if labels is not None and _is_one_hot(labels, rows, outputs):
        labels = labels.argmax(axis=1)
    labels = labels.reshape(-1) if labels is not None and labels.shape == (rows, 1) else labels
    if labels is None or labels.shape != (rows,) or not np.all(labels == np.floor(labels)):
        raise UsageError(
            f"This target needs `y` with {rows} class numbers, or one-hot rows of {outputs}; got "
            f"{'none' if labels is None else f'an array of shape {np.shape(y)}'}."
        )
    return _within(labels.astype("int64"), "y", rows, outputs)


def _is_one_hot(labels: Array, rows: int, outputs: int | None) -> bool:
    if labels.shape != (rows, outputs) or outputs == 1:
        return False
    return bool(np.isin(labels, (0, 1)).all() and (labels.sum(axis=1) == 1).all())


def _against_expected(target: str, rows: int, outputs: int | None, y: Any, reference: Any) -> Goal:
    indices = np.zeros(rows, "int32")
    if y is not None:
        values = np.asarray(y, "float32")
        is_class = target == "loss" and values.shape in ((rows,), (rows, 1)) and outputs not in (None, 1)
        if is_class and outputs is not None:
            values = np.eye(outputs, dtype="float32")[_classes(y, rows, outputs)]
        if values.shape[:1] != (rows,) or (outputs is not None and values.size != rows * outputs):
            raise UsageError(
                f"`y` got the shape {np.shape(y)}; expected {rows} rows of {outputs} values"
                f"{f', or {rows} class numbers' if target == 'loss' else ''}."
            )
        expected = values.reshape(rows, -1)
        how = "class loss" if is_class else target
        return Goal(how, indices, expected, np.ones_like(expected))
    if reference is not None:
        known = np.asarray(reference, "float32")
        known = known.reshape(len(known), -1)
        if known.shape[1] != outputs or len(known) < 2:
            raise UsageError(f"`reference` got the shape {np.shape(reference)}; expected 2 or more rows x {outputs}.")
        spread = known.std(axis=0)
        scale = np.where(spread > 0, spread, 1.0)
        mean, deviation = (np.tile(one, (rows, 1)).astype("float32") for one in (known.mean(axis=0), scale))
        return Goal("reference loss" if target == "loss" else target, indices, mean, deviation)
    if target == "worst":
        raise UsageError(
            '`target="worst"` needs `y`, the right values, or, where they are unknown, `reference`, the outputs for '
            "other inputs, against which the least usual output is chosen."
        )
    nothing = np.zeros((rows, 1), "float32")
    return Goal("own loss", indices, nothing, nothing)


def scores(last: Call) -> Any:
    """Return what the last layer computes before its activation, such as the logits before a softmax.

    Args:
        last: The last call of the model.
    """
    if family_of(last.operation) in ("dense", "convolution"):
        *before, part = affine_parts(last.operation)
        x = precise(last.inputs[0])
        for one in before:
            x = one.apply(x, one.kernel, one.bias)
        return part.apply(x, part.kernel, part.bias)
    return precise(last.inputs[0] if is_head(last) else last.outputs[0])


def start(last: Call, how: str, given: Given) -> tuple[Any, tuple[Any, ...]]:
    """Return the relevance to start with, in the shape of the scores, and the parts of `Explained`.

    Args:
        last: The last call of the model.
        how: As in `Goal`.
        given: The numbers of the `Goal`.

    Raises:
        UsageError: When the loss of a regression is asked for without knowing what is expected.
    """
    values = scores(last)
    size = math.prod(values.shape[1:])
    dtype = "float64" if keras.backend.standardize_dtype(values.dtype) == "float64" else "float32"
    flat = ops.cast(ops.reshape(values, (-1, size)), dtype)
    output = ops.cast(ops.reshape(last.outputs[0], (-1, size)), dtype)
    predicted = ops.argmax(flat, axis=1)
    is_loss = how.endswith("loss")
    index = predicted if is_loss else explained_index(flat, output, how, given)
    mask = ops.one_hot(index, size, dtype=dtype)
    begin = _of_loss(last, flat, output, (how, given)) if is_loss else flat * mask
    explained = (index, ops.sum(begin, axis=1), ops.sum(output * mask, axis=1), predicted)
    return ops.reshape(begin, ops.shape(values)), explained


def explained_index(flat: Any, output: Any, how: str, given: Given) -> Any:
    """Return the index of the explained output of each row.

    Args:
        flat: Scores, of shape (rows, outputs).
        output: Outputs, likewise.
        how: As in `Goal`, but no loss.
        given: The numbers of the `Goal`.
    """
    indices, expected, scale = given
    if how == "predicted":
        return ops.argmax(flat, axis=1)
    if how == "largest":
        return ops.argmax(ops.abs(flat), axis=1)
    if how == "worst":
        return ops.argmax(ops.abs(output - ops.cast(expected, output.dtype)) / ops.cast(scale, output.dtype), axis=1)
    return ops.cast(indices, "int32")


def _of_loss(last: Call, flat: Any, output: Any, goal: tuple[str, Given]) -> Any:
    """Return each output's part in the loss.

    For regressions that is the squared error; for classes score times the derivative of the cross-entropy,
    `z_k (p_k - y_k)`, whose sum is the mean score under p minus the score of the right class.
    """
    (how, given), activation = goal, _head(last.operation)
    if activation not in ("softmax", "sigmoid"):
        if how in ("own loss", "class loss"):
            raise UsageError(
                '`target="loss"` needs the right values in `y`, one per output, or `reference`: the model ends in '
                "no softmax or sigmoid, so it predicts values and not classes."
            )
        return ops.square((output - ops.cast(given[1], flat.dtype)) / ops.cast(given[2], flat.dtype))
    if activation == "softmax" and len(last.outputs[0].shape) > 2:
        raise UsageError(
            '`target="loss"` of a model with a softmax per position has no single answer; explain one output by its '
            "index."
        )
    share = ops.softmax(flat, axis=-1) if activation == "softmax" else ops.sigmoid(flat)
    if how in ("loss", "class loss"):
        right = ops.cast(given[1], flat.dtype)
    elif activation == "softmax":
        right = ops.one_hot(ops.argmax(flat, axis=-1), flat.shape[-1], dtype=flat.dtype)
    else:
        right = ops.cast(flat > 0, flat.dtype)
    return flat * (share - right)


def is_head(last: Call) -> bool:
    """Tell whether the last call is nothing but an activation, such as a softmax layer or operation.

    Args:
        last: The last call of the model.
    """
    return family_of(last.operation) == "activation" or type(last.operation).__name__ in HEAD_OPERATIONS


def _head(operation: keras.Operation) -> str:
    """Return the name of the model's last activation."""
    if isinstance(operation, keras.layers.Softmax):
        return "softmax"
    return HEAD_OPERATIONS.get(type(operation).__name__) or own_activation(operation)
