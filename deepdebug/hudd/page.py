"""The page about an analysis, with the pictures that the heatmaps hold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from deepdebug.files import write_text
from deepdebug.hudd.analysis import Analysis
from deepdebug.hudd.cluster_folders import display_range, shown
from deepdebug.hudd.heatmaps import Heatmaps
from deepdebug.report.hudd.page import render_hudd
from deepdebug.report.overlay import Picture, heat, is_map

if TYPE_CHECKING:
    from deepdebug.retraining.summary import Retrained


class StoredPictures:
    """The failing images and their relevance, read from disk one by one.

    Args:
        heatmaps: The heatmaps of the failures.
    """

    def __init__(self, heatmaps: Heatmaps) -> None:
        self._pixels = heatmaps.pixels
        self._limits = display_range(heatmaps.pixels)
        first = next(iter(heatmaps.layers.values())) if heatmaps.map is None else heatmaps.map
        self._maps = first if is_map(first.shape[1:], self._pixels.shape[1:3]) else None

    def image(self, position: int) -> Picture:
        """Return a failing image, of shape (height, width, 3)."""
        return shown(self._pixels[position], self._limits)

    def relevance(self, position: int) -> npt.NDArray[np.floating] | None:
        """Return the relevance of its pixels, of shape (height, width); `None` where there is no map."""
        return None if self._maps is None else heat(np.asarray(self._maps[position], np.float32))


def write_page(
    path: Path,
    analysis: Analysis,
    heatmaps: Heatmaps,
    retrained: Retrained | None = None,
    changed: Mapping[str, npt.NDArray[Any]] | None = None,
) -> Path:
    """Write the page.

    Args:
        path: The `.html` file.
        analysis: What it tells.
        heatmaps: Those of the same failures.
        retrained: What retraining brought. Defaults to `None`: nothing was retrained.
        changed: Images about which the models disagree: arrays of shape (images, height, width, channels), by "fixed"
            and "broken". Defaults to `None`.

    Raises:
        UsageError: When it cannot be written.
    """
    limits = display_range(heatmaps.pixels)
    drawn = {kind: np.array([shown(one, limits) for one in pixels]) for kind, pixels in (changed or {}).items()}
    return write_text(path, render_hudd(analysis, StoredPictures(heatmaps), retrained, drawn), "report")
