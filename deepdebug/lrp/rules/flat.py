"""LRP-flat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keras import ops

from deepdebug.lrp.affine import Affine, divided


@dataclass(frozen=True, slots=True)
class Flat:
    """Share the relevance evenly over the inputs that an output sees (Lapuschkin et al. 2019, methods)."""

    def propagate(self, part: Affine, a: Any, relevance: Any) -> Any:
        """Return the relevance of the inputs `a`, of shape (rows, ...), from that of the outputs."""
        z, back = part.terms(ops.ones_like(a), ops.ones_like(part.kernel))
        return back(divided(relevance, z))
