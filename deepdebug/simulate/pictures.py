"""The pictures of a set as they are stored, drawn block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from deepdebug.simulate.camera import as_bytes
from deepdebug.simulate.cases import Array
from deepdebug.simulate.order import Order
from deepdebug.simulate.rendering import render
from deepdebug.simulate.sampling import Sample, sample

BLOCK = 500  # pictures between two reports of progress
Tell = Callable[[int], None]  # is told how many more are done


@dataclass(frozen=True, slots=True)
class Block:
    """Some pictures of a set.

    Args:
        start: Number of the first one in its set.
        sample: Their parameters.
        pictures: Shape `(N, 64, 64, 1 or 3)`, 0 to 255.
    """

    start: int
    sample: Sample
    pictures: npt.NDArray[np.uint8]


def draw_set(order: Order, part: str, tell: Tell = lambda _: None) -> Iterator[Block]:
    """Draw a set.

    Args:
        order: What is simulated.
        part: "TrainingSet", "TestSet" or "ImprovementSet".
        tell: Is told of progress. Defaults to nothing.
    """
    count = order.size.pictures[part]
    for start in range(0, count, BLOCK):
        drawn = sample(order.case, order.seed, part, np.arange(start, min(start + BLOCK, count)), order.prevalence)
        yield Block(start, drawn, as_bytes(render(order.case.scene, drawn.parameters, colour=order.colour)))
        tell(len(drawn))


def draw_whole(order: Order, part: str) -> tuple[npt.NDArray[np.uint8], Array]:
    """Return all pictures of a set, and what is right about them."""
    blocks = list(draw_set(order, part))
    pictures = np.concatenate([block.pictures for block in blocks])
    targets: Array = np.concatenate([block.sample.targets for block in blocks])
    return pictures, targets


def picture_names(order: Order, block: Block) -> list[str]:
    """Return what the pictures of a block are called in the tables: a file below the set's folder, or a row."""
    numbers = range(block.start, block.start + len(block.sample))
    if not order.size.as_files:
        return [f"images-{number:05d}" for number in numbers]
    files = [f"{number:06d}.png" for number in numbers]
    if not order.case.classes:
        return files
    return [f"{order.case.classes[label]}/{file}" for label, file in zip(block.sample.targets, files, strict=True)]
