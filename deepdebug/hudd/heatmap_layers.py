"""Which layers' relevance is worth clustering."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from deepdebug.errors import UsageError
from deepdebug.model.families import family_of
from deepdebug.model.record import leaves

# Our first setting: of models with more convolutions the first one at every size of their maps is taken, because each
# position costs as much time and disk as the one before, and neighbours at one size say nearly the same.
MAX_POSITIONS = 8


def heatmap_layers(model: keras.Model, wanted: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the names of the layers at whose input relevance is kept.

    These are the convolutions, the first of which reads the image; never dense layers, whose relevance groups images by
    class and not by the cause of the failure.

    Args:
        model: A built model.
        wanted: Names that the user chose. Defaults to none: the choice is made here.

    Raises:
        UsageError: When the model has no such layer, or no convolution.
    """
    operations = leaves(model)
    unknown = [name for name in wanted if name not in operations]
    if unknown:
        raise UsageError(f"`--layers` got {', '.join(unknown)}; the model '{model.name}' has {', '.join(operations)}.")
    if wanted:
        return tuple(dict.fromkeys(wanted))
    found = convolutions(model)
    if not found:
        raise UsageError(
            f"The model '{model.name}' has no convolution, so it is not clear which heatmaps to cluster. Name layers "
            f"with `--layers`: {', '.join(operations)}."
        )
    if len(found) <= MAX_POSITIONS:
        return found
    by_size: dict[tuple[int | None, ...], str] = {}
    for name in found:
        by_size.setdefault(tuple(operations[name].input.shape[1:-1]), name)
    return tuple(by_size.values())


def original_layers(model: keras.Model) -> tuple[str, ...]:
    """Return the layers at whose input HUDD as published keeps relevance: convolutions, pooling and dense layers.

    The first one, which reads the image, comes first; HUDD never chooses it.

    Args:
        model: A built model.

    Raises:
        UsageError: When the model has no such layer.
    """
    found = tuple(name for name, one in leaves(model).items() if family_of(one) in ("convolution", "pooling", "dense"))
    if not found:
        raise UsageError(f"The model '{model.name}' has neither convolutions nor pooling nor dense layers to look at.")
    return found


def input_shapes(model: keras.Model, names: Sequence[str]) -> list[tuple[int, ...]] | None:
    """Return the shapes, without rows, of what some layers get; `None` where the model does not say all of them.

    Args:
        model: A built model.
        names: Names of its layers.
    """
    operations = leaves(model)
    try:
        shapes = [tuple(operations[name].input.shape[1:]) for name in names]
    except (AttributeError, KeyError, ValueError):  # no graph, several inputs, or called more than once
        return None
    return None if any(None in shape for shape in shapes) else shapes


def convolutions(model: keras.Model) -> tuple[str, ...]:
    """Return the names of the convolutions of a model in the order of its layers.

    Args:
        model: A built model.
    """
    return tuple(name for name, one in leaves(model).items() if family_of(one) == "convolution")
