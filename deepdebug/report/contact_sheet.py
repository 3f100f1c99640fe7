"""Many images and their relevance on one picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from deepdebug.report.overlay import Picture, blended, to_image

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

MAX_ENTRIES = 200
GAP = 12
FONT_SIZE = 13
LINE = 17
MARGIN = 16
MIN_WIDTH = 640
MAX_WIDTH = 3200
BAR = (160, 12)  # width and height of the colour bar
INK, FAINT, PAPER = (24, 28, 33), (96, 104, 112), (255, 255, 255)
ASPECT = 1.5


@dataclass(frozen=True, slots=True)
class Entry:
    """One image on the sheet.

    Args:
        pictures: The image and its overlays, all of one shape (height, width, 3), as from `tile`.
        name: First line below.
        result: Second line below.
    """

    pictures: tuple[Picture, ...]
    name: str
    result: str


def tile_side(images: int) -> int:
    """Return the longer side of a tile in pixels, less where there are many images.

    Args:
        images: Number of images.
    """
    return 224 if images <= 12 else 160 if images <= 60 else 112


def tile(picture: Picture, side: int) -> Picture:
    """Return a picture whose longer side is `side`: shrunk smoothly, or enlarged pixel by pixel.

    Args:
        picture: Of shape (height, width, 3).
        side: In pixels.
    """
    from PIL import Image

    height, width = picture.shape[:2]
    factor = side / max(height, width)
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    how = Image.Resampling.BOX if factor < 1 else Image.Resampling.NEAREST
    return np.asarray(to_image(picture).resize(size, how))


def contact_sheet(entries: Sequence[Entry], title: str, parts: str, images: int) -> Image.Image:
    """Draw the entries in a grid below a title, a colour bar and what the parts of an entry are.

    Args:
        entries: One or more, all with as many pictures of one shape; those after the 200th are left out.
        title: First line.
        parts: What the pictures of an entry show, from left to right.
        images: How many images there are in all; where it is more than are drawn, the sheet says so.
    """
    from PIL import Image, ImageDraw

    drawn = entries[:MAX_ENTRIES]
    parts_of_one = len(drawn[0].pictures)
    width = drawn[0].pictures[0].shape[1] * parts_of_one + 2 * (parts_of_one - 1)
    height = drawn[0].pictures[0].shape[0] + 2 * LINE + 4
    columns = _columns(len(drawn), width + GAP, height + GAP)
    rows = math.ceil(len(drawn) / columns)
    note = f"The first {len(drawn):,} of {images:,} images." if images > len(drawn) else ""
    top = MARGIN + (4 if note else 3) * LINE + GAP
    full = max(MIN_WIDTH, 2 * MARGIN + columns * (width + GAP) - GAP)
    sheet = Image.new("RGB", (full, top + rows * (height + GAP) - GAP + MARGIN), PAPER)
    draw = ImageDraw.Draw(sheet)
    _draw_header(sheet, draw, (title, parts, note), full - 2 * MARGIN)
    for number, entry in enumerate(drawn):
        corner = (MARGIN + number % columns * (width + GAP), top + number // columns * (height + GAP))
        _draw_entry(sheet, draw, entry, corner, width)
    return sheet


def _columns(entries: int, width: int, height: int) -> int:
    wished = math.ceil(math.sqrt(entries * height / width * ASPECT))
    return max(1, min(entries, wished, MAX_WIDTH // width))


def _draw_header(sheet: Image.Image, draw: ImageDraw.ImageDraw, texts: tuple[str, str, str], width: int) -> None:
    title, parts, note = texts
    font = _font()
    draw.text((MARGIN, MARGIN), _shortened(title, width, font), INK, _font(bold=True))
    draw.text((MARGIN, MARGIN + LINE), _shortened(parts, width, font), FAINT, font)
    y = MARGIN + 2 * LINE
    left = MARGIN + int(font.getlength("against ")) + 4
    draw.text((MARGIN, y), "against", FAINT, font)
    draw.text((left + BAR[0] + 8, y), "for the explained output; colours scaled per image", FAINT, font)
    scale = np.tile(np.linspace(-1, 1, BAR[0]), (BAR[1], 1))
    sheet.paste(to_image(blended(np.full((*scale.shape, 1), 134.0), scale)), (left, y + 2))
    if note:
        draw.text((MARGIN, y + LINE), note, INK, font)


def _draw_entry(
    sheet: Image.Image, draw: ImageDraw.ImageDraw, entry: Entry, corner: tuple[int, int], width: int
) -> None:
    x, y = corner
    for position, picture in enumerate(entry.pictures):
        sheet.paste(to_image(picture), (x + position * (picture.shape[1] + 2), y))
    font = _font()
    below = y + entry.pictures[0].shape[0] + 3
    draw.text((x, below), _shortened(entry.name, width, font), INK, font)
    draw.text((x, below + LINE), _shortened(entry.result, width, font), FAINT, font)


def _shortened(text: str, width: int, font: ImageFont.FreeTypeFont) -> str:
    """Return the text, its middle left out where it would be wider than `width` pixels; control letters are shown."""
    text = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
    kept = len(text)
    short = text
    while kept > 1 and font.getlength(short) > width:
        kept -= 1
        short = f"{text[: math.ceil(kept / 2)]}\N{HORIZONTAL ELLIPSIS}{text[len(text) - kept // 2 :]}"
    return short


def _font(bold: bool = False) -> ImageFont.FreeTypeFont:
    import matplotlib
    from PIL import ImageFont

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"  # matplotlib brings them on every system
    return ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts", "ttf", name), FONT_SIZE)
