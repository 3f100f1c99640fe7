"""How many rows the probe may take, so that looking needs no more memory than training does, or than is no matter."""

from __future__ import annotations

import math
from typing import Any

import keras

from deepdebug.facts import Facts, FitFacts

LOOK_BYTES = 2**27  # layer outputs of one look, as float32; the gradient needs about as much again
KEPT_BYTES = 2**26  # rows kept to look at


def rows_to_look_at(facts: Facts) -> int:
    """Return how many rows may go through the model at once: a batch, or as many as need `LOOK_BYTES`."""
    sizes = [layer.uses * math.prod(size or 1 for size in layer.output_shape or ()) for layer in facts.layers]
    return max(_batch(facts.fit), LOOK_BYTES // max(1, 4 * sum(sizes)))


def rows_to_keep(fit: FitFacts, x: Any) -> int:
    """Return how many rows may be copied from the training data: a batch, or as many as hold `KEPT_BYTES`.

    Args:
        fit: The arguments of the running `fit`.
        x: Inputs, in the model's structure.
    """
    arrays = [one for one in keras.tree.flatten(x) if one is not None]
    per_row = sum(math.prod(one.shape[1:]) * getattr(getattr(one, "dtype", None), "itemsize", 4) for one in arrays)
    return max(_batch(fit), KEPT_BYTES // max(1, int(per_row)))


def _batch(fit: FitFacts) -> int:
    return fit.batch_size or 1
