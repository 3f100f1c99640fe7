"""Runs the model: over a set to see where it fails, and over the failures to see why."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from deepdebug.case.dataset import DataSet
from deepdebug.case.preprocessing import Preprocessing, model_input
from deepdebug.case.sources import Batch, Source, read_batches
from deepdebug.errors import ImageError, UsageError
from deepdebug.hudd.heatmap_layers import convolutions
from deepdebug.hudd.heatmaps import ACTIVATIONS, Heatmaps, Origin, make_heatmaps
from deepdebug.hudd.tested import FailureRule, Tested, judged_classes, judged_values
from deepdebug.lrp import Explainer
from deepdebug.lrp.forward import Forward

Array = npt.NDArray[np.floating[Any]]
Advance = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Reader:
    """How images become the input of the model.

    Args:
        preprocessing: A fitted one.
        channels: Channels of the model's input, or `None` for an input without a channel axis.
        batch_size: Images that go through the model together.
    """

    preprocessing: Preprocessing
    channels: int | None
    batch_size: int

    def inputs(self, batch: Batch) -> Array:
        """Return a batch as the model gets it."""
        x = model_input(batch.pixels, self.preprocessing)
        return x[..., 0] if self.channels is None else x

    def batches(self, sources: Sequence[Source], unreadable: Callable[[int, ImageError], None]) -> Iterator[Batch]:
        """Read images in batches."""
        return read_batches(sources, self.preprocessing, self.channels or 1, self.batch_size, unreadable)


@dataclass(frozen=True, slots=True)
class Subject:
    """The model that is looked into.

    Args:
        model: A built model with one output.
        hash: A hash of its file.
        reader: How images become its input.
    """

    model: keras.Model
    hash: str
    reader: Reader


@dataclass(frozen=True, slots=True)
class Answered:
    """What could be read of a set.

    Args:
        tested: The model's answers.
        sources: The images that they belong to.
        left_out: Name and reason of every image that could not be read.
    """

    tested: Tested
    sources: tuple[Source, ...]
    left_out: tuple[tuple[str, str], ...]


def ask(
    subject: Subject,
    dataset: DataSet,
    rule: FailureRule,
    *,
    names: Sequence[str] = (),
    advance: Advance = lambda _: None,
) -> Answered:
    """Ask the model about every image of a set.

    Args:
        subject: The model.
        dataset: The set.
        rule: When an answer is a failure.
        names: Names of a regression's values. Defaults to none.
        advance: Is told how many more images are done. Defaults to nothing.

    Raises:
        UsageError: When no image can be read, or model and set do not fit together.
    """
    left_out: list[tuple[str, str]] = []

    def unreadable(number: int, error: ImageError) -> None:
        left_out.append((dataset.names[number], str(error)))
        advance(1)

    forward, reader = Forward(subject.model), subject.reader
    numbers: list[int] = []
    scores, outputs = [], []
    for batch in reader.batches(dataset.sources, unreadable):
        passed = forward(reader.inputs(batch))
        scores.append(np.array(passed.scores))
        outputs.append(np.array(passed.outputs))
        numbers += batch.numbers
        advance(len(batch.numbers))
    if not numbers:
        raise UsageError(
            f"None of the {len(dataset)} images in {str(dataset.folder)!r} can be read; the first one: {left_out[0][1]}"
        )
    images = [dataset.names[number] for number in numbers]
    expected = dataset.expected[numbers]
    if dataset.classes:
        tested = judged_classes(images, dataset.classes, np.concatenate(scores), expected, rule)
    else:
        tested = judged_values(images, names, np.concatenate(outputs), expected, rule)
    return Answered(tested, tuple(dataset.sources[number] for number in numbers), tuple(left_out))


@dataclass(frozen=True, slots=True)
class HeatmapSettings:
    """Which heatmaps are wanted.

    Args:
        layers: Names of the layers at whose input relevance is kept.
        composite: The rules. Defaults to `"z-plus"`.
        target: The explained output: "predicted" or "largest". Defaults to `"predicted"`.
        dtype: "float32" or "float16". Defaults to `"float32"`.
    """

    layers: tuple[str, ...]
    composite: str = "z-plus"
    target: Any = "predicted"
    dtype: str = "float32"


def explain_failures(
    subject: Subject,
    answered: Answered,
    settings: HeatmapSettings,
    folder: Path,
    *,
    advance: Advance = lambda _: None,
) -> Heatmaps:
    """Make the heatmaps of all failures, or go on where an earlier run stopped.

    Args:
        subject: The model.
        answered: Its answers.
        settings: Which heatmaps are wanted.
        folder: Where they are to lie.
        advance: Is told how many more images are done. Defaults to nothing.

    Raises:
        UsageError: When nothing failed, or something cannot be written.
    """
    rows = np.flatnonzero(answered.tested.failed)
    if not len(rows):
        raise UsageError("The model fails on none of the images, so there is nothing to explain.")
    sources = [answered.sources[row] for row in rows]
    reader, last = subject.reader, convolutions(subject.model)[-1:]
    origin = Origin(
        tuple(answered.tested.images[row] for row in rows),
        tuple(hashes_of(sources)),
        subject.hash,
        settings.composite,
        str(settings.target),
        settings.layers,
        last[0] if last else None,
        settings.dtype,
        reader.batch_size,
        asdict(reader.preprocessing),
    )
    explain = Explainer(subject.model, composite=settings.composite, layers=settings.layers)
    forward = Forward(subject.model, last)

    def arrays(batch: Batch) -> dict[str, Array]:
        x = reader.inputs(batch)
        found: Mapping[str, Array] = explain(x, settings.target)
        kept = {layer: found[layer] for layer in settings.layers}
        if last:
            kept[ACTIVATIONS] = forward(x).activations[last[0]]
        return kept

    def batches(done: int) -> Iterable[Mapping[str, Array]]:
        advance(done)
        for batch in reader.batches(sources[done:], _must_be_readable):
            yield arrays(batch)
            advance(len(batch.numbers))

    def shapes() -> dict[str, tuple[int, ...]]:
        first = next(reader.batches(sources[: reader.batch_size], _must_be_readable))
        return {name: array.shape[1:] for name, array in arrays(first).items()}

    return make_heatmaps(folder, origin, shapes, batches)


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file.

    Args:
        path: The file.

    Raises:
        UsageError: When it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UsageError(f"The file {str(path)!r} cannot be read: {error.strerror or error}.") from error


def hashes_of(sources: Sequence[Source]) -> Iterator[str]:
    """Yield a hash of every image's content; that of a row is the hash of its file and its number.

    Args:
        sources: The images.

    Raises:
        UsageError: When a file cannot be read.
    """
    known: dict[Path, str] = {}
    for source in sources:
        if source.path not in known:
            known[source.path] = file_hash(source.path)
        yield known[source.path] if source.row is None else f"{known[source.path]}:{source.row}"


def _must_be_readable(_number: int, error: ImageError) -> None:
    raise error
