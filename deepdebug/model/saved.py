"""Models from `.keras` files, without running code that a file might hold."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from deepdebug.errors import UsageError
from deepdebug.model import private
from deepdebug.model.families import family_of
from deepdebug.model.record import leaves

SUFFIX = ".keras"


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


def load_model(path: Path) -> keras.Model:
    """Load a model for inference.

    Args:
        path: A `.keras` file.

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
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises whatever the content leads it to
        reason = " ".join(str(error).split()).rpartition("Exception encountered: ")[2]  # what led to it stands last
        raise UsageError(
            f"The model {str(path)!r} cannot be loaded: {reason[:400]}{'...' if len(reason) > 400 else ''} Expected a "
            "whole file without Lambda layers and classes of one's own. Load others in Python and use "
            "`deepdebug.lrp.relevance`."
        ) from error


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
