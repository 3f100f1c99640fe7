"""LRP z^B."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keras import ops

from deepdebug.lrp.affine import Affine, divided, negative, positive


@dataclass(frozen=True, slots=True)
class ZBox:
    """Share the relevance of the first layer by how far pixels lie from the ends of their range.

    `R_i = sum_j (x_i w_ij - low w_ij+ - high w_ij-) / z_j * R_j` (Montavon et al. 2017, section 4.3), without
    bias.

    Args:
        low: Smallest possible input. Defaults to `0.0`.
        high: Largest possible input. Defaults to `1.0`.
    """

    low: float = 0.0
    high: float = 1.0

    def propagate(self, part: Affine, a: Any, relevance: Any) -> Any:
        """Return the relevance of the inputs `a`, of shape (rows, ...), from that of the outputs."""
        low, high = ops.full_like(a, self.low), ops.full_like(a, self.high)
        z, back = part.terms(a, part.kernel)
        z_low, back_low = part.terms(low, positive(part.kernel))
        z_high, back_high = part.terms(high, negative(part.kernel))
        share = divided(relevance, z - z_low - z_high)
        return a * back(share) - low * back_low(share) - high * back_high(share)
