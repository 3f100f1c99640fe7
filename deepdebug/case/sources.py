"""Where images come from: files, folders of files, and arrays; and how they are read in batches."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from deepdebug.case import arrays, images
from deepdebug.case.arrays import Stored
from deepdebug.case.images import Pixels
from deepdebug.case.preprocessing import FULL_RANGE, Preprocessing, fitted
from deepdebug.errors import ImageError, UsageError


@dataclass(frozen=True, slots=True)
class Source:
    """One image: a file, or one row of an array in a file.

    Args:
        path: The file.
        row: Row of the array. Defaults to `None`: the file is an image.
        array: The array, of shape (rows, height, width[, channels]). Defaults to `None`: the file is an image.
    """

    path: Path
    row: int | None = None
    array: Stored | None = field(default=None, repr=False, compare=False)

    @property
    def name(self) -> str:
        """What its results are best called: the file's name without ending, and the row."""
        return self.path.stem if self.row is None else f"{self.path.stem}-{self.row:05d}"

    @property
    def label(self) -> str:
        """How people are told of it."""
        return self.path.name if self.row is None else f"{self.path.name}, row {self.row}"

    @property
    def has_full_range(self) -> bool:
        """Whether its values count from 0 to 255, as those of image files and of arrays of whole numbers."""
        return self.array is None or self.array.dtype.kind in "iu"


@dataclass(frozen=True, slots=True)
class Batch:
    """Images that were read together.

    Args:
        numbers: Position of each image among all sources.
        pixels: Array of shape (rows, height, width, channels), not scaled yet.
    """

    numbers: tuple[int, ...]
    pixels: Pixels


def find_sources(paths: Sequence[Path], leave_out: Path | None = None) -> tuple[Source, ...]:
    """List the images that are meant by files and folders.

    Args:
        paths: Image files, `.npy` and `.npz` files, and folders, whose image files are taken in the order of their
            names, those of the folders inside too; hidden ones are not.
        leave_out: A folder in which none is looked for, such as that of the results. Defaults to `None`.

    Raises:
        ImageError: When an array file cannot be used.
        UsageError: When a path does not exist, or a folder holds no image.
    """
    return tuple(source for path in paths for source in _sources(path, leave_out))


def _sources(path: Path, leave_out: Path | None) -> list[Source]:
    if path.is_dir():
        found = _in_folder(path, leave_out)
        if not found:
            raise UsageError(
                f"The folder {str(path)!r} holds no image; expected files that end in {', '.join(images.SUFFIXES)}. "
                "Name another folder, or the files."
            )
        return found
    if not path.exists():
        raise UsageError(f"There is no file or folder {str(path)!r}. Expected images; check the name.")
    if path.suffix.lower() in arrays.SUFFIXES:
        array = arrays.open_images(path)
        return [Source(path, row, array) for row in range(len(array))]
    return [Source(path)]


def _in_folder(folder: Path, leave_out: Path | None) -> list[Source]:
    found = []
    shut = None if leave_out is None else leave_out.resolve()
    for parent, inner, names in os.walk(folder):
        inner[:] = sorted(one for one in inner if not one.startswith(".") and Path(parent, one).resolve() != shut)
        paths = (Path(parent, name) for name in sorted(names) if not name.startswith("."))
        found += [Source(path) for path in paths if path.suffix.lower() in images.SUFFIXES]
    return found


def natural_scale(sources: Sequence[Source]) -> float:
    """Return the scale that brings the images to 0 to 1.

    Args:
        sources: The images.

    Returns:
        1/255 for image files and arrays of whole numbers, 1 for arrays of floating-point numbers.

    Raises:
        UsageError: When there are both.
    """
    kinds = {source.has_full_range for source in sources}
    if len(kinds) > 1:
        raise UsageError(
            "The images come partly with values from 0 to 255 and partly as floating-point arrays, so no scale fits "
            "all of them. Pass --scale, or explain them one after the other."
        )
    return FULL_RANGE if True in kinds else 1.0


def completed(
    said: Preprocessing, sources: Sequence[Source], shape: Sequence[int | None], rescales: bool
) -> Preprocessing:
    """Complete what was said about preprocessing by what the model and the images say.

    Args:
        said: What was said.
        sources: The images.
        shape: Shape of the model's input without the rows.
        rescales: Whether the model scales its input by itself.

    Raises:
        UsageError: When the input is no image, or cannot have the given size or colour, or no scale fits all images.
    """
    if said.scale is not None:
        return fitted(said, shape, said.scale)
    return fitted(said, shape, 1.0 if rescales else natural_scale(sources))


def read_batches(
    sources: Sequence[Source],
    preprocessing: Preprocessing,
    channels: int | None,
    batch_size: int,
    unreadable: Callable[[int, ImageError], None],
) -> Iterator[Batch]:
    """Read the images in order.

    Args:
        sources: The images.
        preprocessing: A fitted one.
        channels: How many channels the model takes, or `None` for any number.
        batch_size: Images in a batch; the last one may have fewer.
        unreadable: Is told the number and the error of an image that cannot be read; the image is left out where this
            does not raise.
    """
    numbers: list[int] = []
    pixels: list[Pixels] = []
    for number, source in enumerate(sources):
        try:
            pixels.append(read_pixels(source, preprocessing, channels))
        except ImageError as error:
            unreadable(number, error)
            continue
        numbers.append(number)
        if len(numbers) == batch_size:
            yield Batch(tuple(numbers), np.stack(pixels))
            numbers, pixels = [], []
    if numbers:
        yield Batch(tuple(numbers), np.stack(pixels))


def read_pixels(source: Source, preprocessing: Preprocessing, channels: int | None) -> Pixels:
    """Read one image.

    Args:
        source: The image.
        preprocessing: A fitted one.
        channels: How many channels the model takes, or `None` for any number.

    Returns:
        Array of shape (height, width, channels), not scaled yet.

    Raises:
        ImageError: When it cannot be read or does not fit.
    """
    size, colour = preprocessing.size, preprocessing.colour
    if size is None:
        raise ValueError("the preprocessing has no size; call `fitted` first")
    if source.array is not None and source.row is not None:
        found = arrays.read_row(source.array, source.row, size, colour, source.path)
    elif colour is None:
        raise ImageError(
            f"The image {str(source.path)!r} has 1 or 3 channels, but the model takes {channels}. Pass the images as "
            "an .npy file of the shape (rows, height, width, channels)."
        )
    else:
        found = images.read_image(source.path, size, colour)
    if channels is not None and found.shape[2] != channels:
        raise ImageError(
            f"The images in {str(source.path)!r} have {found.shape[2]} channels, but the model takes {channels}. Pass "
            "images that fit."
        )
    return found
