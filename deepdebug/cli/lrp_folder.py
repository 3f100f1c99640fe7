"""The folder of results of `deepdebug lrp`: its files, their names, and what happens to an earlier result."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deepdebug.array_file import ArrayFile
from deepdebug.errors import UsageError
from deepdebug.files import file_names, unwritable, write_file, write_text
from deepdebug.report.overlay import Picture, to_image
from deepdebug.strict_json import strict_json

PROGRAM = "deepdebug lrp"
INDEX, SHEET, CONSERVATION = "index.json", "contact-sheet.png", "conservation.csv"
PICTURES, ARRAYS = "pictures", "relevance"
INPUT = "input"


class ResultFolder:
    """Writes the files of one run.

        index.json                       what everything is; its `complete` is true once all files are written
        contact-sheet.png
        conservation.csv
        pictures/IMAGE.png               relevance of the model's input
        pictures/LAYER/IMAGE.png         relevance at the input of a layer
        relevance/input.npy, LAYER.npy   rows in the order of `images` in index.json

    Args:
        folder: Made where it is missing, at the first file.
        images: What the images would best be called, in order.
        layers: Names of the layers of which relevance is kept beside the input's.
        overwrite: Whether an earlier result may be replaced.

    Raises:
        UsageError: When the folder is none, or holds an earlier result that may not be replaced; and, from all
            methods, when a file cannot be written.
    """

    def __init__(self, folder: Path, images: Sequence[str], layers: Sequence[str], overwrite: bool) -> None:
        self.path = folder
        self._images = file_names(images)
        names = [INPUT, *layers]
        self._layers = dict(zip(names, file_names(names), strict=True))
        self._earlier = _earlier_files(folder, overwrite)

    def begin(self) -> None:
        """Remove the earlier result and note which files are to come, so that a cut-off run can be replaced."""
        linked = [name for name in (PICTURES, ARRAYS) if (self.path / name).is_symlink()]
        if linked:
            raise UsageError(
                f"{str(self.path / linked[0])!r} is a link, behind which files of others may lie. Remove it, or choose "
                "another folder."
            )
        pictures = [self.picture(layer, number) for layer in self._layers for number in range(len(self._images))]
        arrays = [self.array(layer) for layer in self._layers]
        self.index({"complete": False, "files": [*pictures, *arrays, SHEET, CONSERVATION]})
        kept = {(self.path / name).resolve() for name in (*pictures, *arrays)}
        for one in self._earlier:
            if one.resolve() not in kept:
                with contextlib.suppress(OSError):
                    one.unlink()

    def picture(self, layer: str, number: int) -> str:
        """Return the path, inside the folder, of one picture."""
        within = "" if layer == INPUT else f"{self._layers[layer]}/"
        return f"{PICTURES}/{within}{self._images[number]}.png"

    def array(self, layer: str) -> str:
        """Return the path, inside the folder, of the array of a layer."""
        return f"{ARRAYS}/{self._layers[layer]}.npy"

    def open_array(self, layer: str) -> ArrayFile:
        """Return the file to which the relevance of a layer is appended."""
        return ArrayFile(self.path / self.array(layer))

    def draw(self, layer: str, number: int, picture: Picture) -> None:
        """Write one picture."""
        self.image(self.picture(layer, number), to_image(picture))

    def image(self, name: str, image: Any) -> None:
        """Write an image of Pillow under a name inside the folder."""
        write_file(self.path / name, lambda path: image.save(path, format="PNG"), "picture")

    def text(self, name: str, text: str) -> None:
        """Write a text under a name inside the folder."""
        write_text(self.path / name, text, "table")

    def index(self, content: Mapping[str, Any]) -> None:
        """Write the index."""
        data = strict_json({"program": PROGRAM, **content}, indent=2) + b"\n"
        write_file(self.path / INDEX, lambda path: path.write_bytes(data), "index")


def _earlier_files(folder: Path, overwrite: bool) -> list[Path]:
    """Return the files of the result that lies in the folder, none of them outside."""
    try:
        text = (folder / INDEX).read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise unwritable(folder, "result", error) from error
    except ValueError:
        text = ""
    index = _parsed(text)
    if index.get("program") != PROGRAM:
        raise UsageError(
            f"The folder {str(folder)!r} holds an {INDEX} that `{PROGRAM}` did not write. Choose another folder."
        )
    if index.get("complete") is not False and not overwrite:
        raise UsageError(
            f"The folder {str(folder)!r} holds an earlier result. Choose another folder, or pass --overwrite to "
            "replace it."
        )
    own = [folder.resolve() / name for name in (PICTURES, ARRAYS)]  # a link in their place leads elsewhere
    listed = index.get("files")
    names = [one for one in listed if isinstance(one, str) and "\0" not in one] if isinstance(listed, list) else []
    paths = [folder / name for name in names]
    return [path for path in paths if any(path.resolve().is_relative_to(one) for one in own)]


def _parsed(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
