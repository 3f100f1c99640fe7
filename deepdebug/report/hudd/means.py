"""What the members of a cluster have in common as pictures: their mean image and their mean heatmap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from deepdebug.report.hudd.pictures import Pictures, data_uri, spread
from deepdebug.report.overlay import Numbers, Picture, as_shown, overlay, strength

MOST = 500  # members that are averaged
SIDE = 192  # longer side of the pictures in pixels


@dataclass(frozen=True, slots=True)
class Portrait:
    """A cluster in three pictures, each as a data URI.

    Args:
        medoid: Its most typical image.
        mean: The mean of its images.
        heat: The mean of its heatmaps over the medoid; `None` where there are no heatmaps.
        averaged: How many members the means are of.
    """

    medoid: str
    mean: str
    heat: str | None
    averaged: int


def portrait(members: Sequence[int], pictures: Pictures) -> Portrait:
    """Draw a cluster; one image at a time is held in memory.

    Args:
        members: Positions of its images, the medoid first.
        pictures: All images and heatmaps.
    """
    medoid = pictures.image(members[0])
    chosen = spread(members, MOST)
    mean, heat = _means(chosen, pictures, as_shown(medoid).shape)
    return Portrait(
        medoid=data_uri(as_shown(medoid), SIDE),
        mean=data_uri(np.rint(mean).astype("uint8"), SIDE),
        heat=None if heat is None else data_uri(_overlaid(medoid, heat), SIDE),
        averaged=len(chosen),
    )


def _means(chosen: Sequence[int], pictures: Pictures, shape: tuple[int, ...]) -> tuple[Numbers, Numbers | None]:
    """Return the mean image and the sum of the heatmaps, each brought to its own strength; `overlay` scales the sum."""
    total = np.zeros(shape)
    heat: Numbers | None = None
    for position in chosen:
        total += _resized(as_shown(pictures.image(position)), shape)
        relevance = pictures.relevance(position)
        if relevance is not None:
            strengths = strength(relevance)
            heat = strengths if heat is None else heat + _resized(strengths, heat.shape)
    return total / len(chosen), heat


def _overlaid(pixels: Numbers, heat: Numbers) -> Picture:
    """Return heat over an image, in the size of the image."""
    picture = overlay(pixels, heat)
    factor = picture.shape[0] // pixels.shape[0]
    return picture[::factor, ::factor]


def _resized(values: npt.NDArray[Any], shape: tuple[int, ...]) -> npt.NDArray[Any]:
    """Return an image or a map in another size, pixel by pixel."""
    if values.shape == shape:
        return values
    rows = np.arange(shape[0]) * values.shape[0] // shape[0]
    columns = np.arange(shape[1]) * values.shape[1] // shape[1]
    cells: npt.NDArray[Any] = values[rows][:, columns]
    return cells
