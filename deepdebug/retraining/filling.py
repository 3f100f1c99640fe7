"""What the table that a person fills in means for a retraining: images left out, and labels still to be asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from deepdebug.errors import UsageError
from deepdebug.retraining.arms import Plan
from deepdebug.retraining.assigning import Chosen, Ints
from deepdebug.retraining.choosing import Unsafe
from deepdebug.retraining.labels import NAMED, FiledLabels, LabelSource, add_rows


def refuse_empty(chosen: Chosen) -> None:
    """Refuse an unsafe set without images.

    Args:
        chosen: The unsafe set.

    Raises:
        UsageError: When it is empty.
    """
    if not len(chosen):
        raise UsageError(
            "No image of the ImprovementSet was chosen, so there is nothing to retrain with. Choose again with "
            "`--select Mixed`, which asks of no image that it lies inside a cluster, or with a larger --factor."
        )


def marked_rows(chosen: Chosen, source: LabelSource) -> Ints:
    """Return the images that a person marked as impossible to label, as rows, so that no arm takes them.

    Args:
        chosen: The images that were chosen.
        source: The labels.

    Raises:
        UsageError: When no chosen image is left.
    """
    if not isinstance(source, FiledLabels):
        return np.zeros(0, np.int64)
    marked = np.flatnonzero(source.marked())
    if np.isin(chosen.images, marked).all():
        raise UsageError(
            f"{str(source.path)!r} marks all images that were chosen with a '-', so there is nothing to retrain with. "
            "Choose more of them: `deepdebug hudd assign` with a larger --factor."
        )
    return marked


def without_marked(unsafe: Unsafe, source: LabelSource) -> Unsafe:
    """Return the unsafe set as it is labelled: without the images that a person marked as impossible to label.

    Args:
        unsafe: The images that were chosen.
        source: The labels.
    """
    return replace(unsafe, chosen=unsafe.chosen.without(marked_rows(unsafe.chosen, source)))


def lacks_labels(source: LabelSource, rows: Ints) -> bool:
    """Tell whether a person still has to fill in labels of some images.

    Args:
        source: The labels.
        rows: Rows of the images.
    """
    return isinstance(source, FiledLabels) and bool(source.missing(rows).any())


def ask_for_missing(source: LabelSource, plans: Sequence[Plan]) -> None:
    """Add the images whose labels are missing to the table, and tell of them.

    Args:
        source: The labels.
        plans: All plans.

    Raises:
        UsageError: When labels are missing.
    """
    if not isinstance(source, FiledLabels):
        return
    wanted = np.unique(np.concatenate([one.labelled for one in plans]))
    lacking = wanted[source.missing(wanted)]
    if not len(lacking):
        return
    names = [source.names[row] for row in lacking]
    arms = dict.fromkeys(one.arm for one in plans if np.isin(one.labelled, lacking).any())
    added = add_rows(source.path, names, source.columns)
    raise UsageError(
        f"{str(source.path)!r} has no label for {len(names)} of {len(wanted)} images that are needed for "
        f"{', '.join(arms)}, such as {', '.join(names[:NAMED])}."
        + f" {added:,} rows were added to it." * bool(added)
        + " Fill them in, with a '-' where nobody can tell, and run the same command again."
    )
