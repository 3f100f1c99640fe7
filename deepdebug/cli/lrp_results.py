"""What `deepdebug lrp` writes while it goes through the images, and what it adds up."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from deepdebug.array_file import ArrayFile
from deepdebug.case.sources import Batch, Source
from deepdebug.cli.lrp_folder import CONSERVATION, INPUT, SHEET, ResultFolder
from deepdebug.files import readable
from deepdebug.report.conservation import LayerSums, render_csv
from deepdebug.report.contact_sheet import MAX_ENTRIES, Entry, contact_sheet, tile, tile_side
from deepdebug.report.overlay import Picture, as_shown, enlarged, heat, is_map, overlay

if TYPE_CHECKING:
    from deepdebug.lrp import Conservation, Explained

Array = npt.NDArray[np.floating[Any]]
MAX_PARTS = 4  # pictures of one image on the contact sheet


class Results:
    """Writes pictures and arrays of one batch after the other; the arrays appear when the `with` block ends well.

    Args:
        folder: Where everything goes.
        sources: All images.
        layers: Names of the layers whose relevance is kept beside that of the input.
    """

    def __init__(self, folder: ResultFolder, sources: Sequence[Source], layers: Sequence[str]) -> None:
        self.folder = folder
        self.layers = (INPUT, *layers)
        self.rows: list[dict[str, Any]] = []
        self.drawn: list[str] = []  # layers that have pictures
        self.pictures = 0
        self.scores = 0.0
        self.arrived = 0.0
        self._sources = sources
        self._sums: dict[str, list[float]] = {}
        self._entries: list[Entry] = []
        self._arrays: dict[str, ArrayFile] = {}
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self._open.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._open.__exit__(kind, error, at)

    def add(
        self,
        batch: Batch,
        explained: Explained,
        relevance: Mapping[str, Array],
        conservation: Sequence[Conservation],
    ) -> None:
        """Write one batch.

        Args:
            batch: The images.
            explained: Their explained outputs.
            relevance: Arrays of shape (rows, ...) for the input and every layer.
            conservation: As `deepdebug.lrp` gives it.
        """
        if not self._arrays:
            self._begin(batch, relevance)
        for layer, array in self._arrays.items():
            array.append(relevance[layer])
        for one in conservation:
            sums = self._sums.setdefault(one.layer, [0.0, 0.0])
            sums[0] += one.outputs
            sums[1] += one.inputs
        self.scores += float(explained.scores.sum(dtype="float64"))
        self.arrived += float(relevance[INPUT].sum(dtype="float64"))
        for position, number in enumerate(batch.numbers):
            one_image = {layer: relevance[layer][position] for layer in self.layers}
            self._add_image(number, batch.pixels[position], one_image, _result(explained, position))

    def sums(self) -> tuple[LayerSums, ...]:
        """Return the conservation over all images so far."""
        return tuple(
            LayerSums(layer, outputs, inputs, 0.0 if outputs == 0 else 1.0 - inputs / outputs)
            for layer, (outputs, inputs) in self._sums.items()
        )

    def finish(self, title: str, facts: Mapping[str, Any]) -> None:
        """Write contact sheet, conservation and, last, the index; to be called after the `with` block.

        Args:
            title: First line of the contact sheet.
            facts: What the index says about the run.
        """
        parts = " | ".join(["image", *(f"relevance at {one}" for one in self._parts())])
        self.folder.image(SHEET, contact_sheet(self._entries, title, f"From left to right: {parts}.", len(self.rows)))
        self.folder.text(CONSERVATION, render_csv(self.sums()))
        layers = {layer: self._layer(layer) for layer in self.layers}
        pictures = [path for row in self.rows for path in row["pictures"].values()]
        files = [*pictures, *(one["array"] for one in layers.values()), SHEET, CONSERVATION]
        self.folder.index({"complete": True, **facts, "layers": layers, "images": self.rows, "files": files})

    def _begin(self, batch: Batch, relevance: Mapping[str, Array]) -> None:
        size = (batch.pixels.shape[1], batch.pixels.shape[2])
        self.drawn = [layer for layer in self.layers if is_map(relevance[layer].shape[1:], size)]
        self.folder.begin()
        self._arrays = {layer: self._open.enter_context(self.folder.open_array(layer)) for layer in self.layers}

    def _add_image(self, number: int, pixels: Array, relevance: Mapping[str, Array], result: dict[str, Any]) -> None:
        source = self._sources[number]
        overlays = {layer: overlay(pixels, heat(relevance[layer])) for layer in self.drawn}
        for layer, picture in overlays.items():
            self.folder.draw(layer, number, picture)
        self.pictures += len(overlays)
        total = float(relevance[INPUT].sum(dtype="float64"))
        row: dict[str, Any] = {"row": len(self.rows), "file": readable(source.path)}
        if source.row is not None:
            row["row_in_file"] = source.row
        row |= {**result, "relevance": total, "finite": bool(np.isfinite(relevance[INPUT]).all())}
        row["pictures"] = {layer: self.folder.picture(layer, number) for layer in overlays}
        self.rows.append(row)
        if len(self._entries) < MAX_ENTRIES:
            self._entries.append(self._entry(source, pixels, overlays, result))

    def _entry(
        self, source: Source, pixels: Array, overlays: Mapping[str, Picture], result: Mapping[str, Any]
    ) -> Entry:
        side = tile_side(len(self._sources))
        shown = [enlarged(as_shown(pixels)), *(overlays[layer] for layer in self._parts())]
        text = f"output {result['explained']}: {_shown(result['output'])}"
        if result["predicted"] != result["explained"]:
            text += f" (predicted {result['predicted']})"
        return Entry(tuple(tile(one, side) for one in shown), source.label, text)

    def _parts(self) -> list[str]:
        return self.drawn[: MAX_PARTS - 1]

    def _layer(self, layer: str) -> dict[str, Any]:
        array = self._arrays[layer]
        return {"array": self.folder.array(layer), "shape": array.shape, "pictures": layer in self.drawn}


def _shown(value: float) -> str:
    return f"{value:.3f}" if 0.001 <= value <= 1 else f"{value:.3g}"


def _result(explained: Explained, position: int) -> dict[str, Any]:
    return {
        "predicted": int(explained.predicted[position]),
        "explained": int(explained.indices[position]),
        "score": float(explained.scores[position]),
        "output": float(explained.outputs[position]),
    }
