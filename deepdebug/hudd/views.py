"""Views of the same images, each with its own distances, and their sum.

No layer is chosen: over 12 trained models every score of compactness picked the dense layer, whose groups are the
predicted classes, while the sum over all layers came close to the best single one. Squared distances are divided by
their mean first, so that no view weighs more because its numbers are larger.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from deepdebug.errors import UsageError
from deepdebug.files import file_names, write_file
from deepdebug.hudd.condensed import CHUNK, mean_square, num_pairs, num_rows
from deepdebug.hudd.distances import distances
from deepdebug.hudd.normalise import NORMALISATIONS
from deepdebug.hudd.notes import Note
from deepdebug.hudd.rows import MEMORY, Floats, Rows, Source, rows_of


@dataclass(frozen=True, slots=True)
class View:
    """One way to look at all images.

    Args:
        name: What messages and files call it, such as the name of a layer.
        vectors: Array of shape (N, ...) of real numbers, or the path of a `.npy` file with one. Defaults to `None`:
            `distances` are given.
        distances: Condensed distances instead, of shape (N (N - 1) / 2,), not squared. Defaults to `None`.
        weight: Its share of the sum, beside the weights of the other views. Defaults to 1.
        normalise: What is done to every vector first; see `normalise`. Defaults to "sqrt", the best for relevance;
            "l2" suits activations, embeddings and pixels.

    Raises:
        UsageError: When it has both vectors and distances or neither, or an impossible weight or normalisation.
    """

    name: str
    vectors: Source | None = None
    distances: npt.NDArray[np.floating[Any]] | None = None
    weight: float = 1.0
    normalise: str = "sqrt"

    def __post_init__(self) -> None:
        if (self.vectors is None) == (self.distances is None):
            raise UsageError(f"The view {self.name!r} needs either `vectors` or `distances`; pass one of them.")
        if not (np.isfinite(self.weight) and self.weight > 0):
            raise UsageError(f"The view {self.name!r} has the weight {self.weight}; expected a positive number.")
        if self.normalise not in NORMALISATIONS:
            raise UsageError(
                f"The view {self.name!r} has `normalise` {self.normalise!r}; expected one of "
                f"{', '.join(map(repr, NORMALISATIONS))}."
            )

    @property
    def rows(self) -> Rows:
        """The vectors, to be read in blocks.

        Raises:
            UsageError: When the view has distances only, or its vectors cannot be read.
        """
        if self.vectors is None:
            raise UsageError(
                f"The view {self.name!r} has distances but no vectors, which this way of clustering needs. Pass "
                "`vectors`, or cluster with the slicer 'hierarchy' and `exact=True`."
            )
        return rows_of(self.vectors, self.name)


def heatmap_views(heatmaps: Mapping[str, Source], weight: float = 1.0, normalise: str = "sqrt") -> list[View]:
    """Return the views of the relevance at several layers, which share one weight (view Z).

    Args:
        heatmaps: Arrays of shape (N, ...) or paths, by the name of the layer. Leave dense layers out: they group by
            class.
        weight: Weight of all of them together. Defaults to 1.
        normalise: See `normalise`. Defaults to "sqrt".
    """
    share = weight / max(len(heatmaps), 1)
    return [View(name, vectors, weight=share, normalise=normalise) for name, vectors in heatmaps.items()]


def feature_views(activations: Source, embedding: Source) -> list[View]:
    """Return the views that go with heatmaps where the user has an embedding (views F and I), of weight 1 each.

    Args:
        activations: Of the last convolution, of shape (N, ...).
        embedding: Of the user's embedding, of shape (N, ...); see `embed` where it is a function.
    """
    return [View("activations", activations, normalise="l2"), View("embedding", embedding, normalise="l2")]


def embed(embedding: Callable[[npt.NDArray[Any]], npt.ArrayLike], images: Source, batch: int = 256) -> Floats:
    """Return what a function says about all images, called batch by batch.

    Args:
        embedding: Takes an array of shape (rows, ...) and returns one of shape (rows, ...).
        images: Array of shape (N, ...) or the path of a `.npy` file.
        batch: Largest number of images of a call. Defaults to 256.

    Raises:
        UsageError: When it returns another number of rows.
    """
    rows = rows_of(images, "images")
    parts = []
    for start, block in rows.blocks(batch):
        part = np.asarray(embedding(block.reshape(-1, *rows.shape[1:])), np.float32)
        if part.ndim < 1 or len(part) != len(block):
            raise UsageError(
                f"The embedding returned shape {part.shape} for the {len(block)} images from number {start}; expected "
                "one row per image."
            )
        parts.append(part.reshape(len(part), -1))
    return np.concatenate(parts) if parts else np.zeros((0, 0), np.float32)


def num_images(views: Sequence[View]) -> int:
    """Return the number of images that all views have in common.

    Raises:
        UsageError: When there is no view, or they have different numbers of images.
    """
    counts = {view.name: _count(view) for view in views}
    if len(counts) != len(views) or not views:
        raise UsageError(
            f"Got {len(views)} views named {[view.name for view in views]}; expected one or more, with different names."
        )
    if len(set(counts.values())) > 1:
        raise UsageError(f"The views have different numbers of images: {counts}. All must show the same images.")
    return min(counts.values())


def _count(view: View) -> int:
    return len(view.rows) if view.distances is None else num_rows(view.distances, view.name)


def view_distances(
    view: View, dtype: npt.DTypeLike = np.float32, memory: int = MEMORY, out: Path | None = None
) -> npt.NDArray[Any]:
    """Return the condensed distances of one view; those it came with, or computed ones.

    Args:
        view: The view.
        dtype: Of computed distances. Defaults to float32.
        memory: Bytes for vectors. Defaults to 1 GiB.
        out: A `.npy` file for them. Defaults to none.

    Raises:
        UsageError: When they are negative or not finite.
    """
    if view.distances is None:
        return distances(view.rows, view.normalise, dtype=dtype, memory=memory, out=out)
    for start in range(0, view.distances.size, CHUNK):
        part = view.distances[start : start + CHUNK]
        if not (np.isfinite(part).all() and (part >= 0).all()):
            raise UsageError(f"Some distances of the view {view.name!r} are negative or not finite; expected none.")
    return view.distances


def combined(
    views: Sequence[View], memory: int = MEMORY, folder: Path | None = None
) -> tuple[npt.NDArray[np.float32], list[Note]]:
    """Return the root of the weighted mean of all views' squared distances, each divided by its mean.

    Args:
        views: The views.
        memory: Bytes for vectors. Defaults to 1 GiB.
        folder: Where the distances of every view and their sum ("combined.npy") are kept, which are then mapped instead
            of held. Defaults to `None`: in memory.

    Returns:
        The condensed distances, of type float32 and shape (N (N - 1) / 2,), and a note for every view in which all
        images are equal, which counts for nothing.
    """
    size = num_pairs(num_images(views))
    if folder is None or not size:
        total = np.zeros(size, np.float32)
        return total, _add_views(total, views, memory, folder)
    notes: list[Note] = []

    def write(path: Path) -> None:
        mapped = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(size,))
        notes.extend(_add_views(mapped, views, memory, folder))
        mapped.flush()

    path = write_file(folder / "combined.npy", write, "distances")
    kept: npt.NDArray[np.float32] = np.load(path, mmap_mode="r", allow_pickle=False)
    return kept, notes


def distance_files(views: Sequence[View], folder: Path | None) -> list[Path | None]:
    """Return the file for the distances of each view; `None` where there is no folder.

    Args:
        views: The views.
        folder: The folder, or `None`.
    """
    if folder is None:
        return [None] * len(views)
    return [folder / f"{name}.npy" for name in file_names([view.name for view in views], taken=("combined",))]


def constant_view(view: View) -> Note:
    """Return the warning about a view in which all images are equal."""
    return Note("constant-view", f"All images are equal in the view {view.name!r}; it tells nothing about them.", True)


def _add_views(total: npt.NDArray[np.float32], views: Sequence[View], memory: int, folder: Path | None) -> list[Note]:
    """Put the combined distances into an array of zeros."""
    notes, counted = [], []
    for view, file in zip(views, distance_files(views, folder), strict=True):
        own = view_distances(view, memory=memory, out=file)
        mean = mean_square(own)
        counted.append(mean > 0)
        if mean == 0:
            notes.append(constant_view(view))
        for start in range(0, own.size if mean else 0, CHUNK):
            part = np.asarray(own[start : start + CHUNK], np.float64)
            total[start : start + CHUNK] += view.weight / mean * part * part
    weights = sum(view.weight for view, counts in zip(views, counted, strict=True) if counts)
    for start in range(0, total.size, CHUNK):
        summed = total[start : start + CHUNK]
        summed /= weights or 1.0  # so that the mean squared distance is 1
        np.sqrt(summed, out=summed)
    return notes
