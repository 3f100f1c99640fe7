"""Array files (`.npy` and `.npz`) of images."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from deepdebug.case.images import Pixels, in_colour
from deepdebug.case.preprocessing import CHANNELS
from deepdebug.errors import ImageError

SUFFIXES = (".npy", ".npz")
Stored = npt.NDArray[Any]


def open_images(path: Path) -> Stored:
    """Open an array of images; an `.npy` file stays on disk until its rows are read.

    Args:
        path: An `.npy` file, or an `.npz` file in which one array only has the shape of images.

    Returns:
        Array of shape (rows, height, width) or (rows, height, width, channels) of numbers.

    Raises:
        ImageError: When the file cannot be read without pickle, or holds no images.
    """
    try:
        images = _only_images(path) if path.suffix.lower() == ".npz" else _mapped(path)
    except (OSError, ValueError, EOFError, KeyError, MemoryError, zipfile.BadZipFile) as error:
        if isinstance(error, ImageError):
            raise
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or "it is cut off"
        raise ImageError(
            f"The array file {str(path)!r} cannot be read: {reason}. Expected numbers saved by "
            "`numpy.save(..., allow_pickle=False)`."
        ) from error
    if not _looks_like_images(images):
        raise ImageError(
            f"The array in {str(path)!r} has the shape {images.shape} and the type {images.dtype}; expected numbers of "
            "the shape (rows, height, width) or (rows, height, width, channels), with one row or more. Reshape it and "
            "save it again."
        )
    return images


def read_row(images: Stored, row: int, size: tuple[int, int], colour: str | None, path: Path) -> Pixels:
    """Return one image of an array in the given colour.

    Args:
        images: As from `open_images`.
        row: Which image.
        size: Height and width that it must have.
        colour: "gray", "rgb", or `None` for the channels as they are.
        path: The file, for errors.

    Returns:
        Array of shape (height, width, channels), values as stored.

    Raises:
        ImageError: When size or channels do not fit, or a value is not finite.
    """
    pixels: Pixels = np.asarray(images[row], "float32")
    pixels = pixels[..., np.newaxis] if pixels.ndim == 2 else pixels
    if pixels.shape[:2] != size or (colour is not None and pixels.shape[2] not in CHANNELS.values()):
        channels = "" if colour is None else " with 1 or 3 channels"
        raise ImageError(
            f"The images in {str(path)!r} have the shape {pixels.shape}; expected {size[0]}x{size[1]} (height x width)"
            f"{channels}. Arrays are not resized: resize them, or pass image files."
        )
    if not np.isfinite(pixels).all():
        raise ImageError(
            f"Row {row} in {str(path)!r} holds NaN or infinite values; expected finite ones. Mend the array."
        )
    return pixels if colour is None else in_colour(pixels, colour)


def read_npz(path: Path) -> dict[str, Stored]:
    """Return the arrays of an `.npz` file by name; whatever goes wrong, the file is closed again."""
    with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _mapped(path: Path) -> Stored:
    with path.open("rb") as file:
        if file.read(6) != np.lib.format.MAGIC_PREFIX:
            raise ValueError("it does not begin like an .npy file")
    images: Stored = np.load(path, mmap_mode="r", allow_pickle=False)
    return images


def _only_images(path: Path) -> Stored:
    arrays = read_npz(path)
    found = [name for name, array in arrays.items() if _looks_like_images(array)]
    if len(found) != 1:
        raise ImageError(
            f"The file {str(path)!r} holds {len(found)} arrays of images among {', '.join(arrays) or 'none'}; expected "
            "exactly one. Save the one that you mean as .npy."
        )
    images: Stored = arrays[found[0]]
    return images


def _looks_like_images(array: Stored) -> bool:
    return array.ndim in (3, 4) and array.size > 0 and array.dtype.kind in "biuf"
