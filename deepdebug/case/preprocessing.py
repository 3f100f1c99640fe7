"""How images become the input of a model: size, colour, scale and offset, from `case.toml`, flags and the model.

A flag wins over the file, which wins over what the model's input says:

    [preprocessing]
    size = [64, 64]                # height, width
    colour = "gray"                # or "rgb"
    scale = 0.00392156862745098    # 1/255
    offset = 0.0                   # the model gets value * scale + offset
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from deepdebug.errors import UsageError, wrong_value

TABLE = "preprocessing"
CHANNELS: Mapping[str, int] = {"gray": 1, "rgb": 3}
FULL_RANGE = 1 / 255
MAX_SIDE = 16384


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How an image becomes the input of a model; `None` leaves a value to the model or the kind of data.

    Args:
        size: Height and width in pixels, to which images are resized. Defaults to `None`: those of the model's input.
        colour: "gray" for one channel or "rgb" for three. Defaults to `None`: by the model's input.
        scale: Factor on the values, which are 0 to 255 in images. Defaults to `None`: 1/255, which gives the model 0
            to 1; or 1 where the model rescales by itself, or the values come from an array of floating-point numbers.
        offset: What is added after scaling. Defaults to `None`: 0.

    >>> Preprocessing(size=(28, 28), colour="gray").scale is None
    True
    """

    size: tuple[int, int] | None = None
    colour: str | None = None
    scale: float | None = None
    offset: float | None = None


KEYS = tuple(field.name for field in fields(Preprocessing))


def read_preprocessing(path: Path) -> Preprocessing:
    """Read the table `[preprocessing]` of a case file; without that table nothing is said.

    Args:
        path: A TOML file. Its other tables are not looked at.

    Raises:
        UsageError: When the file cannot be read, a key is unknown or a value cannot be used.
    """
    try:
        with path.open("rb") as file:
            table = tomllib.load(file).get(TABLE, {})
    except OSError as error:
        raise UsageError(
            f"The case file {str(path)!r} cannot be read: {error.strerror or error}. Pass an existing TOML file."
        ) from error
    except ValueError as error:
        raise UsageError(f"The case file {str(path)!r} is no TOML: {error}. Mend that line.") from error
    if not isinstance(table, dict):
        raise wrong_value(f"`{TABLE}` in {path}", table, f"a table, [{TABLE}]")
    unknown = sorted(set(table) - set(KEYS))
    if unknown:
        raise UsageError(
            f"Unknown key in [{TABLE}] of {path}: {', '.join(unknown)}. Expected some of: {', '.join(KEYS)}."
        )
    return Preprocessing(
        **{key: PARSERS[key](value, f"`{key}` in [{TABLE}] of {path}") for key, value in table.items()}
    )


def from_flags(
    size: str | None = None, colour: str | None = None, scale: str | None = None, offset: float | None = None
) -> Preprocessing:
    """Read what was said on the command line.

    Args:
        size: Height and width, such as "64x48". Defaults to `None`: not said.
        colour: "gray" or "rgb". Defaults to `None`: not said.
        scale: A number or a quotient, such as "1/255". Defaults to `None`: not said.
        offset: Defaults to `None`: not said.

    Raises:
        UsageError: When one of them cannot be used.

    >>> from_flags(size="64x48", scale="1/4")
    Preprocessing(size=(64, 48), colour=None, scale=0.25, offset=None)
    """
    given = {
        "size": size and _pair(size),
        "colour": colour,
        "scale": scale and _quotient(scale),
        "offset": offset,
    }
    return Preprocessing(
        **{key: PARSERS[key](value, f"`--{key}`") for key, value in given.items() if value is not None}
    )


def merged(*parts: Preprocessing) -> Preprocessing:
    """Return what the parts say together; the later ones win.

    >>> merged(Preprocessing(scale=1.0, offset=0.5), Preprocessing(scale=2.0))
    Preprocessing(size=None, colour=None, scale=2.0, offset=0.5)
    """
    result = Preprocessing()
    for part in parts:
        said = {key: getattr(part, key) for key in KEYS if getattr(part, key) is not None}
        result = replace(result, **said)
    return result


def fitted(given: Preprocessing, shape: Sequence[int | None], scale: float = FULL_RANGE) -> Preprocessing:
    """Complete what was said by what the model's input says, and check that the two agree.

    Args:
        given: What was said.
        shape: Shape of the model's input without the rows: (height, width) or (height, width, channels), `None` where
            any number will do.
        scale: The scale where none was said. Defaults to 1/255.

    Returns:
        The preprocessing with size, scale and offset; colour stays `None` for a model that takes neither 1 nor 3
        channels.

    Raises:
        UsageError: When the input is no image, or cannot have the given size or colour.
    """
    if len(shape) not in (2, 3) or (shape[0] in CHANNELS.values() and shape[-1] not in CHANNELS.values()):
        raise UsageError(
            f"The model's input has the shape {_described(shape)}, which is no image with its channels last. Expected "
            "(rows, height, width) or (rows, height, width, channels). For other inputs use `deepdebug.lrp.relevance` "
            "in Python."
        )
    return Preprocessing(_size(given, shape), _colour(given, shape), given.scale or scale, given.offset or 0.0)


def model_input(pixels: npt.NDArray[np.float32], preprocessing: Preprocessing) -> npt.NDArray[np.float32]:
    """Scale the pixels.

    Args:
        pixels: Array of any shape, as the images have it.
        preprocessing: A fitted one.

    Returns:
        Array of the same shape, as the model gets it.
    """
    scale, offset = preprocessing.scale or 1.0, preprocessing.offset or 0.0
    return (pixels * np.float32(scale) + np.float32(offset)).astype("float32", copy=False)


def _size(given: Preprocessing, shape: Sequence[int | None]) -> tuple[int, int]:
    height, width = shape[:2]
    size = given.size or (None if height is None or width is None else (height, width))
    if size is None:
        raise UsageError(
            f"The model takes images of any size, its input being {_described(shape)}. Say to which size they are "
            "to be brought, as in `--size 64x64`."
        )
    if any(wanted is not None and wanted != one for wanted, one in zip((height, width), size, strict=True)):
        raise UsageError(
            f"The images would have the size {size[0]}x{size[1]}, but the model takes {height or 'any'}x"
            f"{width or 'any'} (height x width), its input being {_described(shape)}. Leave `size` out, or use the "
            "model's."
        )
    return size


def _colour(given: Preprocessing, shape: Sequence[int | None]) -> str | None:
    channels = 1 if len(shape) == 2 else shape[2]
    if channels is None:
        return given.colour or "rgb"
    if given.colour is not None and CHANNELS[given.colour] != channels:
        raise UsageError(
            f"The colour '{given.colour}' gives {CHANNELS[given.colour]} channels, but the model takes {channels}, its "
            f"input being {_described(shape)}. Leave `colour` out, or use the one that fits."
        )
    return next((colour for colour, number in CHANNELS.items() if number == channels), None)


def _described(shape: Sequence[int | None]) -> str:
    return f"({', '.join('any' if one is None else str(one) for one in (None, *shape))})"


def _pair(text: str) -> object:
    parts = text.lower().split("x")
    return [int(part) if part.isdecimal() else part for part in parts]


def _quotient(text: str) -> object:
    numerator, _, denominator = text.partition("/")
    try:
        return float(numerator) / float(denominator or 1)
    except (ValueError, ZeroDivisionError):
        return text


def _as_size(value: Any, source: str) -> tuple[int, int]:
    is_list = isinstance(value, list | tuple) and len(value) == 2
    if is_list and all(type(one) is int and 0 < one <= MAX_SIDE for one in value):
        return value[0], value[1]
    shown = "x".join(map(str, value)) if source.startswith("`--") else value
    expected = "HEIGHTxWIDTH, such as 64x64" if source.startswith("`--") else "[height, width], such as [64, 64]"
    raise wrong_value(source, shown, f"{expected}, with numbers from 1 to {MAX_SIDE}")


def _as_colour(value: Any, source: str) -> str:
    if isinstance(value, str) and value in CHANNELS:
        return value
    raise wrong_value(source, value, " or ".join(CHANNELS))


def _as_number(value: Any, source: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    raise wrong_value(source, value, "a finite number")


def _as_scale(value: Any, source: str) -> float:
    if isinstance(value, str) or value == 0:
        raise wrong_value(source, value, "a number other than 0, such as 0.0039 or, on the command line, 1/255")
    return _as_number(value, source)


PARSERS: Mapping[str, Callable[[Any, str], Any]] = {
    "size": _as_size,
    "colour": _as_colour,
    "scale": _as_scale,
    "offset": _as_number,
}
