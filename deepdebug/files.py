"""Files that appear whole or not at all, and names for them that stay in their folder."""

from __future__ import annotations

import contextlib
import os
import unicodedata
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from deepdebug.errors import UsageError

MAX_NAME_BYTES = 120  # most file systems take 255; the rest is left for numbers and endings
NO_FILE_NAMES = frozenset(
    ["con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))]
)


def write_file(target: Path, write: Callable[[Path], object], what: str) -> Path:
    """Write beside `target`, then rename, so that no reader ever sees half a file.

    Args:
        target: The file; its folder is made where it is missing.
        write: Writes the content to the path that it is given.
        what: What is written, as an error names it, such as "report".

    Returns:
        `target`.

    Raises:
        UsageError: When the file cannot be written.
    """
    temporary = temporary_path(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write(temporary)
        temporary.replace(target)
    except OSError as error:
        raise unwritable(target, what, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
    return target


def write_text(target: Path, text: str, what: str) -> Path:
    """Write a text in UTF-8 with plain line ends, whole or not at all.

    Args:
        target: The file; its folder is made where it is missing.
        text: Its content.
        what: What is written, as an error names it.

    Returns:
        `target`.

    Raises:
        UsageError: When the file cannot be written.
    """
    return write_file(target, lambda path: path.write_text(text, encoding="utf-8", newline="\n"), what)


def temporary_path(target: Path) -> Path:
    """Return the name under which `target` is written until it is complete."""
    return target.with_name(f".{target.name}.{os.getpid()}.tmp")


def unwritable(target: Path, what: str, error: OSError) -> UsageError:
    """Return the error for a file that cannot be written.

    Args:
        target: The file.
        what: What was to be written, such as "report".
        error: What the system said.
    """
    return UsageError(
        f"The {what} cannot be written to {str(target)!r}: {error.strerror or error}. Choose a folder that you may "
        "write to and that has room."
    )


def file_names(wanted: Iterable[str], taken: Collection[str] = ()) -> list[str]:
    """Return one file name, without ending, for each wanted one; all differ, also where case does not count.

    Letters and digits of every alphabet, "-" and "_" are kept; whatever else may steer a path becomes "_".

    Args:
        wanted: What the files would best be called.
        taken: Names that none of them may get, in lower case. Defaults to none.

    >>> file_names(["../7", "my digit", "my/digit", ""])
    ['7', 'my_digit', 'my_digit-2', 'unnamed']
    """
    used = set(taken)
    numbers: dict[str, int] = {}
    names = []
    for one in map(_plain, wanted):
        name, number = one, numbers.get(one, 1)
        while name.casefold() in used:
            number += 1
            name = f"{one}-{number}"
        numbers[one] = number
        used.add(name.casefold())
        names.append(name)
    return names


def readable(path: Path) -> str:
    """Return a path as text that can be written anywhere; bytes that are no UTF-8 are escaped."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def _plain(name: str) -> str:
    composed = unicodedata.normalize("NFC", name)
    kept = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in composed)
    short = kept.encode("utf-8", "ignore")[:MAX_NAME_BYTES].decode("utf-8", "ignore").strip("_-")
    return f"{short}_" if short.casefold() in NO_FILE_NAMES else short or "unnamed"
