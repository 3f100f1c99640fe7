"""Is there a valley between two groups, more than chance puts there?"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr

# Share of the images that a concave logarithm asks for in the middle; the rest is a reserve for heavy tails and rings,
# chosen among 1, 0.85, 0.75 and 0.5 on seeds 0 to 19 of `python -m benchmarks.significance`.
DEPTH = 0.85
HALF_WIDTH = 1.0  # of the middle window, where the groups' centres are at -2 and 2


def valley_p_value(positions: npt.NDArray[np.floating[Any]]) -> float:
    """Return how probable so empty a middle is for a density whose logarithm is concave.

    Three windows of equal width lie side by side: around the centre of the left group, between the groups, and around
    the centre of the right one. If the logarithm of a density is concave, so is that of the probability of a moving
    window (Prekopa 1973): P(middle)^2 >= P(left) P(right). With q the left share of both sides, at least the share
    r / (1 + r) of the images lies in the middle, r = sqrt(q (1 - q)); the binomial test says whether fewer do. Here r
    is 0.85 of that, and q is estimated, with one image added on either side.

    Args:
        positions: Along the line through both centres, of images that had no part in finding the groups; the centres
            are at -2 and 2.

    >>> round(valley_p_value(np.array([-2.0] * 9 + [2.0] * 9)), 4)
    0.0017
    """
    middle = int(np.count_nonzero(np.abs(positions) < HALF_WIDTH))
    left = int(np.count_nonzero((positions <= -HALF_WIDTH) & (positions > -3 * HALF_WIDTH)))
    right = int(np.count_nonzero((positions >= HALF_WIDTH) & (positions < 3 * HALF_WIDTH)))
    share = (left + 1) / (left + right + 2)
    ratio = DEPTH * np.sqrt(share * (1 - share))
    return float(bdtr(middle, left + middle + right, ratio / (1 + ratio)))
