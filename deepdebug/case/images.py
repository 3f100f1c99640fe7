"""Image files as arrays."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from deepdebug.errors import ImageError

if TYPE_CHECKING:
    from PIL import Image

Pixels = npt.NDArray[np.float32]
# What may be opened: no format that is drawn by another program (EPS), so that no image can run one.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
DEEP = 65535 / 255  # of 16 bits
MODES = {"gray": "L", "rgb": "RGB"}


def read_image(path: Path, size: tuple[int, int], colour: str) -> Pixels:
    """Read an image file, upright, resized and in the given colour.

    The first frame is taken, 16 bits are brought to the range of 8, transparency is laid over white, and resizing is
    bilinear, with smoothing where the image shrinks.

    Args:
        path: A file in one of `FORMATS`.
        size: Height and width in pixels.
        colour: "gray" or "rgb".

    Returns:
        Array of shape (height, width, 1 or 3), values 0 to 255.

    Raises:
        ImageError: When the file is missing, no image, damaged, or too large to be opened safely.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd metadata
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _read(path, size, colour)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(
            f"The image {str(path)!r} has more than {Image.MAX_IMAGE_PIXELS or 0:,} pixels, which may be an attempt to "
            "fill the memory. Make it smaller first."
        ) from error
    except ImageError:
        raise
    except Exception as error:  # the decoders raise whatever a damaged file leads them to
        raise ImageError(
            f"The image {str(path)!r} cannot be read: {_reason(error)}. Expected a whole file in one of the formats "
            f"{', '.join(FORMATS)}. Save it again as PNG, or leave it out."
        ) from error


def in_colour(pixels: Pixels, colour: str) -> Pixels:
    """Return pixels with as many channels as the colour has; gray is the brightness that ITU-R BT.601 defines.

    Args:
        pixels: Array of shape (height, width, 1 or 3).
        colour: "gray" or "rgb".
    """
    if colour == "rgb":
        return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels
    return pixels if pixels.shape[2] == 1 else pixels @ np.array([[0.299], [0.587], [0.114]], "float32")


def _read(path: Path, size: tuple[int, int], colour: str) -> Pixels:
    from PIL import Image, ImageOps

    Image.init()
    with Image.open(path, formats=[name for name in FORMATS if name in Image.OPEN]) as image:
        image.load()
        upright = ImageOps.exif_transpose(image)
        if upright.mode.startswith("I") or upright.mode == "F":
            return in_colour(_resized(_of_many_bits(upright, path), size), colour)
        return _resized(_opaque(upright).convert(MODES[colour]), size)


def _of_many_bits(image: Image.Image, path: Path) -> Image.Image:
    """Return a gray image with 16 bits as floating-point numbers from 0 to 255."""
    from PIL import Image

    values = np.asarray(image)
    if image.mode == "F" or values.min() < 0 or values.max() > 65535:
        raise ImageError(
            f"The image {str(path)!r} has 32 bits per pixel, whose range is not known. Expected 8 or 16 bits. Save it "
            "with 8 or 16, or as an .npy file with --scale."
        )
    return Image.fromarray((values / DEEP).astype("float32"))


def _opaque(image: Image.Image) -> Image.Image:
    from PIL import Image

    if not image.has_transparency_data:
        return image
    layer = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")


def _resized(image: Image.Image, size: tuple[int, int]) -> Pixels:
    from PIL import Image

    height, width = size
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.BILINEAR)
    pixels = np.asarray(image, "float32")
    return pixels[..., np.newaxis] if pixels.ndim == 2 else pixels


def _reason(error: Exception) -> str:
    from PIL import UnidentifiedImageError

    if isinstance(error, UnidentifiedImageError):
        return "it is in none of the known formats"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).strip().rstrip(".") or type(error).__name__
