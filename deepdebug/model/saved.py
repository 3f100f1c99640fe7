"""Models from `.keras` files, without running code that a file might hold; and into them."""

from __future__ import annotations

import json
import re
import tempfile
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from deepdebug.errors import UsageError
from deepdebug.files import write_file
from deepdebug.model import private
from deepdebug.model.families import family_of
from deepdebug.model.record import leaves

SUFFIX = ".keras"
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the earliest date of a zip file, in place of now
SHARED = re.compile(rb'("shared_object_id": )(\d+)')


@dataclass(frozen=True, slots=True)
class ImageInput:
    """What a model takes.

    Args:
        shape: Shape of its one input without the rows, `None` where any number will do.
        rows: Number of rows that every batch must have, or `None` where any number will do.
        rescaled_by: Name of the layer that scales the input by itself, or `None`.
    """

    shape: tuple[int | None, ...]
    rows: int | None
    rescaled_by: str | None


def load_model(path: Path, *, compiled: bool = False) -> keras.Model:
    """Load a model.

    Args:
        path: A `.keras` file.
        compiled: Whether it is to be trained further, with the loss and the optimizer that it was saved with. Defaults
            to `False`: for inference.

    Raises:
        UsageError: When it is none, is damaged, or holds code or classes that are not Keras's own.
    """
    if path.suffix != SUFFIX or not path.is_file():
        found = "is no file" if not path.is_file() else f"does not end in {SUFFIX}"
        raise UsageError(
            f"The model {str(path)!r} {found}; expected a model in Keras's own format. Save it with "
            f"`model.save('model{SUFFIX}')`."
        )
    if not zipfile.is_zipfile(path):
        raise UsageError(
            f"The model {str(path)!r} holds something else than a Keras model, or is cut off. Save it again with "
            f"`model.save('model{SUFFIX}')`."
        )
    try:
        with warnings.catch_warnings():
            # The optimizer's own variables are not wanted: every training begins with new ones.
            warnings.filterwarnings(
                "ignore", "Skipping variable loading for optimizer|A total of 1 objects", UserWarning
            )
            return keras.saving.load_model(path, compile=compiled, safe_mode=True)
    except Exception as error:  # Keras raises whatever the content leads it to
        reason = " ".join(str(error).split()).rpartition("Exception encountered: ")[2]  # what led to it stands last
        reason = f"{reason[:400]}{'...' if len(reason) > 400 else ''}"
        if compiled:
            load_model(path)  # tells of a model that cannot be used at all; if it can, what it was compiled with cannot
            raise UsageError(
                f"The model {str(path)!r} was compiled with something of one's own: {reason} Expected a loss, metrics "
                "and an optimizer of Keras. Compile it with these and save it again, or retrain it in Python, with "
                "`deepdebug.hudd.retrain(..., train=...)`."
            ) from error
        raise UsageError(
            f"The model {str(path)!r} cannot be loaded: {reason} Expected a whole file without Lambda layers and "
            "classes of one's own. Load others in Python and use `deepdebug.lrp.relevance`."
        ) from error


def save_model(target: Path, model: keras.Model) -> Path:
    """Write a model in Keras's format, the same bytes for the same model, whole or not at all.

    Args:
        target: The `.keras` file.
        model: The model.

    Raises:
        UsageError: When it cannot be written.
    """
    return write_file(target, lambda path: _save(model, path), "model")


def image_input(model: keras.Model) -> ImageInput:
    """Return what the model takes; a model that does not say is taken to accept images of any size.

    Args:
        model: A built model.

    Raises:
        UsageError: When it has several inputs.
    """
    inputs: list[Any] = keras.tree.flatten(model.inputs) if private.is_graph(model) else []
    if len(inputs) > 1:
        names = ", ".join(one.name for one in inputs)
        raise UsageError(
            f"The model '{model.name}' has {len(inputs)} inputs ({names}); expected one, for images. Use "
            "`deepdebug.lrp.relevance` in Python."
        )
    shape = tuple(inputs[0].shape[1:]) if inputs else (None, None, None)
    return ImageInput(shape, private.fixed_rows(model), _rescaling(model))


def _rescaling(model: keras.Model) -> str | None:
    for name, operation in leaves(model).items():
        if isinstance(operation, keras.layers.Rescaling):
            return name
        if isinstance(operation, keras.layers.Layer) and family_of(operation) != "preprocessing":
            return None
    return None


def _save(model: keras.Model, path: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        dated = Path(folder) / "model.keras"
        model.save(dated)
        with zipfile.ZipFile(dated) as source, zipfile.ZipFile(path, "w") as target:
            for name in source.namelist():
                target.writestr(zipfile.ZipInfo(name, LONG_AGO), _settled(name, source.read(name)))


def _settled(name: str, content: bytes) -> bytes:
    """Return a part of a model file without what differs from run to run: the date, and addresses in memory."""
    if name == "metadata.json":
        return json.dumps({**json.loads(content), "date_saved": "1980-01-01@00:00:00"}).encode()
    if name != "config.json":
        return content
    numbers: dict[bytes, int] = {}
    return SHARED.sub(lambda found: b"%s%d" % (found[1], numbers.setdefault(found[2], len(numbers))), content)
