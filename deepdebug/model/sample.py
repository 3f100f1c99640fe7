"""Rows of training data: taking them from arrays, and handing them to the backend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops
from scipy import sparse

from deepdebug.errors import UsageError


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows to probe with, as numpy arrays in the structure that the model takes.

    Args:
        x: Inputs: an array of shape (rows, ...), or a list, tuple or dictionary of such.
        y: Labels likewise, or `None`.
    """

    x: Any
    y: Any = None

    @property
    def rows(self) -> int:
        """Number of rows."""
        return row_count(self.x)

    def head(self, rows: int) -> Sample:
        """Return the first `rows` rows."""
        return Sample(_slice(self.x, slice(rows)), _slice(self.y, slice(rows)))

    def native(self) -> tuple[Any, Any]:
        """Return inputs and labels as tensors of the backend, floating-point numbers in Keras's float type."""
        return _native(self.x), _native(self.y)


def as_array(values: Any) -> npt.NDArray[Any]:
    """Return an array, tensor, data frame or sparse matrix as a numpy array, without copying where possible."""
    if isinstance(values, np.ndarray):
        return values
    if sparse.issparse(values):
        return np.asarray(values.toarray())
    if hasattr(values, "to_numpy"):
        return np.asarray(values.to_numpy())
    if ops.is_tensor(values) or hasattr(values, "detach"):
        return np.asarray(values.numpy(force=True) if hasattr(values, "detach") else ops.convert_to_numpy(values))
    return np.asarray(values)


def row_count(structure: Any) -> int:
    """Return the number of rows of the first array in a structure."""
    first = next((one for one in keras.tree.flatten(structure) if one is not None), None)
    shape = getattr(first, "shape", None)
    return 0 if not shape else int(shape[0])


def take(structure: Any, rows: npt.NDArray[np.intp]) -> Any:
    """Return the given rows of every array of a structure; `None` stays."""

    def chosen(values: Any) -> Any:
        if values is None:
            return None
        if sparse.issparse(values):
            return as_array(values.tocsr()[rows])
        return as_array(values)[rows]

    return keras.tree.map_structure(chosen, structure, none_is_leaf=True) if structure is not None else None


def _slice(structure: Any, rows: slice) -> Any:
    return None if structure is None else keras.tree.map_structure(lambda one: one[rows], structure)


def _native(structure: Any) -> Any:
    return None if structure is None else keras.tree.map_structure(_tensor, structure)


def _tensor(values: npt.NDArray[Any]) -> Any:
    if np.issubdtype(values.dtype, np.floating):
        return ops.convert_to_tensor(values, dtype=keras.config.floatx())
    return ops.convert_to_tensor(values)


def named_arrays(structure: Any, names: list[str]) -> list[tuple[str, npt.NDArray[Any]]]:
    """Return (name, array) of every array in a structure, dictionaries by their keys and the rest by `names`."""
    if structure is None:
        return []
    if isinstance(structure, dict):
        return [(str(key), as_array(values)) for key, values in structure.items()]
    flat = keras.tree.flatten(structure)
    labels = names if len(names) == len(flat) else [str(index) for index in range(len(flat))]
    return [(name, as_array(values)) for name, values in zip(labels, flat, strict=True)]


def checked_probe(probe: Any) -> Sample:
    """Return the user's `probe=(x, y)` as a sample.

    Raises:
        UsageError: When it is no pair, or the rows of its arrays differ.
    """
    if not isinstance(probe, tuple | list) or len(probe) != 2:
        came = f"{type(probe).__name__} of length {len(probe)}" if hasattr(probe, "__len__") else type(probe).__name__
        raise UsageError(f"`probe` got a {came}; expected a pair (x, y) of arrays with one row per example.")
    x, y = (None if one is None else keras.tree.map_structure(as_array, one) for one in probe)
    counts = {row_count(one) for one in keras.tree.flatten((x, y)) if one is not None}
    if len(counts) != 1 or 0 in counts:
        raise UsageError(
            f"`probe` got arrays with {sorted(counts)} rows; expected the same number, at least 1, in x and y."
        )
    return Sample(x, y)


def check_fit(model: keras.Model, probe: Sample) -> None:
    """Check that the user's rows fit the inputs of a model whose shapes are known.

    Args:
        model: The model in training.
        probe: The rows.

    Raises:
        UsageError: When the number of inputs or the shape of a row differs.
    """
    expected = [tuple(one.shape[1:]) for one in getattr(model, "inputs", None) or ()]
    arrays = keras.tree.flatten(probe.x)
    came = [tuple(one.shape[1:]) for one in arrays]
    if not expected or isinstance(probe.x, dict):
        return
    if len(came) != len(expected) or not all(map(_fits, came, expected)):
        raise UsageError(
            f"`probe` got rows of shape {_shapes(came)}; the model '{model.name}' takes {_shapes(expected)}. Pass rows "
            "as they are given to `fit`."
        )


def _fits(came: tuple[int, ...], expected: tuple[int | None, ...]) -> bool:
    # Keras adds or takes away a last axis of size 1.
    shapes = (came, (*came, 1), came[:-1] if came[-1:] == (1,) else came)
    return any(
        len(shape) == len(expected) and all(b in (None, a) for a, b in zip(shape, expected, strict=True))
        for shape in shapes
    )


def _shapes(shapes: list[Any]) -> str:
    return " and ".join(f"({', '.join('any' if size is None else str(size) for size in one)})" for one in shapes)
