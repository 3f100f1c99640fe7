"""Looks at the batches that the training itself draws, where the data cannot be indexed.

Drawing a batch of our own would shift a shuffling pipeline, advance a generator, or run a user's augmentation once
more. So the training function is wrapped: it hands over each batch before the model trains on it, and takes itself away
when enough rows have been seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from deepdebug.model import backend
from deepdebug.model.sample import Sample, as_array, row_count

MAX_BYTES = 2**26


class Tap:
    """Collects the first rows that pass through `model.train_function` or `model.test_function`.

    Args:
        model: The model in training.
        function_name: "train_function" or "test_function".
        rows: Number of rows after which the tap closes.
        first: Called once with the sample so far, before the model sees the first batch.
    """

    def __init__(
        self, model: keras.Model, function_name: str, rows: int, first: Callable[[Sample], None] | None = None
    ) -> None:
        self._model = model
        self._name = function_name
        self._rows = rows
        self._first = first
        self._parts: list[Sample] = []
        self._original = getattr(model, function_name)
        self._tapped = backend.current().tapped(self._original, model, self._receive)
        self._wrapped = self._dispatch
        self._is_open = True
        self.reason: str | None = None
        setattr(model, function_name, self._wrapped)

    @property
    def sample(self) -> Sample | None:
        """The rows seen so far, or `None`."""
        if not self._parts:
            return None
        x = keras.tree.map_structure(lambda *parts: np.concatenate(parts), *[part.x for part in self._parts])
        ys = [part.y for part in self._parts]
        y = None if ys[0] is None else keras.tree.map_structure(lambda *parts: np.concatenate(parts), *ys)
        return Sample(x, y)

    def _dispatch(self, *arguments: Any) -> Any:
        """Stand in for the model's function, with no part in it once closed: another tap may still call it."""
        return (self._tapped if self._is_open else self._original)(*arguments)

    def close(self) -> None:
        """Give the model its own function back."""
        self._is_open = False
        if getattr(self._model, self._name) is self._wrapped:
            setattr(self._model, self._name, self._original)

    def _receive(self, batches: Sequence[Any]) -> None:
        try:
            self._collect(batches)
        except Exception as error:  # looking must not stop the training
            self.reason = f"the batches could not be read: {type(error).__name__}: {error}"
            self.close()

    def _collect(self, batches: Sequence[Any]) -> None:
        is_first = not self._parts
        for batch in batches:
            x, y, _ = keras.utils.unpack_x_y_sample_weight(batch)
            part = Sample(*(None if one is None else keras.tree.map_structure(as_array, one) for one in (x, y)))
            if not self._parts or _row_shapes(part) == _row_shapes(self._parts[0]):
                self._parts.append(part)
        if is_first and self._first is not None and self._parts:
            self._first(self._parts[0])
        seen = sum(row_count(part.x) for part in self._parts)
        size = sum(one.nbytes for part in self._parts for one in keras.tree.flatten(part.x))
        if seen >= self._rows or size >= MAX_BYTES:
            self.close()


def _row_shapes(sample: Sample) -> list[tuple[int, ...]]:
    """Return the shape of one row of every array; batches of sequences may differ in it."""
    return [one.shape[1:] for one in keras.tree.flatten((sample.x, sample.y)) if one is not None]
