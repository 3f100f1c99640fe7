"""Numbers of several tensors at once: small tensors laid end to end cost as few operations as a single one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from keras import ops


class Parts(Protocol):
    """How a tensor falls into parts."""

    def sum(self, values: Any) -> Any:
        """Return the sum of each part."""

    def mean(self, values: Any) -> Any:
        """Return the mean of each part."""

    def max(self, values: Any) -> Any:
        """Return the largest element of each part."""

    def back(self, numbers: Any) -> Any:
        """Return a number per part as one per element."""


class Whole:
    """A tensor of any shape that is one part; its numbers are scalars."""

    def sum(self, values: Any) -> Any:
        """Return the sum."""
        return ops.sum(values)

    def mean(self, values: Any) -> Any:
        """Return the mean."""
        return ops.mean(values)

    def max(self, values: Any) -> Any:
        """Return the largest element."""
        return ops.max(values)

    def back(self, numbers: Any) -> Any:
        """Return the number itself, which spreads over all elements."""
        return numbers


@dataclass(frozen=True, slots=True)
class Segments:
    """A vector in which several tensors lie end to end; its numbers are vectors with an element per tensor.

    Args:
        sizes: Number of elements of each tensor, one or more.
    """

    sizes: tuple[int, ...]

    def sum(self, values: Any) -> Any:
        """Return the sum of each tensor, of shape (tensors,)."""
        return ops.segment_sum(values, self._owners, num_segments=len(self.sizes))

    def mean(self, values: Any) -> Any:
        """Return the mean of each tensor, of shape (tensors,)."""
        return ops.divide(self.sum(values), np.asarray(self.sizes, dtype="float32"))

    def max(self, values: Any) -> Any:
        """Return the largest element of each tensor, of shape (tensors,)."""
        return ops.segment_max(values, self._owners, num_segments=len(self.sizes))

    def back(self, numbers: Any) -> Any:
        """Return the number of its tensor for each element."""
        return ops.take(numbers, self._owners, axis=0)

    @property
    def _owners(self) -> npt.NDArray[np.int32]:
        return np.repeat(np.arange(len(self.sizes), dtype="int32"), self.sizes)


def end_to_end(tensors: Sequence[Any]) -> Any:
    """Return the elements of tensors of any shape and number type as one float32 vector."""
    return ops.concatenate([ops.reshape(ops.cast(one, "float32"), (-1,)) for one in tensors])
