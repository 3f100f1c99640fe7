"""Heatmaps of failing images on disk: one array per layer, and an index that says what they are.

Heatmaps/LAYER.npy         relevance at the input of the layer, (images, ...)
Heatmaps/activations.npy   output of the last convolution, (images, ...)
Heatmaps/hidden.npy        what the last dense layer reads, (images, ...)
Heatmaps/pixels.npy        the images as they were read, (images, height, width, channels)
Heatmaps/map.npy           where the layers are sketched: relevance of the first one, summed over channels
Heatmaps/index.json        images, layers, shapes, and a fingerprint of everything that the numbers depend on
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from deepdebug.errors import UsageError
from deepdebug.files import file_names, write_file
from deepdebug.row_file import UNFINISHED, RowFile
from deepdebug.strict_json import strict_json

INDEX = "index.json"
# No layer can have a name with a slash.
ACTIVATIONS, HIDDEN, PIXELS, MAP = "/activations", "/hidden", "/pixels", "/map"
FORMAT = 6


@dataclass(frozen=True, slots=True)
class Origin:
    """What heatmaps depend on.

    Args:
        images: Name of every image.
        hashes: A hash of every image's content.
        model: A hash of the model file.
        composite: The rules.
        target: The explained output.
        reference: A hash of what it is chosen by, or `None`.
        layers: Names of the layers.
        activations: Name of the layer whose output is kept as well, or `None`.
        turned: Whether the relevance of negative scores is turned around.
        dtype: "float32", or "float16", in which each image's array is divided by its largest size.
        summed: Whether channels are summed up.
        sketched: How heatmaps were normalised before they were projected to short vectors; `None`: they are whole.
        batch_size: Images that were explained together.
        reading: How images became the model's input.
    """

    images: tuple[str, ...]
    hashes: tuple[str, ...]
    model: str
    composite: str
    target: str
    reference: str | None
    layers: tuple[str, ...]
    activations: str | None
    turned: bool
    dtype: str
    summed: bool
    sketched: str | None
    batch_size: int
    reading: Mapping[str, Any]

    @property
    def fingerprint(self) -> str:
        """A hash of all of it."""
        return hashlib.sha256(strict_json({"format": FORMAT, **asdict(self)})).hexdigest()


@dataclass(frozen=True, slots=True)
class Heatmaps:
    """Heatmaps on disk.

    Args:
        folder: Where they lie.
        images: Name of every image.
        layers: Arrays of shape (images, ...) by layer, in the order of the data flow; they stay on disk.
        activations: Array of shape (images, ...), or `None`.
        hidden: Array of shape (images, ...): what the last dense layer reads; `None` for a model without one.
        pixels: Array of shape (images, height, width, channels): the images as they were read.
        map: Array of shape (images, height, width): relevance of the first layer, summed over channels, where the
            layers are sketched; else `None`.
        fingerprint: Of everything that they depend on.
    """

    folder: Path
    images: tuple[str, ...]
    layers: Mapping[str, npt.NDArray[Any]]
    activations: npt.NDArray[Any] | None
    hidden: npt.NDArray[Any] | None
    pixels: npt.NDArray[Any]
    map: npt.NDArray[Any] | None
    fingerprint: str


Batches = Callable[[int], Iterable[Mapping[str, npt.NDArray[Any]]]]


def make_heatmaps(
    folder: Path, origin: Origin, shapes_of: Callable[[], Mapping[str, Sequence[int]]], batches: Batches
) -> Heatmaps:
    """Fill the arrays, from where an earlier run with the same origin stopped.

    Args:
        folder: Where they are to lie.
        origin: What they depend on.
        shapes_of: Returns the shape of one image's array by layer, and for `ACTIVATIONS`, `HIDDEN`, `PIXELS` and
            `MAP`; not called where all is done.
        batches: Called with the number of images that are done; yields the arrays of the next batch, by the same names.

    Raises:
        UsageError: When something cannot be written.
    """
    index = _index(folder)
    is_same = index.get("fingerprint") == origin.fingerprint
    if is_same and index.get("complete") and _are_there(folder, index):
        return open_heatmaps(folder)
    shapes = shapes_of()
    files = _file_names(shapes)
    if not is_same:
        _refuse_strangers(folder, files.values(), index)
        earlier = dict.fromkeys([*index.get("earlier", []), *index.get("files", {}).values()])
        _write_index(folder, origin, files, complete=False, earlier=list(earlier))
        _discard(folder, earlier)
    _write_index(folder, origin, files, complete=False)
    rows = len(origin.images)
    stored = [RowFile(folder / files[name], rows, shapes[name], _dtype(name, origin)) for name in files]
    _fill(stored, tuple(files), origin, batches)
    _write_index(folder, origin, files, complete=True)
    return open_heatmaps(folder)


def open_heatmaps(folder: Path) -> Heatmaps:
    """Open finished heatmaps.

    Args:
        folder: Where they lie.

    Raises:
        UsageError: When there are none, or they are not finished.
    """
    index = _index(folder)
    if not (index.get("complete") and _are_there(folder, index)):
        raise UsageError(f"There are no finished heatmaps in {str(folder)!r}. Run `deepdebug hudd heatmaps` first.")
    arrays = {name: np.load(folder / file, mmap_mode="r", allow_pickle=False) for name, file in index["files"].items()}
    beside = {name: arrays.pop(name, None) for name in (ACTIVATIONS, HIDDEN, MAP)}
    pixels = arrays.pop(PIXELS)
    return Heatmaps(
        folder=folder,
        images=tuple(index["images"]),
        layers=arrays,
        activations=beside[ACTIVATIONS],
        hidden=beside[HIDDEN],
        pixels=pixels,
        map=beside[MAP],
        fingerprint=index["fingerprint"],
    )


def _fill(files: Sequence[RowFile], names: Sequence[str], origin: Origin, batches: Batches) -> None:
    with contextlib.ExitStack() as stack:
        for file in files:
            stack.enter_context(file)
        # Whole batches only, because numbers may depend in their last digit on what they are computed together with.
        done = min(file.done for file in files) // origin.batch_size * origin.batch_size
        for file in files:
            file.keep(done)
        for arrays in batches(done):
            for name, file in zip(names, files, strict=True):
                file.append(arrays[name] if _dtype(name, origin) == "float32" else _scaled(arrays[name]))


def _dtype(name: str, origin: Origin) -> str:
    """Return the type of an array; pixels and projections are not scaled, for their size is part of what they say."""
    return "float32" if name == PIXELS or (origin.sketched is not None and name in origin.layers) else origin.dtype


def _scaled(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return each image's array divided by its largest size, so that 16 bits hold it."""
    largest = np.abs(array).max(axis=tuple(range(1, array.ndim)), keepdims=True)
    scaled: npt.NDArray[Any] = array / np.where(largest > 0, largest, 1)
    return scaled


def _file_names(names: Iterable[str]) -> dict[str, str]:
    listed = list(names)
    return {name: f"{file}.npy" for name, file in zip(listed, file_names(listed, taken=["index"]), strict=True)}


def _index(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UsageError(
            f"The index of heatmaps {str(folder / INDEX)!r} cannot be read: {error}. Remove the folder, and it is made "
            "anew."
        ) from error
    return found if isinstance(found, dict) else {}


def _are_there(folder: Path, index: Mapping[str, Any]) -> bool:
    return all((folder / str(name)).is_file() for name in index.get("files", {}).values())


def _refuse_strangers(folder: Path, names: Iterable[str], index: Mapping[str, Any]) -> None:
    """Refuse to write over arrays that no index of ours lists."""
    ours = {*index.get("earlier", []), *index.get("files", {}).values()}
    strange = [name for name in names if name not in ours and (folder / name).exists()]
    if strange:
        raise UsageError(
            f"The folder {str(folder)!r} holds {strange[0]!r}, which is not of an earlier run. Choose another folder, "
            "or remove it."
        )


def _discard(folder: Path, names: Iterable[str]) -> None:
    """Remove arrays of an earlier run, and nothing outside the folder."""
    for name in names:
        path = folder / str(name)
        if path.resolve().parent == folder.resolve():
            for one in (path, path.with_name(f"{path.name}{UNFINISHED}")):
                one.unlink(missing_ok=True)


def _write_index(
    folder: Path, origin: Origin, files: Mapping[str, str], *, complete: bool, earlier: Sequence[str] = ()
) -> None:
    content: dict[str, Any] = {"complete": complete, "fingerprint": origin.fingerprint, "files": files}
    if earlier:
        content["earlier"] = earlier
    content |= asdict(origin)
    data = strict_json(content, indent=1) + b"\n"
    write_file(folder / INDEX, lambda path: path.write_bytes(data), "index of heatmaps")
