"""LRP z+."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from deepdebug.lrp.affine import Affine, divided, negative, positive


@dataclass(frozen=True, slots=True)
class ZPlus:
    """Share the relevance by the positive parts of the products alone; the bias is left out, so nothing is absorbed.

    `R_i = sum_j (x_i w_ij)+ / sum_i (x_i w_ij)+ * R_j` (Montavon et al. 2017, section 4.1). An output without a
    positive part passes nothing on.
    """

    proportional: ClassVar[bool] = True  # an input that is 0 gets nothing

    def propagate(self, part: Affine, a: Any, relevance: Any) -> Any:
        """Return the relevance of the inputs `a`, of shape (rows, ...), from that of the outputs."""
        if part.nonnegative:
            z, back = part.terms(a, positive(part.kernel))
            return a * back(divided(relevance, z))
        up, back_up = part.terms(positive(a), positive(part.kernel))
        down, back_down = part.terms(negative(a), negative(part.kernel))
        share = divided(relevance, up + down)
        return positive(a) * back_up(share) + negative(a) * back_down(share)
