"""Writes a set of pictures with its tables, and the model, such that equal orders give equal bytes."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepdebug.files import unwritable, write_file, write_text
from deepdebug.simulate.anatomy import NAMES
from deepdebug.simulate.order import Order
from deepdebug.simulate.parameters import RANGES
from deepdebug.simulate.pictures import Block, Tell, draw_set, picture_names

if TYPE_CHECKING:
    import keras

LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the earliest date of a zip file, in place of now
SHARED = re.compile(rb'("shared_object_id": )(\d+)')


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


def write_model(target: Path, model: keras.Model) -> Path:
    """Write a model in Keras's format, the same bytes for the same model."""
    return write_file(target, lambda path: _save(model, path), "model")


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
