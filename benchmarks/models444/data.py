"""What a model is trained with, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

Array = npt.NDArray[Any]
SUBSET = 0  # seed of made tables, and of the pictures of a smaller size: the same for every model


@dataclass(frozen=True, slots=True)
class Size:
    """How many pictures a model is trained with and validated on; tables are always whole.

    Args:
        training: Training pictures.
        validation: Test pictures that serve as validation set.
    """

    training: int
    validation: int


SIZES = {"small": Size(2_000, 1_000), "full": Size(60_000, 10_000)}


@dataclass(frozen=True, slots=True)
class Data:
    """Rows and labels.

    Args:
        x: Rows of shape (N, ...), float32.
        y: Their labels.
        x_val: Rows for validation; `None` where a program does not validate.
        y_val: Their labels.
    """

    x: Array
    y: Array
    x_val: Array | None
    y_val: Array | None

    @property
    def validation(self) -> tuple[Array, Array] | None:
        """What `fit` takes as `validation_data`."""
        return None if self.x_val is None or self.y_val is None else (self.x_val, self.y_val)
