"""LRP alpha-beta."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from deepdebug.lrp.affine import Affine, divided, negative, positive


@dataclass(frozen=True, slots=True)
class AlphaBeta:
    """Share the relevance by the positive and, against them, the negative products (Bach et al. 2015, equation 60).

    `R_i = sum_j (alpha * (x_i w_ij)+ / z_j+ - beta * (x_i w_ij)- / z_j-) * R_j`, with the bias's parts in z+ and z-.

    Args:
        alpha: Weight of the positive products. Defaults to `1.0`.
        beta: Weight of the negative products; conserves where alpha - beta = 1. Defaults to `0.0`.
    """

    alpha: float = 1.0
    beta: float = 0.0

    def propagate(self, part: Affine, a: Any, relevance: Any) -> Any:
        """Return the relevance of the inputs `a`, of shape (rows, ...), from that of the outputs."""
        up, down = positive(part.kernel), negative(part.kernel)
        found = self.alpha * _one_side(part, a, relevance, (up, down, positive(part.bias)))
        if self.beta == 0.0:
            return found
        return found - self.beta * _one_side(part, a, relevance, (down, up, negative(part.bias)))


def _one_side(part: Affine, a: Any, relevance: Any, weights: tuple[Any, Any, Any]) -> Any:
    """Return the relevance by the products of one sign: of positive inputs with one kernel, negative with the other."""
    for_positive, for_negative, bias = weights
    one, back_one = part.terms(positive(a), for_positive, bias)
    other, back_other = part.terms(negative(a), for_negative)
    share = divided(relevance, one + other)
    return positive(a) * back_one(share) + negative(a) * back_other(share)
