"""Random projections of single rows, for heatmaps that are too many to be kept whole.

As in `sketch`, random signs keep squared distances to a relative error of sqrt(2 / dims), 9 % for 256 (Achlioptas,
"Database-friendly random projections", 2003). Here the signs are drawn again for every batch, a block at a time, so
that none of them is held: for a layer of 224 x 224 x 64 values they would take 800 MB.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from deepdebug.hudd.normalise import normalise

DIMS = 256
BLOCK = 4096  # values of a row that are multiplied at once
SEED = 0


@dataclass(frozen=True, slots=True)
class Projection:
    """A map from rows to short vectors; the same key and width give the same map.

    Args:
        key: Tells the maps of different layers apart.
        how: What is done to every row first; see `normalise`.
        dims: Length of the short vectors. Defaults to 256.
    """

    key: int
    how: str
    dims: int = DIMS

    def __call__(self, rows: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Project rows.

        Args:
            rows: Array of shape (rows, ...).

        Returns:
            Array of shape (rows, dims), float32.
        """
        flat = normalise(np.array(rows, np.float32).reshape(len(rows), -1), self.how)
        found = np.zeros((len(flat), self.dims), np.float32)
        for number, first in enumerate(range(0, flat.shape[1], BLOCK)):
            part = flat[:, first : first + BLOCK]
            found += part @ self._signs(number, part.shape[1])
        found /= np.float32(np.sqrt(self.dims))
        return found

    def _signs(self, block: int, width: int) -> npt.NDArray[np.float32]:
        random = np.random.default_rng([SEED, self.key, block])
        bits = np.unpackbits(np.frombuffer(random.bytes(-(-width * self.dims // 8)), np.uint8))
        return bits[: width * self.dims].reshape(width, self.dims).astype(np.float32) * 2 - 1
