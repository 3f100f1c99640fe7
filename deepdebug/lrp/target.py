"""What is explained: the relevance that the outputs start with."""

from __future__ import annotations

import math
from typing import Any, Literal

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from deepdebug.errors import UsageError
from deepdebug.lrp.affine import affine_parts
from deepdebug.model.families import family_of
from deepdebug.model.record import Call

Named = Literal["predicted", "largest"]
Target = Named | int | npt.NDArray[np.integer[Any]]
NAMED = ("predicted", "largest")


def checked_target(target: Any, rows: int) -> tuple[str, npt.NDArray[np.int32]]:
    """Return how the explained output is chosen, and its index per row.

    Args:
        target: "predicted", "largest", one index for all rows, or one index per row.
        rows: Number of rows.

    Raises:
        UsageError: When it is something else.
    """
    if isinstance(target, str):
        if target not in NAMED:
            raise UsageError(f"`target` got {target!r}; expected one of {', '.join(NAMED)}, an index, or one per row.")
        return target, np.zeros(rows, "int32")
    indices = np.asarray(target)
    if not np.issubdtype(indices.dtype, np.integer) or indices.shape not in ((), (rows,)):
        raise UsageError(
            f"`target` got an array of shape {indices.shape} and type {indices.dtype}; expected one of "
            f"{', '.join(NAMED)}, a whole number, or {rows} of them, one per row."
        )
    return "index", np.broadcast_to(indices, (rows,)).astype("int32")


def scores(last: Call) -> Any:
    """Return what the last layer computes before its activation, such as the logits before a softmax.

    Args:
        last: The last call of the model.
    """
    if family_of(last.operation) in ("dense", "convolution"):
        *before, part = affine_parts(last.operation)
        x = last.inputs[0]
        for one in before:
            x = one.apply(x, one.kernel, one.bias)
        return part.apply(x, part.kernel, part.bias)
    return last.inputs[0] if family_of(last.operation) == "activation" else last.outputs[0]


def start(values: Any, how: str, indices: Any) -> Any:
    """Return the relevance to start with: the explained score of each row, and 0 elsewhere.

    Args:
        values: Scores, of shape (rows, ..., outputs).
        how: "predicted" takes the largest score, "largest" the one that is largest in size, "index" that of `indices`.
        indices: One index per row, of the flattened scores.
    """
    size = math.prod(values.shape[1:])
    flat = ops.reshape(values, (-1, size))
    if how == "predicted":
        indices = ops.argmax(flat, axis=1)
    elif how == "largest":
        indices = ops.argmax(ops.abs(flat), axis=1)
    dtype = keras.backend.standardize_dtype(flat.dtype)
    dtype = "float64" if dtype == "float64" else "float32"
    mask = ops.one_hot(ops.cast(indices, "int32"), size, dtype=dtype)
    return ops.reshape(ops.cast(flat, dtype) * mask, ops.shape(values))
