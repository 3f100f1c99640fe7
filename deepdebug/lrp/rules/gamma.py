"""LRP-gamma."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from keras import ops

from deepdebug.lrp.affine import Affine, divided, negative, positive


@dataclass(frozen=True, slots=True)
class Gamma:
    """Favour the products that agree with the sign of z (Montavon et al. 2019, section 10.2.3, for inputs of any sign).

    Where z is positive the positive products count (1 + gamma) times, where it is negative the negative ones.

    Args:
        gamma: How much more they count; 0 gives LRP-0, infinity z+ with its bias. Defaults to `0.25`.
    """

    gamma: float = 0.25

    proportional: ClassVar[bool] = True  # an input that is 0 gets nothing

    def propagate(self, part: Affine, a: Any, relevance: Any) -> Any:
        """Return the relevance of the inputs `a`, of shape (rows, ...), from that of the outputs."""
        more_up = (part.kernel + self.gamma * positive(part.kernel), part.kernel + self.gamma * negative(part.kernel))
        more_down = (more_up[1], more_up[0])
        bias_up, bias_down = part.bias, part.bias
        if part.bias is not None:
            bias_up, bias_down = (part.bias + self.gamma * one(part.bias) for one in (positive, negative))
        if part.only_positive:
            return _shared(part, a, relevance, more_up, bias_up)
        z, _ = part.terms(a, part.kernel, part.bias)
        wanted_up = ops.where(z >= 0, relevance, 0.0)
        up = _shared(part, a, wanted_up, more_up, bias_up)
        return up + _shared(part, a, relevance - wanted_up, more_down, bias_down)


def _shared(part: Affine, a: Any, relevance: Any, kernels: tuple[Any, Any], bias: Any) -> Any:
    if part.nonnegative:
        z, back = part.terms(a, kernels[0], bias)
        return a * back(divided(relevance, z))
    one, back_one = part.terms(positive(a), kernels[0], bias)
    other, back_other = part.terms(negative(a), kernels[1])
    share = divided(relevance, one + other)
    return positive(a) * back_one(share) + negative(a) * back_other(share)
