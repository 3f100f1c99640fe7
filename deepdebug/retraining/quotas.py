"""How many images each cluster may claim for labelling."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from deepdebug.errors import UsageError
from deepdebug.retraining import defaults

SELECTION_FACTOR = defaults.FACTOR
QUOTAS = ("prevalence", "cluster")


def quotas(
    sizes: Sequence[int], tested: int, improvement: int, how: str = defaults.QUOTA, factor: float = SELECTION_FACTOR
) -> npt.NDArray[np.int64]:
    """Return how many images of the improvement set each cluster may claim.

    Args:
        sizes: Members of every cluster, counting those with one member, which claim nothing: a single image is no
            cause yet.
        tested: Images of the test set.
        improvement: Images of the improvement set.
        how: "prevalence", the paper's: as many images as failures of this cause are to be expected in the improvement
            set, times the factor; or "cluster", the published code's: members times the factor, rounded up. Defaults to
            "prevalence".
        factor: Which share of them. Defaults to `SELECTION_FACTOR`, 0.3.

    Returns:
        Array of shape (clusters,), int64. Rounded up, so that a cause is never without an image.

    Raises:
        UsageError: When a number cannot be used.

    >>> quotas([100, 40, 1], tested=2000, improvement=4000).tolist()
    [60, 24, 0]
    >>> quotas([100, 40, 1], tested=2000, improvement=4000, how="cluster").tolist()
    [30, 12, 0]
    """
    if how not in QUOTAS:
        raise UsageError(f"`quota` is {how!r}; expected one of {', '.join(map(repr, QUOTAS))}.")
    if not (np.isfinite(factor) and factor > 0):
        raise UsageError(f"`factor` is {factor}; expected a positive number, such as {SELECTION_FACTOR}.")
    if tested < 1 or improvement < 1:
        raise UsageError(f"There are {tested} images tested and {improvement} to choose from; expected one or more.")
    members = np.asarray(sizes, np.float64)
    expected = members * (improvement / tested) if how == "prevalence" else members
    # Of 0.1 * 3 * 10 no more than 3 is meant.
    wanted = np.ceil(np.round(expected * factor, 9)).astype(np.int64)
    return np.where(members > 1, wanted, 0)
