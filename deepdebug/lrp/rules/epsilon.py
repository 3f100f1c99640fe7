"""LRP-epsilon, and LRP-0 as its limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from deepdebug.lrp.affine import Affine, divided, stabilised


@dataclass(frozen=True, slots=True)
class Epsilon:
    """Share the relevance by each input's part in z, held away from 0 (Bach et al. 2015, equation 58).

    `R_i = x_i * sum_j w_ij * R_j / (z_j + epsilon * sign(z_j))`, with the bias in z, whose share is absorbed.

    Args:
        epsilon: What holds z away from 0; 0 gives LRP-0, where a z of 0 passes nothing on. Defaults to `1e-2`.
    """

    epsilon: float = 1e-2

    proportional: ClassVar[bool] = True  # an input that is 0 gets nothing

    def propagate(self, part: Affine, a: Any, relevance: Any) -> Any:
        """Return the relevance of the inputs `a`, of shape (rows, ...), from that of the outputs."""
        z, back = part.terms(a, part.kernel, part.bias)
        if self.epsilon:
            z = z + self.epsilon if part.only_positive else stabilised(z, self.epsilon)
        return a * back(divided(relevance, z))
