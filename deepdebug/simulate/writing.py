"""Writes a set of pictures with its tables, such that equal orders give equal bytes."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deepdebug.files import unwritable, write_text
from deepdebug.simulate.anatomy import NAMES
from deepdebug.simulate.order import Order
from deepdebug.simulate.parameters import RANGES
from deepdebug.simulate.pictures import Block, Tell, draw_set, picture_names


def write_set(order: Order, part: str, folder: Path, tell: Tell = lambda _: None) -> Path:
    """Write pictures and tables of a set; the folder gets its name when all of it is there.

    Args:
        order: What is simulated.
        part: "TrainingSet", "TestSet" or "ImprovementSet".
        folder: The folder of the set; must not exist.
        tell: Is told of progress. Defaults to nothing.

    Raises:
        UsageError: When it cannot be written.
    """
    unfinished = folder.with_name(f".{folder.name}.part")
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        write = _write_files if order.size.as_files else _write_array
        write(order, draw_set(order, part, tell), unfinished)
        unfinished.replace(folder)
    except OSError as error:
        raise unwritable(folder, "set of pictures", error) from error
    return folder


def write_table(target: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    """Write a CSV file whole or not at all."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(header)
    table.writerows(rows)
    return write_text(target, text.getvalue(), "table")


def _write_files(order: Order, blocks: Iterable[Block], folder: Path) -> None:
    from PIL import Image

    for name in order.case.classes:
        (folder / name).mkdir()
    parameters, targets = [], []
    for block in blocks:
        names = picture_names(order, block)
        for name, picture in zip(names, block.pictures, strict=True):
            Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture).save(folder / name)
        parameters += _rows(names, _columns(block))
        targets += [] if order.case.classes else _rows(names, block.sample.targets)
    write_table(folder / "parameters.csv", ("image", *RANGES), parameters)
    if targets:
        header = [f"{name}_{axis}" for name in NAMES for axis in "xy"]
        write_table(folder / "targets.csv", ("image", *header), targets)


def _write_array(order: Order, blocks: Iterable[Block], folder: Path) -> None:
    pictures, parameters, targets = [], [], []
    for block in blocks:
        pictures.append(block.pictures)
        targets.append(block.sample.targets)
        parameters += _rows(picture_names(order, block), _columns(block))
    write_table(folder / "parameters.csv", ("image", *RANGES), parameters)
    arrays = {"labels" if order.case.classes else "targets": np.concatenate(targets)}
    np.savez(folder / "images.npz", images=np.concatenate(pictures), **arrays)  # type: ignore[arg-type]


def _columns(block: Block) -> Any:
    return np.stack([getattr(block.sample.parameters, name) for name in RANGES], axis=1)


def _rows(names: Sequence[str], values: Any) -> list[Sequence[object]]:
    """Return the rows of a table, each number with as many digits as it takes to read back the same."""
    return [(name, *(str(value) for value in row)) for name, row in zip(names, values, strict=True)]
