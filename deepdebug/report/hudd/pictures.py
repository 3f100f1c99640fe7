"""The pictures of failing images as a page of its own carries them: small, and inside the text."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from deepdebug.report.contact_sheet import tile
from deepdebug.report.overlay import Numbers, Picture, as_shown, to_image

THUMB = 128  # longer side in pixels of the picture of a member
SMALL, TINY = 64, 40  # longer sides up to which no pixel is changed, and pixels are shown as squares
QUALITY = 82
Item = TypeVar("Item")


class Pictures(Protocol):
    """What failing images look like, and what the model looked at."""

    def image(self, position: int) -> npt.NDArray[Any]:
        """Return an image of shape (height, width, channels), values 0 to 255 or 0 to 1, by its position."""

    def relevance(self, position: int) -> npt.NDArray[Any] | None:
        """Return the relevance of its input, of shape (height, width); `None` where there is none."""


def thumbnail(pixels: Numbers) -> str:
    """Return the picture of a member as a data URI.

    Args:
        pixels: Array of shape (height, width, channels), see `overlay.as_shown`.
    """
    return data_uri(as_shown(pixels), THUMB)


def data_uri(picture: Picture, side: int) -> str:
    """Return a picture as a data URI; of a small one every pixel is kept, and a tiny one is enlarged to squares.

    Args:
        picture: Of shape (height, width, 3).
        side: Its longer side will have at most as many pixels.
    """
    from PIL import features

    longest = max(picture.shape[:2])
    if longest > side:
        shown = tile(picture, side)
    else:
        shown = tile(picture, longest * (side // longest)) if longest <= TINY else picture
    kind = "webp" if features.check("webp") else "png"
    buffer = io.BytesIO()
    to_image(shown).save(buffer, kind, lossless=longest <= SMALL, quality=QUALITY)
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode('ascii')}"


def spread(items: Sequence[Item], most: int) -> list[Item]:
    """Return the first item, the last and some between at equal steps; all where they are few.

    Args:
        items: What there is.
        most: How many are wanted at most.

    >>> spread(range(101), 5)
    [0, 25, 50, 75, 100]
    """
    places = np.linspace(0, len(items) - 1, min(most, len(items))).round().astype(int)
    return [items[place] for place in places]
