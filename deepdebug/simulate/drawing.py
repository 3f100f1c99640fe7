"""Shapes as signed distances in pixels, negative inside, drawn with soft edges on a batch of pictures at once.

Lengths are in 64ths of the width of the picture, whatever its number of pixels. Arrays have the shape `(N, H, W)` or
one that broadcasts to it: a per-image number is `(N, 1, 1)`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]
Tint = tuple[float, float, float]  # red, green and blue of a material, relative to its gray tone

UNITS = 64.0
EDGE = 0.7  # pixels over which an edge goes from inside to outside
GRAY: Tint = (1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Grid:
    """Where the pixels lie.

    Args:
        x: From the left, shape `(1, 1, W)`.
        y: From the top, shape `(1, H, 1)`.
    """

    x: Floats
    y: Floats


def grid(size: int) -> Grid:
    """Return the centres of the pixels of a square picture."""
    middle = (np.arange(size, dtype=np.float32) + 0.5) * (UNITS / size)
    return Grid(middle[None, None, :], middle[None, :, None])


@dataclass(frozen=True, slots=True)
class Window:
    """A square part of each picture, small ones around a feature, so that not every pixel is asked about it.

    Args:
        numbers: Where its pixels stand among all pixels of all pictures, shape `(N, side, side)`.
        grid: Where its pixels lie.
    """

    numbers: npt.NDArray[np.intp]
    grid: Grid

    def cut(self, array: Floats) -> Floats:
        """Return a copy of the part, of an array of shape `(..., N, H, W)`."""
        return np.take(array.reshape(*array.shape[:-3], -1), self.numbers, axis=-1)

    def paste(self, array: Floats, part: Floats) -> None:
        """Put the part back into an array without gaps."""
        array.reshape(*array.shape[:-3], -1)[..., self.numbers] = part


def window(whole: Grid, x: Floats, y: Floats, side: float) -> Window:
    """Return the part around a point of each picture.

    Args:
        whole: The pixels of the pictures.
        x: Of the points, shape `(N,)`.
        y: The same downwards.
        side: Width and height of the part.
    """
    size = whole.x.shape[2]
    pixels = min(size, int(np.ceil(side * size / UNITS)))
    first = [np.clip(np.rint(one * (size / UNITS) - pixels / 2).astype(np.intp), 0, size - pixels) for one in (x, y)]
    columns, rows = (start[:, None] + np.arange(pixels) for start in first)
    part = Grid(whole.x[0, 0][columns][:, None, :], whole.y[0, :, 0][rows][:, :, None])
    lines = np.arange(len(x))[:, None] * size + rows
    return Window(lines[:, :, None] * size + columns[:, None, :], part)


def waves(values: Floats, length: float) -> Floats:
    """Return a triangle wave: how far each value is from the nearest multiple of `length`; overwrites `values`."""
    values *= 1 / length
    values -= np.rint(values)
    np.abs(values, out=values)
    values *= length
    return values


def each(values: npt.ArrayLike) -> Floats:
    """Return one number per picture, ready to broadcast over its pixels."""
    return np.asarray(values, dtype=np.float32).reshape(-1, 1, 1)


def inside(distance: Floats, edge: float = EDGE) -> Floats:
    """Return how much of each pixel is inside, 0 to 1; overwrites `distance`."""
    distance *= -0.5 / edge
    np.tanh(distance, out=distance)
    distance *= 0.5
    distance += 0.5
    return distance


def ellipse(u: Floats, v: Floats, width: Floats | float, height: Floats | float) -> Floats:
    """Return the distance to an ellipse about the origin, exact across its shorter axis."""
    distance: Floats = np.sqrt(_square(u / width) + _square(v / height))
    distance -= 1.0
    distance *= np.minimum(width, height)
    return distance


def rounded_box(u: Floats, v: Floats, width: float, height: float, corner: float) -> Floats:
    """Return the distance to a rectangle about the origin with round corners, given by half its sides."""
    across = np.abs(u)
    across -= width - corner
    down = np.abs(v)
    down -= height - corner
    core = np.minimum(np.maximum(across, down), 0.0)
    np.maximum(across, 0.0, out=across)
    np.maximum(down, 0.0, out=down)
    core += np.sqrt(_square(across) + _square(down))
    core -= corner
    return core


def segment(x: Floats, y: Floats, start: tuple[Floats, Floats], end: tuple[Floats, Floats]) -> Floats:
    """Return the distance to a line between two points."""
    along_x, along_y = end[0] - start[0], end[1] - start[1]
    from_x, from_y = x - start[0], y - start[1]
    share = from_x * along_x + from_y * along_y
    share /= np.maximum(along_x * along_x + along_y * along_y, (1e-6))
    np.clip(share, 0.0, 1.0, out=share)
    return np.asarray(np.sqrt(_square(from_x - share * along_x) + _square(from_y - share * along_y)))


def paint(canvas: Floats, mask: Floats, tone: Floats | float, tint: Tint = GRAY) -> None:
    """Lay a material over the picture.

    Args:
        canvas: The picture, shape `(1, N, H, W)` in gray or `(3, N, H, W)` in colour; changed.
        mask: How much of each pixel the material covers.
        tone: Its brightness.
        tint: Its colour. Defaults to `(1, 1, 1)`.
    """
    for channel, share in zip(canvas, tint if len(canvas) == 3 else GRAY[:1], strict=True):
        difference = tone * share - channel
        difference *= mask
        np.add(channel, difference, out=channel)


def _square(values: Floats) -> Floats:
    return values * values
