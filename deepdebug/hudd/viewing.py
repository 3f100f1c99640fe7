"""What the failures are clustered by, and how it is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from deepdebug.errors import UsageError
from deepdebug.hudd.clusters import ClusterSettings
from deepdebug.hudd.explaining import HeatmapSettings
from deepdebug.hudd.heatmaps import Heatmaps
from deepdebug.hudd.rows import rows_of
from deepdebug.hudd.tested import FailureRule, Tested
from deepdebug.hudd.views import View, feature_views, heatmap_views


def views_of(
    heatmaps: Heatmaps, mode: str = "default", normalise: str = "sqrt", embedding: npt.NDArray[Any] | None = None
) -> list[View]:
    """Return the views of the failures.

    Args:
        heatmaps: Their relevance.
        mode: "hudd" takes raw heatmaps and nothing else. Defaults to "default".
        normalise: What is done to every heatmap first. Defaults to "sqrt".
        embedding: Array of shape (failures, ...); where there is one, the activations of the last convolution count as
            well. Defaults to `None`.

    Raises:
        UsageError: When an embedding comes with mode "hudd", or with a model without convolutions.
    """
    how = "none" if mode == "hudd" or heatmaps.map is not None else normalise  # sketches were normalised before
    if embedding is None:
        return heatmap_views(heatmaps.layers, normalise=how)
    if mode == "hudd":
        raise UsageError("HUDD as published takes no embedding. Leave the embedding out, or the mode.")
    if heatmaps.activations is None:
        raise UsageError("An embedding is taken beside the last convolution's activations, but the model has none.")
    return heatmap_views(heatmaps.layers, normalise=how) + feature_views(heatmaps.activations, embedding)


def read_embedding(path: Path, images: int) -> npt.NDArray[Any]:
    """Read an embedding of a set.

    Args:
        path: A `.npy` file with one row per image.
        images: Number of images of the set.

    Raises:
        UsageError: When it cannot be read or has another number of rows.
    """
    rows = rows_of(path, "embedding")
    if len(rows) != images:
        raise UsageError(
            f"The embedding {str(path)!r} has {len(rows)} rows; expected one for each of the {images} images of the "
            "test set, in the order of their names."
        )
    return rows.take(np.arange(images))


def failing(tested: Tested) -> Tested:
    """Return the answers that are failures."""
    rows = np.flatnonzero(tested.failed)
    return replace(
        tested,
        images=tuple(tested.images[row] for row in rows),
        scores=tested.scores[rows],
        loss=tested.loss[rows],
        failed=tested.failed[rows],
        expected=None if tested.expected is None else tested.expected[rows],
        predicted=None if tested.predicted is None else tested.predicted[rows],
    )


def settings_rows(
    clustering: ClusterSettings, rule: FailureRule, heatmaps: HeatmapSettings, normalise: str
) -> tuple[tuple[str, str], ...]:
    """Return what was done, as pairs of label and value.

    Args:
        clustering: How the failures were grouped.
        rule: What counted as a failure.
        heatmaps: Which heatmaps were made.
        normalise: What was done to each of them.
    """
    failure = {"label": "the wrong class", "loss": f"a loss above {rule.value:g}"}.get(
        rule.kind, f"a loss above its {rule.value:.0%} quantile"
    )
    slicer = clustering.slicer if isinstance(clustering.slicer, str) else "a function of the user's"
    is_published = clustering.mode == "hudd"
    number = f"{clustering.k}, as asked for" if clustering.k else f"by the knee, {clustering.detail}"
    return (
        ("A failure is", failure),
        ("Explained", f"the {heatmaps.target} output"),
        ("Rules of relevance", heatmaps.composite),
        ("Layers", ", ".join(heatmaps.layers)),
        ("Heatmaps", f"{heatmaps.dtype}, {'raw' if is_published else f'normalised by {normalise!r}'}"),
        ("Grouped by", "HUDD as published" if is_published else f"{slicer}, {clustering.linkage} linkage"),
        ("Number of groups", "by the knee of the gradient of WICD" if is_published else number),
        ("Seed", str(clustering.seed)),
    )
