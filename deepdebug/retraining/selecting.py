"""The images that are worth labelling, in any of the modes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from deepdebug.errors import UsageError
from deepdebug.retraining.arms import by_entropy
from deepdebug.retraining.asked import ENTROPY
from deepdebug.retraining.assigning import Chosen, Floats, Ints, assign
from deepdebug.retraining.matching import MATCHED, Progress, match, silent
from deepdebug.retraining.mixing import MIXED, mix
from deepdebug.retraining.nearness import Nearness, nearness


def select(
    mode: str,
    quotas: Ints,
    *,
    vectors: Floats,
    scores: Floats | None,
    members: Floats,
    labels: npt.NDArray[np.integer],
    near: Callable[[], Nearness] | None = None,
    progress: Progress = silent,
) -> Chosen:
    """Choose images; nothing is known of their labels.

    Args:
        mode: One of `MODES`.
        quotas: Images for each cluster; shape (clusters,). By entropy their sum counts.
        vectors: The images, shape (images, values).
        scores: What the model says about them before its last activation, shape (images, classes); `None` for a
            regression.
        members: The failures, shape (failures, values).
        labels: Cluster of every failure, from 0; -1 for none. Shape (failures,).
        near: Returns how near images are to clusters; is asked where the mode goes by it. Defaults to `None`: computed.
        progress: Is told of the beginning of matching, and of every image. Defaults to `silent`.

    Raises:
        UsageError: When there is no such mode, no quota, or the mode needs classes and there are none.
    """
    if mode == ENTROPY:
        if scores is None:
            raise UsageError("The mode 'entropy' goes by how sure a classifier is, and this model predicts values.")
        return by_entropy(scores, int(quotas.sum()))
    if mode == MATCHED:
        return match(vectors, members, labels, quotas.tolist(), progress=progress)
    found = nearness(vectors, members, labels) if near is None else near()
    if mode == MIXED:
        return mix(found, quotas, vectors=vectors, members=members, labels=labels, progress=progress)
    return assign(found, quotas.tolist(), mode)
