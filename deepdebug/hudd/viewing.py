"""What the failures are clustered by, and how it is told."""

from __future__ import annotations

from collections.abc import Sequence
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
from deepdebug.hudd.views import View, heatmap_views

RELEVANCE = ("relevance",)
EXPLAINED = {
    "predicted": "the class that the model says",
    "largest": "the largest output",
    "worst": "the output that is farthest from what is usual in the set",
}
WITH_EMBEDDING = ("relevance", "activations", "embedding")


def views_of(
    heatmaps: Heatmaps,
    mode: str = "default",
    normalise: str = "sqrt",
    embedding: npt.NDArray[Any] | None = None,
    names: Sequence[str] = (),
) -> list[View]:
    """Return the views of the failures.

    Args:
        heatmaps: Their relevance.
        mode: "hudd" takes raw heatmaps and nothing else. Defaults to "default".
        normalise: What is done to every heatmap first. Defaults to "sqrt".
        embedding: Array of shape (failures, ...). Defaults to `None`.
        names: Some of "relevance" (one view per layer), "activations" (of the last convolution), "hidden" (what the
            last dense layer reads) and "embedding", each of which weighs the same. Defaults to none: relevance, and
            where there is an embedding the activations and the embedding as well.

    Raises:
        UsageError: When there is no such view, or mode "hudd" is to take others than relevance.
    """
    chosen = tuple(names) or (RELEVANCE if embedding is None else WITH_EMBEDDING)
    if mode == "hudd" and chosen != RELEVANCE:
        raise UsageError("HUDD as published takes relevance alone. Leave the other views out, or the mode.")
    beside = {"activations": heatmaps.activations, "hidden": heatmaps.hidden, "embedding": embedding}
    found: list[View] = []
    for name in dict.fromkeys(chosen):
        if name == "relevance":
            # Sketches were normalised before they were made.
            raw = mode == "hudd" or heatmaps.map is not None
            found += heatmap_views(heatmaps.layers, normalise="none" if raw else normalise)
        elif (vectors := beside.get(name)) is not None:
            found.append(View(name, vectors, normalise="l2"))
        else:
            raise UsageError(_missing(name, list(beside)))
    return found


def _missing(name: str, known: Sequence[str]) -> str:
    if name not in known:
        return f"`views` got {name!r}; expected some of relevance, {', '.join(known)}."
    return {
        "embedding": "The view 'embedding' needs an embedding; pass one, or leave the view out.",
        "activations": "The model has no convolution, so there is no view 'activations'; leave it out.",
        "hidden": "The model has no dense layer, so there is no view 'hidden'; leave it out.",
    }[name]


def read_embedding(path: Path, images: int, rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Read some rows of the embedding of a set.

    Args:
        path: A `.npy` file with one row per image.
        images: Number of images of the set.
        rows: Which are wanted.

    Raises:
        UsageError: When it cannot be read or has another number of rows.
    """
    known = rows_of(path, "embedding")
    if len(known) != images:
        raise UsageError(
            f"The embedding {str(path)!r} has {len(known)} rows; expected one for each of the {images} images of the "
            "test set, in the order of their names."
        )
    stored: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    return np.array(stored[rows], np.float32)


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
    clustering: ClusterSettings, rule: FailureRule, heatmaps: HeatmapSettings, normalise: str, views: Sequence[View]
) -> tuple[tuple[str, str], ...]:
    """Return what was done, as pairs of label and value.

    Args:
        clustering: How the failures were grouped.
        rule: What counted as a failure.
        heatmaps: Which heatmaps were made.
        normalise: What was done to each of them.
        views: What the failures were compared by.
    """
    failure = {"label": "the wrong class", "loss": f"a loss above {rule.value:g}"}.get(
        rule.kind, f"a loss above its {rule.value:.0%} quantile"
    )
    is_published = clustering.mode == "hudd"
    return (
        ("A failure is", failure),
        ("Explained", EXPLAINED[heatmaps.target]),
        ("Rules of relevance", heatmaps.composite),
        ("Layers", ", ".join(heatmaps.layers)),
        ("Heatmaps", f"{heatmaps.dtype}{', channels summed up' if heatmaps.summed else ''}"),
        ("Normalised by", "nothing" if is_published else normalise),
        ("Compared by", ", ".join(view.name for view in views)),
        ("Grouped by", _method(clustering)),
        ("Seed", str(clustering.seed)),
    )


def _method(clustering: ClusterSettings) -> str:
    """Say how the failures were grouped, and what decided on the number of groups."""
    if clustering.mode == "hudd":
        return "HUDD as published; number of groups by the knee of the gradient of WICD"
    slicer = clustering.slicer if isinstance(clustering.slicer, str) else "a function of the user's"
    how = f"{clustering.linkage} linkage" if slicer == "hierarchy" else slicer
    if slicer == "umap-hdbscan":
        return how
    number = f"{clustering.k}, as asked for" if clustering.k else f"by the cost of merging, {clustering.detail}"
    return f"{how}; number of groups: {number}"
