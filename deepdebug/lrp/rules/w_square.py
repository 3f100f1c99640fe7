"""LRP w^2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keras import ops

from deepdebug.lrp.affine import Affine, divided


@dataclass(frozen=True, slots=True)
class WSquare:
    """Share the relevance by the squared weights, whatever the inputs are (Montavon et al. 2017, section 4.2)."""

    def propagate(self, part: Affine, a: Any, relevance: Any) -> Any:
        """Return the relevance of the inputs `a`, of shape (rows, ...), from that of the outputs."""
        z, back = part.terms(ops.ones_like(a), ops.square(part.kernel))
        return back(divided(relevance, z))
