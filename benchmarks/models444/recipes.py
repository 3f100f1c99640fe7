"""The data of all models by name.

Every recipe returns rows and labels as they are before a program prepares them, see `preparing`. Where the original
data cannot be had its docstring says "like" or "instead of", and the model counts as one with stand-in data.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.models444.data import Data, Size
from benchmarks.models444.pictures import PICTURES
from benchmarks.models444.tables import TABLES

RECIPES = frozenset((*TABLES, *PICTURES))


def raw_data(name: str, size: Size, folder: Path) -> Data:
    """Return the data of a recipe, before a program prepares them.

    Args:
        name: Name of the recipe.
        size: How many pictures, where it has any.
        folder: Where `scripts/fetch_data` put the data sets.

    Raises:
        ValueError: When there is no such recipe.
    """
    if name not in RECIPES:
        raise ValueError(f"there is no recipe {name!r}; known: {', '.join(sorted(RECIPES))}")
    return TABLES[name]() if name in TABLES else PICTURES[name](size, folder)
