"""LRP alpha-beta."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from deepdebug.errors import UsageError
from deepdebug.lrp.affine import Affine, divided, negative, positive

BIASES = ("signed", "whole")


@dataclass(frozen=True, slots=True)
class AlphaBeta:
    """Share the relevance by the positive and, against them, the negative products (Bach et al. 2015, equation 60).

    `R_i = sum_j (alpha * (x_i w_ij)+ / z_j+ - beta * (x_i w_ij)- / z_j-) * R_j`, with the bias in z+ and z-.

    Args:
        alpha: Weight of the positive products. Defaults to `1.0`.
        beta: Weight of the negative products; conserves where alpha - beta = 1. Defaults to `0.0`.
        bias: "signed" puts a positive bias into z+ and a negative one into z-, as published; "whole" puts every bias
            into both, as iNNvestigate 2.1.2 does. Defaults to `"signed"`.

    Raises:
        UsageError: When `bias` is none of the two.
    """

    alpha: float = 1.0
    beta: float = 0.0
    bias: str = "signed"

    def __post_init__(self) -> None:
        """Check how the bias counts."""
        if self.bias not in BIASES:
            raise UsageError(f"`bias` got {self.bias!r}; expected one of {', '.join(BIASES)}.")

    proportional: ClassVar[bool] = True  # an input that is 0 gets nothing

    def propagate(self, part: Affine, a: Any, relevance: Any) -> Any:
        """Return the relevance of the inputs `a`, of shape (rows, ...), from that of the outputs."""
        up, down = positive(part.kernel), negative(part.kernel)
        bias_up, bias_down = part.bias, part.bias
        if self.bias == "signed":
            bias_up, bias_down = positive(part.bias), negative(part.bias)
        found = self.alpha * _one_side(part, a, relevance, (up, down, bias_up))
        if self.beta == 0.0:
            return found
        return found - self.beta * _one_side(part, a, relevance, (down, up, bias_down))


def _one_side(part: Affine, a: Any, relevance: Any, weights: tuple[Any, Any, Any]) -> Any:
    """Return the relevance by the products of one sign: of positive inputs with one kernel, negative with the other."""
    for_positive, for_negative, bias = weights
    if part.nonnegative:
        z, back = part.terms(a, for_positive, bias)
        return a * back(divided(relevance, z))
    one, back_one = part.terms(positive(a), for_positive, bias)
    other, back_other = part.terms(negative(a), for_negative)
    share = divided(relevance, one + other)
    return positive(a) * back_one(share) + negative(a) * back_other(share)
