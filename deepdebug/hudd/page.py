"""The page about an analysis, with the pictures that the heatmaps hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from deepdebug.files import write_text
from deepdebug.hudd.analysis import Analysis
from deepdebug.hudd.cluster_folders import display_range, shown
from deepdebug.hudd.heatmaps import Heatmaps
from deepdebug.report.hudd.page import render_hudd
from deepdebug.report.overlay import Picture, heat, is_map


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


def write_page(path: Path, analysis: Analysis, heatmaps: Heatmaps) -> Path:
    """Write the page.

    Args:
        path: The `.html` file.
        analysis: What it tells.
        heatmaps: Those of the same failures.

    Raises:
        UsageError: When it cannot be written.
    """
    return write_text(path, render_hudd(analysis, StoredPictures(heatmaps)), "report")
