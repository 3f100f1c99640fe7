"""Runs the model: over a set to see where it fails, and over the failures to see why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
import numpy.typing as npt

from deepdebug.case.sources import Batch
from deepdebug.errors import ImageError, UsageError
from deepdebug.hudd.heatmap_layers import convolutions, input_shapes
from deepdebug.hudd.heatmaps import ACTIVATIONS, HIDDEN, MAP, PIXELS, Heatmaps, Origin, make_heatmaps
from deepdebug.hudd.images import Array, Images, array_hash
from deepdebug.hudd.projection import Projection
from deepdebug.hudd.tested import FailureRule, Tested, judged_classes, judged_values
from deepdebug.lrp import Explainer, Relevance
from deepdebug.lrp.forward import Forward

Advance = Callable[[int], object]
NOT_FINITE = "The model's answer to it is not finite, so it is neither right nor wrong."
BUDGET = 8 * 2**30  # bytes on disk from which short vectors are kept in place of whole heatmaps


@dataclass(frozen=True, slots=True)
class Subject:
    """The model that is looked into.

    Args:
        model: A built model with one output.
        name: What it is called.
        hash: A hash of its file or weights.
    """

    model: keras.Model
    name: str
    hash: str


@dataclass(frozen=True, slots=True)
class Labelled:
    """Images, and what the model should say about them.

    Args:
        images: The images.
        expected: Class numbers of shape (images,), or values of shape (images, outputs).
        classes: Names of the classes in the order of the model's outputs; empty where values are expected.
        name: What messages call the set. Defaults to "the test set".
    """

    images: Images
    expected: npt.NDArray[Any]
    classes: tuple[str, ...]
    name: str = "the test set"


@dataclass(frozen=True, slots=True)
class Answered:
    """What could be read of a set.

    Args:
        tested: The model's answers.
        rows: Positions, among all images of the set, of those that they belong to.
        left_out: Name and reason of every image that could not be read, or has an answer that is not finite.
    """

    tested: Tested
    rows: tuple[int, ...]
    left_out: tuple[tuple[str, str], ...]

    @property
    def failing_rows(self) -> tuple[int, ...]:
        """Positions of the failures among all images of the set."""
        return tuple(self.rows[one] for one in np.flatnonzero(self.tested.failed))


class NoFiniteAnswer(UsageError):
    """The model answers no image with finite numbers."""


def ask(
    subject: Subject,
    labelled: Labelled,
    rule: FailureRule,
    *,
    names: Sequence[str] = (),
    advance: Advance = lambda _: None,
) -> Answered:
    """Ask the model about every image of a set.

    Args:
        subject: The model.
        labelled: The set.
        rule: When an answer is a failure.
        names: Names of a regression's values. Defaults to none.
        advance: Is told how many more images are done. Defaults to nothing.

    Raises:
        UsageError: When no image can be read, or model and set do not fit together.
        NoFiniteAnswer: When the model answers every image with something that is not finite.
    """
    images, left_out = labelled.images, []

    def unreadable(number: int, error: ImageError) -> None:
        left_out.append((images.names[number], str(error)))
        advance(1)

    forward = Forward(subject.model)
    rows: list[int] = []
    scores, outputs = [], []
    for batch in images.batches(range(len(images.names)), unreadable):
        passed = _fitting(forward, images.inputs(batch), subject)
        finite = np.isfinite(passed.scores).all(axis=1) & np.isfinite(passed.outputs).all(axis=1)
        left_out += [(images.names[row], NOT_FINITE) for row, one in zip(batch.numbers, finite, strict=True) if not one]
        scores.append(passed.scores[finite])
        outputs.append(passed.outputs[finite])
        rows += [row for row, one in zip(batch.numbers, finite, strict=True) if one]
        advance(len(batch.numbers))
    if not rows:
        answerless = all(reason == NOT_FINITE for _, reason in left_out)
        raise (NoFiniteAnswer if answerless else UsageError)(
            f"None of the {len(images.names)} images of {labelled.name} can be read and answered; the first one: "
            f"{left_out[0][1]}"
        )
    found = [images.names[row] for row in rows]
    expected = labelled.expected[rows]
    if labelled.classes:
        tested = judged_classes(found, labelled.classes, np.concatenate(scores), expected, rule)
    else:
        tested = judged_values(found, names, np.concatenate(outputs), expected, rule)
    return Answered(tested, tuple(rows), tuple(left_out))


def _fitting(forward: Forward, x: Array, subject: Subject) -> Any:
    try:
        return forward(x)
    except UsageError:
        raise
    except Exception as error:  # each backend has errors of its own for what does not fit
        raise UsageError(
            f"The model '{subject.name}' cannot take images of the shape {x.shape}: "
            f"{' '.join(str(error).split())[:400]} Say how it was trained in [preprocessing] of case.toml, or, where "
            "the memory is full, let fewer images through together: `deepdebug hudd run` with a smaller --batch-size."
        ) from error


@dataclass(frozen=True, slots=True)
class HeatmapSettings:
    """Which heatmaps are wanted.

    Args:
        layers: Names of the layers at whose input relevance is kept.
        composite: The rules. Defaults to `"z-plus"`.
        target: The explained output: "predicted", "largest" or, of several values, "worst". Defaults to `"predicted"`.
        reference: For "worst": values of shape (any, outputs) that are usual, of which the explained one is the
            farthest off; no image's own label is looked at. Defaults to `None`.
        turned: Whether the relevance of a negative score is turned around, so that positive relevance always stands
            for what led to the answer; a logit's sign says nothing, for a constant can be added to all. The published
            pipeline does not. Defaults to `True`.
        dtype: "float32" or "float16". Defaults to `"float32"`.
        summed: Whether channels are summed up. Defaults to `False`: each is kept.
        storage: "full" keeps heatmaps whole, "sketch" keeps 256 random projections of each, and "auto" does so where
            whole ones would take more than 8 GiB. Defaults to "auto".
        normalise: What is done to a heatmap before it is compared, and so before it is projected. Defaults to "sqrt".
    """

    layers: tuple[str, ...]
    composite: str = "z-plus"
    target: Literal["predicted", "largest", "worst"] = "predicted"
    reference: npt.NDArray[Any] | None = None
    turned: bool = True
    dtype: str = "float32"
    summed: bool = False
    storage: Literal["auto", "full", "sketch"] = "auto"
    normalise: str = "sqrt"


def explain_failures(
    subject: Subject,
    images: Images,
    answered: Answered,
    settings: HeatmapSettings,
    folder: Path,
    *,
    advance: Advance = lambda _: None,
) -> Heatmaps:
    """Make the heatmaps of all failures, or go on where an earlier run stopped.

    Args:
        subject: The model.
        images: The images of the set.
        answered: What the model says about them.
        settings: Which heatmaps are wanted.
        folder: Where they are to lie.
        advance: Is told how many more images are done. Defaults to nothing.

    Raises:
        UsageError: When nothing failed, or something cannot be written.
    """
    rows = answered.failing_rows
    if not rows:
        raise UsageError("The model fails on none of the images, so there is nothing to explain.")
    if settings.dtype == "float16" and settings.normalise == "none":
        raise UsageError(
            "`dtype` float16 keeps the shape of each heatmap and not its size, by which raw ones are compared. Pass "
            "float32, or another normalisation."
        )
    last = convolutions(subject.model)[-1:]
    explain = Explainer(
        subject.model, composite=settings.composite, layers=settings.layers, reference=settings.reference
    )
    forward = Forward(subject.model, last)

    def whole(batch: Batch) -> dict[str, Array]:
        x = images.inputs(batch)
        found = explain(x, settings.target)
        kept = {layer: kept_relevance(found, layer, settings) for layer in settings.layers}
        passed = forward(x)
        if last:
            kept[ACTIVATIONS] = passed.activations[last[0]]
        if passed.hidden is not None:
            kept[HIDDEN] = passed.hidden
        return kept | {PIXELS: batch.pixels}

    def first() -> dict[str, Array]:
        return whole(next(images.batches(rows[: images.batch_size], _must_be_readable)))

    sketched = settings.normalise if _is_sketched(settings, subject.model, first, len(rows)) else None
    projections = {layer: Projection(place, settings.normalise) for place, layer in enumerate(settings.layers)}

    def arrays(batch: Batch) -> dict[str, Array]:
        found = whole(batch)
        return found if sketched is None else _sketched(found, projections)

    origin = Origin(
        images=tuple(images.names[row] for row in rows),
        hashes=tuple(images.hashes(rows)),
        model=subject.hash,
        composite=settings.composite,
        target=settings.target,
        reference=None if settings.reference is None else array_hash(settings.reference),
        layers=settings.layers,
        activations=last[0] if last else None,
        turned=settings.turned,
        dtype=settings.dtype,
        summed=settings.summed,
        sketched=sketched,
        batch_size=images.batch_size,
        reading=images.reading,
    )

    def batches(done: int) -> Iterable[Mapping[str, Array]]:
        advance(done)
        for batch in images.batches(rows[done:], _must_be_readable):
            yield arrays(batch)
            advance(len(batch.numbers))

    def shapes() -> dict[str, tuple[int, ...]]:
        batch = next(images.batches(rows[: images.batch_size], _must_be_readable))
        return {name: array.shape[1:] for name, array in arrays(batch).items()}

    return make_heatmaps(folder, origin, shapes, batches)


def _is_sketched(
    settings: HeatmapSettings, model: keras.Model, first: Callable[[], Mapping[str, Array]], rows: int
) -> bool:
    """Return whether short vectors are kept; a first batch is only made where the model does not say its shapes."""
    if settings.storage != "auto":
        return settings.storage == "sketch"
    known = input_shapes(model, settings.layers)
    if known is None:
        kept = first()
        known = [kept[layer].shape[1:] for layer in settings.layers]
    elif settings.summed:
        known = [shape[:-1] if len(shape) > 1 else shape for shape in known]
    values = sum(int(np.prod(shape)) for shape in known)
    return rows * values * np.dtype(settings.dtype).itemsize > BUDGET


def _sketched(found: Mapping[str, Array], projections: Mapping[str, Projection]) -> dict[str, Array]:
    """Return short vectors in place of heatmaps, and a map of the first, which is shown."""
    first = found[next(iter(projections))]
    short: dict[str, Array] = {layer: project(found[layer]) for layer, project in projections.items()}
    short[MAP] = first.sum(axis=-1) if first.ndim == 4 else first
    return short | {name: array for name, array in found.items() if name not in projections}


def kept_relevance(found: Relevance, layer: str, settings: HeatmapSettings) -> Array:
    """Return the heatmaps at a layer as they are kept: turned around and summed up as the settings say.

    Args:
        found: Relevance at several layers.
        layer: Name of the layer.
        settings: Which heatmaps are wanted.

    Raises:
        UsageError: When no relevance comes to the layer.
    """
    if layer not in found:
        raise UsageError(
            f"No relevance comes to layer '{layer}', because the explained output does not depend on it. Leave it out."
        )
    array = found[layer]
    if settings.turned:
        signs = np.where(found.explained.scores < 0, -1, 1).astype(array.dtype)
        array = array * signs.reshape(-1, *(1,) * (array.ndim - 1))
    return array.sum(axis=-1) if settings.summed and array.ndim > 2 else array


def _must_be_readable(_number: int, error: ImageError) -> None:
    raise error
